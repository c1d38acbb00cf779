"""Score one file against another, in this process."""

from __future__ import annotations

from collections.abc import Callable

from archer.media import FrameRange, frames, probe
from vmaf.errors import FrameCountMismatch
from vmaf.models import DEFAULT_MODEL, model_named
from vmaf.native import NativeScorer
from vmaf.scorer import Scorer
from vmaf.scores import FrameScores


def score(
    reference: str,
    distorted: str,
    *,
    model: str = DEFAULT_MODEL,
    part: FrameRange | None = None,
    threads: int = 1,
    subsample: int = 1,
    scorer: Scorer | None = None,
    on_frame: Callable[[int, int], None] | None = None,
) -> FrameScores:
    """Scores of every frame of `distorted`, at the model's display size.

    Args:
        reference, distorted: paths or URLs; rotation, pixel aspect and range of each are honoured.
        model: its name.
        part: frames to score; None for all.
        threads: of the metric.
        subsample: score every n-th frame only; motion is measured between all.
        scorer: backend; None for our own kernels.
        on_frame: called with the number of frames handed over so far, and their total.

    Raises:
        FrameCountMismatch: the files do not have the same number of frames.
        UnknownModel: there is no such model.
        MediaError: a file cannot be read.
    """
    chosen = model_named(model)
    one, other = probe(reference), probe(distorted)
    if part is None and one.frame_count != other.frame_count:
        raise FrameCountMismatch(one.frame_count, other.frame_count)
    wanted = part or FrameRange(0, one.frame_count)
    return (scorer or NativeScorer()).score(
        frames(reference, wanted, info=one),
        frames(distorted, wanted, info=other),
        reference_info=one,
        distorted_info=other,
        model=chosen,
        first=wanted.start,
        threads=threads,
        subsample=subsample,
        on_frame=None if on_frame is None else lambda done: on_frame(done, len(wanted)),
    )
