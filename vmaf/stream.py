"""Frames pushed in, scores out while it runs: a bounded pool of threads, results in the order of the frames.

stream = ScoreStream({"vmaf": regression_of(model_named("vmaf_v0.6.1"))}, threads=2)
for ref, dist in pairs:          # planes, luma first
    stream.push(lambda ref=ref, dist=dist: (ref, dist))
    for row in stream.rows():    # frames whose scores are known by now: a frame's motion looks ahead
        print(row.frame, row.values["vmaf"])
for row in stream.finish():
    print(row.frame, row.values["vmaf"])
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import thread_time
from types import TracebackType
from typing import Self

from cinemill_native.frames import Plane
from vmaf.features.feature import Columns, Feature, Planes
from vmaf.features.motion import MotionTrack, motion
from vmaf.features.registry import metric_named, plan_of
from vmaf.regression import Predictor

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


@dataclass(frozen=True, slots=True)
class _Measured:
    """Of one frame.

    Attributes:
        columns: all but those of motion.
        changes: against frames before it, by `Motion.change`.
        costs: processor time of each feature, seconds.
    """

    columns: Columns
    changes: Mapping[tuple[int, bool], float]
    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Job:
    frame: int
    measured: Future[_Measured]


def cost_name(feature: Feature) -> str:
    """Under which a feature's cost is kept, as the metric is called: psnr, ms_ssim ..."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(feature).__name__).lower()


class ScoreStream:
    """Scores pairs of pictures as they come; push from one thread.

    Args:
        models: column name -> model; the first is usually `vmaf`.
        metrics: further columns, by the names of `METRICS`.
        threads: that score; decoding is the caller's.
        first: number of the first frame.
        subsample: score every n-th frame number only; of the others those are looked at that its motion needs.

    Attributes:
        costs: processor time of each feature so far, seconds.

    Raises:
        UnknownMetric: there is no such metric.
    """

    def __init__(
        self,
        models: Mapping[str, Predictor],
        *,
        metrics: Sequence[str] = ("psnr",),
        threads: int = 1,
        first: int = 0,
        subsample: int = 1,
    ) -> None:
        wishes = [wish for model in models.values() for wish in model.wishes]
        self._plan = plan_of(wishes + [wish for name in metrics for wish in metric_named(name)])
        self._models, self._tracks = models, [MotionTrack(wish) for wish in self._plan.motions]
        self._next, self._subsample, self._limit = first, max(subsample, 1), threads + AHEAD
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="vmaf")
        self._jobs: deque[_Job] = deque()
        self._held: deque[Row] = deque()
        self._known: list[deque[Columns]] = [deque() for _ in self._tracks]
        self._before: deque[Future[Plane | None]] = deque(maxlen=self._plan.back or 1)
        self.costs: dict[str, float] = {}

    def push(self, source: Source) -> None:
        """Hand over the next frame; waits while too many are in work."""
        waiting = [job.measured for job in self._jobs if not job.measured.done()]
        if len(waiting) >= self._limit:
            waiting[0].exception()
        luma: Future[Plane | None] = Future()
        if self._needed(self._next):
            scored = self._next % self._subsample == 0
            measured = self._pool.submit(self._measure, source, tuple(self._before), luma, scored=scored)
        else:
            measured = self._unseen(luma)
        self._jobs.append(_Job(self._next, measured))
        self._before.append(luma)
        self._next += 1

    def _needed(self, frame: int) -> bool:
        """Whether a frame is scored, or the motion of one that is depends on it."""
        before, behind = self._plan.context
        return any(near % self._subsample == 0 for near in range(frame - behind, frame + before + 1))

    def _unseen(self, luma: Future[Plane | None]) -> Future[_Measured]:
        """What is known of a frame that nothing needs: its picture is not even converted."""
        luma.set_result(None)
        measured: Future[_Measured] = Future()
        measured.set_result(_Measured({}, {wish.change: 0.0 for wish in self._plan.motions}, {}))
        return measured

    def rows(self) -> Iterator[Row]:
        """The rows that are known by now, in order; each comes once."""
        while self._jobs and self._jobs[0].measured.done():
            yield from self._advance()

    def finish(self) -> Iterator[Row]:
        """Wait for all, and give the rest of the rows. The stream is closed then."""
        try:
            while self._jobs:
                yield from self._advance()
            for track, known in zip(self._tracks, self._known, strict=True):
                known += track.finish()
            yield from self._completed()
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
        self,
        source: Source,
        before: tuple[Future[Plane | None], ...],
        luma: Future[Plane | None],
        *,
        scored: bool,
    ) -> _Measured:
        """In a thread of the pool. The frames before began earlier, so waiting for their luma ends."""
        try:
            ref, dist = source()
        except BaseException as error:
            luma.set_exception(error)
            raise
        luma.set_result(ref[0])
        columns: Columns = {}
        costs: dict[str, float] = {}
        for feature in self._plan.features if scored else ():
            begin = thread_time()
            columns |= feature.measure(ref, dist)
            name = cost_name(feature)
            costs[name] = costs.get(name, 0.0) + thread_time() - begin
        begin = thread_time()
        backs = {wish.back for wish in self._plan.motions}
        lumas = {back: before[-back].result() if back <= len(before) else None for back in backs}
        wanted = {wish.change for wish in self._plan.motions}
        changes = {(back, single): motion(lumas[back], ref[0], single=single) for back, single in wanted}
        return _Measured(columns, changes, costs | ({"motion": thread_time() - begin} if backs else {}))

    def _advance(self) -> Iterator[Row]:
        job = self._jobs.popleft()
        measured = job.measured.result()
        for name, cost in measured.costs.items():
            self.costs[name] = self.costs.get(name, 0.0) + cost
        self._held.append(Row(job.frame, measured.columns))
        for track, wish, known in zip(self._tracks, self._plan.motions, self._known, strict=True):
            known += track.add(measured.changes[wish.change])
        yield from self._completed()

    def _completed(self) -> Iterator[Row]:
        """Rows whose motion is known by all tracks."""
        while self._held and all(self._known):
            row = self._held.popleft()
            values: Columns = {}
            for known in self._known:
                values |= known.popleft()
            if row.frame % self._subsample == 0:
                values |= row.values
                for name, model in self._models.items():
                    values |= model.scores(name, values)
                yield Row(row.frame, values)
