"""The engine's own cost: what a task, a state change and a job of real work cost beside doing the same without it.

Peers are the least that could do the work: a loop, and a bare process pool on the same chunks.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from idle import TASKS, Bag, BagParams

from archer import Item, JobSpec, Node, Part, Resources, Stage, run
from archer.artifact import Artifact
from archer.executors.local import LocalExecutor
from archer.media import FrameRange, frames, identify, probe
from archer.plan import make_plan
from archer.process import ffmpeg
from archer.split import Chunk
from archer.store import ArtifactStore, JobStore
from archer.task import Task
from cinemill_native import luma_histogram

STATES, CHUNKS = 20_000, 12
_runs = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountParams:
    """Chunks of `frames` frames; `run` tells runs apart."""

    frames: int
    run: int = 0


class Count(Stage[CountParams]):
    """Luma histogram of a title, per frame, summed at the end."""

    name, version, params = "bench-count", 1, CountParams
    inputs: ClassVar = {"asset": "asset"}
    parts: ClassVar = {"rows": "rows@1"}
    outputs: ClassVar = {"sum": "sum@1"}

    def resources(self, params: CountParams) -> Resources:
        return Resources(memory_mb=1024)

    def split(self, inputs: Any, params: CountParams) -> Sequence[Item]:
        return [
            Item(chunk=Chunk(index=index, frames=FrameRange(start, end)), weight=end - start)
            for index, (start, end) in enumerate(ranges(params.frames))
        ]

    def map(self, ctx: Any, item: Item, params: CountParams) -> None:
        assert item.chunk is not None
        rows = count_frames(ctx.inputs.asset().url, item.chunk.frames.start, item.chunk.frames.end)
        np.save(ctx.out("rows", ".npy"), rows)

    def collect(self, ctx: Any, parts: Sequence[Part], params: CountParams) -> None:
        rows = np.concatenate([np.load(ctx.path(part.outputs["rows"])) for part in parts])
        ctx.out_json("sum", rows.sum(axis=0).tolist())


def ranges(length: int) -> list[tuple[int, int]]:
    return [(length * place // CHUNKS, length * (place + 1) // CHUNKS) for place in range(CHUNKS)]


def count_frames(url: str, start: int, end: int) -> Any:
    return np.stack([luma_histogram(frame.luma) for frame in frames(url, FrameRange(start, end))])


def count_pair(arguments: tuple[str, int, int]) -> Any:
    return count_frames(*arguments)


@pytest.mark.parametrize("executor", ["inline", "local"])
def bench_no_op_tasks(race: Any, benchmark: Any, tmp_path: Path, executor: str) -> None:
    tasks = 50 if benchmark.disabled else TASKS  # a smoke test need not be long

    def ours() -> int:
        spec = JobSpec(nodes=[Node(id="bag", stage=Bag, params=BagParams(tasks=tasks, run=next(_runs)))])
        result = run(spec, work_dir=tmp_path / "work", executor=executor, workers=2)
        assert result.state == "done"
        return tasks

    race(ours, {"a loop": lambda: sum(1 for _ in range(tasks))}, rounds=3, per=tasks, unit="task")


@pytest.fixture(scope="module")
def minute(clip: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The demo clip twelve times over: 63 s of 720p. Only the clip itself in a smoke test."""
    if request.config.getoption("--benchmark-disable"):
        return clip
    long = tmp_path_factory.mktemp("minute") / "minute.mp4"
    ffmpeg(["-stream_loop", "11", "-i", clip, "-map", "0:v", "-c", "copy", long])
    return long


@pytest.mark.slow
@pytest.mark.parametrize("start", ["warm", "cold"])
def bench_histogram_job(race: Any, minute: Path, tmp_path: Path, start: str) -> None:
    """The job of ARCHER's anchors: decode, histogram, join. Warm: workers of both sides have worked before."""
    url, length = str(minute), probe(str(minute)).frame_count
    asset, executor, pool = identify(url), LocalExecutor(2), new_pool()

    def ours() -> list[int]:
        node = Node(
            id="c", stage=Count, params=CountParams(frames=length, run=next(_runs)), inputs={"asset": asset}
        )
        result = run(JobSpec(nodes=[node]), work_dir=tmp_path / "work", executor=executor, workers=2)
        result.raise_for_state()
        if start == "cold":
            executor.close()
        found: list[int] = ArtifactStore(tmp_path / "work").read_json(result.outputs["c.sum"])
        return found

    def theirs() -> list[int]:
        with nullcontext(pool) if start == "warm" else new_pool() as made:
            rows = list(made.map(count_pair, [(url, first, last) for first, last in ranges(length)]))
        return [int(number) for number in np.concatenate(rows).sum(axis=0)]

    race(ours, {"bare process pool (spawn)": theirs}, rounds=3, unit="job")
    executor.close()
    pool.shutdown()


def new_pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


NO_OPS = """
import sys
from dataclasses import dataclass
from pathlib import Path
from archer import Item, JobSpec, Node, Stage, run

@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    pass

class Bag(Stage[P]):
    name, version, params = "bag", 1, P
    outputs = {"parts": "parts@1"}

    def split(self, inputs, params):
        return [Item(variant="1"), Item(variant="2")]

    def map(self, ctx, item, params):
        pass

if __name__ == "__main__":
    result = run(JobSpec(nodes=[Node(id="bag", stage=Bag)]), work_dir=Path(sys.argv[1]), workers=2)
    assert result.state == "done"
"""
POOL = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(abs, [1, 2])) == [1, 2]
"""


def bench_cold_start(race: Any, tmp_path: Path) -> None:
    """A program with one job of two tasks that do nothing, from its start to its end: interpreter, imports, workers."""
    (tmp_path / "ours.py").write_text(NO_OPS)
    (tmp_path / "pool.py").write_text(POOL)

    def program(*words: str) -> int:
        return subprocess.run([sys.executable, *words], cwd=tmp_path, check=True).returncode

    race(
        lambda: program("ours.py", f"work-{next(_runs)}"),
        {"bare process pool (spawn)": lambda: program("pool.py")},
        rounds=5,
        unit="program",
    )


def bench_state_changes(race: Any, tmp_path: Path) -> None:
    """Pending, leased, done with its event, attempt and memo row: three transitions per task, 500 tasks per transaction."""
    plan = make_plan(JobSpec(nodes=[Node(id="bag", stage=Bag)]))
    outputs = {"x": Artifact(kind="x@1", hash="sha256:" + "0" * 64, size=1)}

    def ours() -> int:
        store = JobStore(tmp_path / f"store-{next(_runs)}")
        store.begin(plan)
        first = store.next_token
        tasks = [
            Task(node="bag", phase="map", item=Item(variant=str(place)), place=place)
            for place in range(STATES // 3)
        ]
        for start in range(0, len(tasks), 500):
            some = list(enumerate(tasks[start : start + 500], first + start))
            with store.batch(plan.job) as batch:
                for token, task in some:
                    batch.plan(task)
                    batch.lease(task, token, 0)
            with store.batch(plan.job) as batch:
                for token, task in some:
                    batch.close(task, token, "done", number=1, outputs=outputs)
                    batch.remember(f"{token:064x}", outputs)
                    batch.task_event("chunk-done", task, 1, {})
        store.close()
        return STATES

    race(ours, {"a loop": lambda: sum(1 for _ in range(STATES))}, rounds=3, per=STATES, unit="transition")
