"""Frames pushed in, scores out while it runs: a bounded pool of threads, results in the order of the frames.

stream = ScoreStream([regression_of(model_named("vmaf_v0.6.1"))], threads=2)
for ref, dist in pairs:          # planes, luma first
    stream.push(lambda ref=ref, dist=dist: (ref, dist))
    for row in stream.rows():    # frames whose scores are known by now: a frame's motion looks one ahead
        print(row.frame, row.values["vmaf"])
for row in stream.finish():
    print(row.frame, row.values["vmaf"])
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from cinemill_native.frames import Plane
from vmaf.features import FeatureSet, Planes, motion, motion2, spatial
from vmaf.regression import Regression

Source = Callable[[], tuple[Planes, Planes]]
"""Gives the planes of both sides; called in a thread of the pool, so conversion costs no time of the caller."""
AHEAD = 2
"""Frames beyond one per thread that may wait: keeps threads busy, bounds memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """Scores of one frame.

    Attributes:
        frame: its number.
        values: by column name.
    """

    frame: int
    values: Mapping[str, float]


@dataclass(slots=True)
class _Job:
    frame: int
    scored: bool
    luma: Future[Plane]
    values: Future[dict[str, float]]


class ScoreStream:
    """Scores pairs of pictures as they come; push from one thread.

    Args:
        models: column name -> regression; the first is usually `vmaf`.
        threads: that score; decoding is the caller's.
        first: number of the first frame.
        subsample: score every n-th frame number only; motion is measured between all.
        psnr, aim: further columns.

    Raises:
        ValueError: the models need more than two limits of the enhancement gain.
    """

    def __init__(
        self,
        models: Mapping[str, Regression],
        *,
        threads: int = 1,
        first: int = 0,
        subsample: int = 1,
        psnr: bool = True,
        aim: bool = False,
    ) -> None:
        gains = tuple(dict.fromkeys(gain for model in models.values() for gain in model.gains))
        if len(gains) > 2:
            raise ValueError(
                f"models need {len(gains)} limits of the enhancement gain ({gains}); score them in runs of two"
            )
        self._models, self._wanted = models, FeatureSet(gains=gains, psnr=psnr, aim=aim)
        self._next, self._subsample, self._limit = first, max(subsample, 1), threads + AHEAD
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vmaf")
        self._jobs: deque[_Job] = deque()
        self._held: Row | None = None
        self._before: Future[Plane] | None = None
        self._started = False

    def push(self, source: Source) -> None:
        """Hand over the next frame; waits while too many are in work."""
        while len([job for job in self._jobs if not job.values.done()]) >= self._limit:
            next(job for job in self._jobs if not job.values.done()).values.exception()
        scored = self._next % self._subsample == 0
        luma: Future[Plane] = Future()
        values = self._pool.submit(self._measure, source, self._before, luma, scored=scored)
        self._jobs.append(_Job(self._next, scored, luma, values))
        self._before, self._next = luma, self._next + 1

    def rows(self) -> Iterator[Row]:
        """The rows that are known by now, in order; each comes once."""
        while self._jobs and self._jobs[0].values.done():
            yield from self._advance()

    def finish(self) -> Iterator[Row]:
        """Wait for all, and give the rest of the rows. The stream is closed then."""
        try:
            while self._jobs:
                yield from self._advance()
            if self._held is not None:
                yield from self._completed(self._held, None)
                self._held = None
        finally:
            self.close()

    def close(self) -> None:
        """Stop; frames that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _measure(
        self, source: Source, before: Future[Plane] | None, luma: Future[Plane], *, scored: bool
    ) -> dict[str, float]:
        """In a thread of the pool. The frame before began earlier, so waiting for its luma ends."""
        try:
            ref, dist = source()
        except BaseException as error:
            luma.set_exception(error)
            raise
        luma.set_result(ref[0])
        found = spatial(ref, dist, self._wanted) if scored else {}
        found["integer_motion"] = motion(before.result() if before else None, ref[0])
        return found

    def _advance(self) -> Iterator[Row]:
        job = self._jobs.popleft()
        row = Row(job.frame, job.values.result())
        if self._held is not None:
            yield from self._completed(self._held, row.values["integer_motion"])
        self._held = row

    def _completed(self, row: Row, following: float | None) -> Iterator[Row]:
        first, self._started = not self._started, True
        if row.frame % self._subsample:
            return
        values = dict(row.values)
        values["integer_motion2"] = motion2(values["integer_motion"], following, first=first)
        for name, model in self._models.items():
            values[name] = model.score(values)
        yield replace(row, values=values)
