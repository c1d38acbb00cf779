"""The real scheduler on a cluster that is not there: short, little wasted, and the same story each time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archer import Item, JobSpec, Node, Resources, Stage, run
from archer.executors.simulated import SimulatedExecutor, World
from archer.plan import make_plan
from archer.simulation import Story, simulate
from archer.store import ArtifactStore
from archer.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    pass


class Work(Stage[P]):
    name, version, params = "work", 1, P
    outputs: ClassVar = {"parts": "parts@1"}

    def resources(self, params: P) -> Resources:
        return Resources(memory_mb=1)

    def split(self, inputs: Any, params: P) -> list[Item]:
        return []

    def map(self, ctx: Any, item: Item, params: P) -> None: ...


def story_of(tasks: int = 2000, **world: Any) -> tuple[Story, float]:
    """A job of lognormal tasks on 4 machines of 64 cores, and its ideal makespan."""
    dice = random.Random(7)
    times = [dice.lognormvariate(4.0, 0.5) for _ in range(tasks)]
    items = [Item(variant=str(place), weight=max(1, round(1000 * time))) for place, time in enumerate(times)]

    def duration(task: Task, _dice: random.Random) -> float:
        return times[task.place] if task.phase == "map" else 0.01

    cluster = World(machines=4, cores=64, duration=duration, seed=7, **world)
    story = simulate(make_plan(JobSpec(nodes=[Node(id="w", stage=Work)])), items={"w": items}, world=cluster)
    return story, max(sum(times) / 256, *times)


@pytest.mark.parametrize(
    ("world", "ratio", "wasted"),
    [({}, 1.10, 1.0), ({"slow_percent": 1.0}, 1.6, 4.0), ({"mtbf_s": 7200.0}, 1.4, 8.0)],
    ids=["calm", "stragglers", "failures"],
)
def test_the_makespan_is_near_the_ideal(world: dict[str, float], ratio: float, wasted: float) -> None:
    story, ideal = story_of(**world)
    assert story.state == "done"
    assert story.makespan_s <= ratio * ideal
    assert story.wasted_percent <= wasted


def test_without_second_tries_stragglers_would_rule() -> None:
    """The bars above are reached by what the scheduler does, not by an easy world."""
    dice = random.Random(7)
    times = [dice.lognormvariate(4.0, 0.5) for _ in range(2000)]

    def duration(task: Task, _dice: random.Random) -> float:
        return times[task.place] if task.phase == "map" else 0.01

    alone = World(machines=1, cores=256, duration=duration, slow_percent=1.0, seed=7)
    items = [Item(variant=str(place), weight=max(1, round(1000 * time))) for place, time in enumerate(times)]
    plan = make_plan(JobSpec(nodes=[Node(id="w", stage=Work)]))
    story = simulate(plan, items={"w": items}, world=alone)
    assert story.copies == 0
    assert story.makespan_s > 1.6 * max(sum(times) / 256, *times)


def test_the_same_world_tells_the_same_story() -> None:
    first, second = (story_of(500, slow_percent=2.0, mtbf_s=3600.0)[0] for _ in range(2))
    assert first == second


def test_whole_jobs_run_in_simulated_time_with_real_results(toys: str, tmp_path: Path) -> None:
    world = World(machines=3, cores=2, mtbf_s=200.0, repaired_s=20.0, seed=3)
    executor = SimulatedExecutor(world=world)
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 40})])
    retries: list[str] = []
    result = run(
        spec,
        work_dir=tmp_path,
        executor=executor,
        on_event=lambda event: retries.append(event.item) if event.type == "task-retry" else None,
    )
    assert ArtifactStore(tmp_path).read_json(result.outputs["sum.total"]) == list(range(40))
    assert executor.clock() >= 40 * 10 / 6
    assert retries, "machines failed, and nothing was lost"
