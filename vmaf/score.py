"""Score one file against another, in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archer.media import FrameRange, MediaInfo, frames, probe
from vmaf.alignment import Alignment, find_offset
from vmaf.errors import FrameCountMismatch
from vmaf.ffmpeg import FFmpegScorer
from vmaf.models import DEFAULT_MODEL, model_named
from vmaf.native import NativeScorer
from vmaf.scorer import Scorer
from vmaf.scores import FrameScores
from vmaf.timing import check_times

LOOKED_AT = 96
"""Frames by which an offset is found."""


def score(
    reference: str,
    distorted: str,
    *,
    model: str = DEFAULT_MODEL,
    part: FrameRange | None = None,
    threads: int = 1,
    subsample: int = 1,
    offset: int = 0,
    times: bool = True,
    scorer: Scorer | None = None,
    by_ffmpeg: Sequence[str] = (),
    on_frame: Callable[[int, int], None] | None = None,
) -> FrameScores:
    """Scores of every frame of `distorted`, at the model's display size.

    Args:
        reference, distorted: paths or URLs; rotation, pixel aspect and range of each are honoured.
        model: its name.
        part: frames to score; None for all.
        threads: of the metric.
        subsample: score every n-th frame only; motion is measured between all.
        offset: distorted frame n + offset shows reference frame n; the lengths may differ then, and what both have is
            scored.
        times: refuse files of variable frame rate whose frames are shown at different times.
        scorer: backend; None for our own kernels.
        by_ffmpeg: further metrics, of `ONLY_BY_FFMPEG`; they cost a second pass over both files.
        on_frame: called with the number of frames handed over so far, and their total.

    Raises:
        FrameCountMismatch: the files do not have the same number of frames.
        TimingMismatch: one of the files dropped, repeated or re-timed frames.
        UnknownModel: there is no such model.
        MediaError: a file cannot be read.
    """
    pair = _Pair(reference, distorted, part, offset)
    if times:
        check_times(*pair.infos, pair.part, offset=offset)
    settings = {"model": model_named(model), "threads": threads, "subsample": subsample}
    found = pair.scored(scorer or NativeScorer(), on_frame, settings)
    return found.with_columns_of(pair.scored(FFmpegScorer(by_ffmpeg), None, settings)) if by_ffmpeg else found


class _Pair:
    """Two files and the frames of them that are compared. Raises: FrameCountMismatch."""

    def __init__(self, reference: str, distorted: str, part: FrameRange | None, offset: int) -> None:
        self.infos, self._urls = (probe(reference), probe(distorted)), (reference, distorted)
        self.part = part or _common(*self.infos, offset)
        self._parts = self.part, FrameRange(self.part.start + offset, self.part.end + offset)

    def scored(self, by: Scorer, tell: Callable[[int, int], None] | None, settings: Any) -> FrameScores:
        """Scores by one backend; files are decoded anew."""
        sides = zip(self._urls, self._parts, self.infos, strict=True)
        return by.score(
            *(frames(url, part, info=info) for url, part, info in sides),
            reference_info=self.infos[0],
            distorted_info=self.infos[1],
            first=self.part.start,
            on_frame=None if tell is None else lambda done: tell(done, len(self.part)),
            **settings,
        )


def alignment_of(reference: str, distorted: str, *, reach: int = 12) -> Alignment:
    """The constant offset between two files, by their first frames.

    Args:
        reference, distorted: paths or URLs; sizes may differ.
        reach: largest offset to try, in frames.

    Raises:
        NoAlignment: no offset is clearly better than the others.
        MediaError: a file cannot be read.
    """
    one, other = (
        (frame.luma for frame in frames(url, FrameRange(0, min(info.frame_count, LOOKED_AT)), info=info))
        for url, info in ((url, probe(url)) for url in (reference, distorted))
    )
    return find_offset(one, other, reach=reach)


def _common(reference: MediaInfo, distorted: MediaInfo, offset: int) -> FrameRange:
    """Frames of the reference that both sides have. Raises: FrameCountMismatch: without an offset it must be all of them."""
    counts = reference.frame_count, distorted.frame_count
    if offset == 0 and counts[0] != counts[1]:
        raise FrameCountMismatch(*counts)
    return FrameRange(max(0, -offset), min(counts[0], counts[1] - offset))
