"""Scorer in this process: libvmaf's arithmetic by our own kernels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version as installed
from itertools import zip_longest

import numpy as np

from archer.media import MediaInfo, display_size
from archer.media.convert import Converter
from cinemill_native.frames import Frame, PixelFormat
from vmaf.errors import FrameCountMismatch
from vmaf.features.registry import metric_named, plan_of
from vmaf.models import Model
from vmaf.read import regression_of
from vmaf.scores import FrameScores
from vmaf.stream import Row, ScoreStream, Source

EQUALS = "libvmaf 3.2.0+13 (f85a853)"
"""The version whose numbers the kernels give."""
FORMATS = (
    PixelFormat(name="yuv420p", bit_depth=8, chroma_shift=(1, 1)),
    PixelFormat(name="yuv420p10le", bit_depth=10, chroma_shift=(1, 1)),
)


class NativeScorer:
    """Both sides are scaled alike by ffmpeg's bicubic filter where they do not fit already, and matched by order.

    Args:
        also: further models, scored in the same pass; their columns carry their names. The display is the first model's.
        metrics: further columns, by the names of `METRICS`.
        on_costs: called in the end with the processor time of each feature, seconds.
    """

    def __init__(
        self,
        also: Sequence[Model] = (),
        *,
        metrics: Sequence[str] = ("psnr",),
        on_costs: Callable[[Mapping[str, float]], None] | None = None,
    ) -> None:
        self._also, self._metrics, self._on_costs = tuple(also), tuple(metrics), on_costs

    def version(self) -> str:
        """Ours, and whose arithmetic it is."""
        return f"cinemill {installed('cinemill')}, exact to {EQUALS}"

    def context(self, model: Model) -> tuple[int, int]:
        """See `Scorer.context`."""
        models = [regression_of(one) for one in (model, *self._also)]
        wishes = [wish for one in models for wish in one.wishes]
        return plan_of(wishes + [wish for name in self._metrics for wish in metric_named(name)]).context

    def score(
        self,
        reference: Iterable[Frame],
        distorted: Iterable[Frame],
        *,
        reference_info: MediaInfo,
        distorted_info: MediaInfo,
        model: Model,
        first: int = 0,
        threads: int = 1,
        subsample: int = 1,
        on_frame: Callable[[int], None] | None = None,
    ) -> FrameScores:
        """See `Scorer.score`."""
        models = {"vmaf": regression_of(model)} | {other.name: regression_of(other) for other in self._also}
        sides = _Sides(reference_info, distorted_info, model)
        rows: list[Row] = []
        with ScoreStream(
            models, metrics=self._metrics, threads=threads, first=first, subsample=subsample
        ) as stream:
            for done, pair in enumerate(_paired(reference, distorted), start=1):
                scored = (first + done - 1) % max(subsample, 1) == 0
                stream.push(sides.source(*pair, scored=scored))
                rows += stream.rows()
                if on_frame is not None:
                    on_frame(done)
            rows += stream.finish()
            if self._on_costs is not None:
                self._on_costs(stream.costs)
        return scores_of(rows, model.name, self.version())


def converters_of(reference: MediaInfo, distorted: MediaInfo, model: Model) -> tuple[Converter, Converter]:
    """What makes both sides alike, as the model is to see them: its size, 4:2:0 of 8 bits, or of 10 where one side has more."""
    size = model.fit(*display_size(reference.video))
    pixels = FORMATS[max(info.video.format.bit_depth for info in (reference, distorted)) > 8]
    one, other = (Converter(info, *size, pixels, kernel="bicubic") for info in (reference, distorted))
    return one, other


class _Sides:
    """Converters of both sides, made once per thread."""

    def __init__(self, reference: MediaInfo, distorted: MediaInfo, model: Model) -> None:
        self._infos, self._model = (reference, distorted), model
        self._mine = threading.local()

    def source(self, ref: Frame, dist: Frame, *, scored: bool) -> Source:
        """What converts one pair, in the thread that calls it; of a frame that is not scored only motion is wanted."""

        def planes() -> tuple[tuple[object, ...], tuple[object, ...]]:
            if not hasattr(self._mine, "pair"):
                self._mine.pair = converters_of(*self._infos, self._model)
            one, other = self._mine.pair
            return one.planes(ref), other.planes(dist) if scored else ()

        return planes  # type: ignore[return-value]


def scores_of(rows: Sequence[Row], model: str, scorer: str) -> FrameScores:
    """Rows as columns, sorted by name as libvmaf's own logs are read."""
    names = sorted(rows[0].values) if rows else []
    return FrameScores(
        frames=np.array([row.frame for row in rows], np.int64),
        columns={name: np.array([row.values[name] for row in rows], np.float64) for name in names},
        model=model,
        scorer=scorer,
    )


def _paired(reference: Iterable[Frame], distorted: Iterable[Frame]) -> Iterable[tuple[Frame, Frame]]:
    """Pairs in order. Raises: FrameCountMismatch: one side ends earlier."""
    pairs = zip_longest(reference, distorted)
    for count, (ref, dist) in enumerate(pairs):
        if ref is None or dist is None:
            rest = 1 + sum(1 for _ in pairs)
            raise FrameCountMismatch(*((count, count + rest) if ref is None else (count + rest, count)))
        yield ref, dist
