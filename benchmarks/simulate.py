"""Scale by simulation: the real scheduler on clusters that are not there.

    python benchmarks/simulate.py                  the bars of the README's table
    python benchmarks/simulate.py --cores 12000 --tasks 100000 --seeds 1 2 3

Task times are lognormal (mean 60 s, sigma 0.5 by default), machines have 64 cores; ideal = max(sum / cores, longest task) of
the nominal times. Predictions are the nominal times off by a lognormal error (`--error`, sigma).
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from archer import Item, JobSpec, Node, Resources, Stage
from archer.executors.simulated import World
from archer.plan import make_plan
from archer.simulation import Story, simulate
from archer.task import Task
from pipelines.cli.bench import save_figures

CASES: dict[str, dict[str, Any]] = {
    "calm": {},
    "1 % stragglers 3-10x": {"slow_percent": 1.0},
    "machines fail, MTBF 2 h": {"mtbf_s": 7200.0},
    "both": {"slow_percent": 1.0, "mtbf_s": 7200.0},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """Nothing to set."""


class Work(Stage[NoParams]):
    """A bag of tasks, each of one core."""

    name, version, params = "work", 1, NoParams
    outputs: ClassVar = {"parts": "parts@1"}

    def resources(self, params: NoParams) -> Resources:
        return Resources(cpu=1, memory_mb=1)

    def split(self, inputs: Any, params: NoParams) -> Sequence[Item]:
        return ()

    def map(self, ctx: Any, item: Item, params: NoParams) -> None:
        """Never called: the simulation makes the results up."""


def run(
    cores: int, tasks: int, seed: int, error: float, sigma: float, **case: Any
) -> tuple[Story, float, float]:
    """One simulated job; its story, its ideal makespan and the processor time that simulating it took."""
    began = time.process_time()
    dice = random.Random(seed)  # noqa: S311  no secret
    nominal = [dice.lognormvariate(math.log(60.0) - sigma**2 / 2, sigma) for _ in range(tasks)]
    off = random.Random(seed + 1000)  # noqa: S311
    items = [
        Item(variant=str(place), weight=max(1, round(1000 * seconds * off.lognormvariate(0.0, error))))
        for place, seconds in enumerate(nominal)
    ]

    def duration(task: Task, _dice: random.Random) -> float:
        return nominal[task.place] if task.phase == "map" else 0.01

    world = World(machines=math.ceil(cores / 64), cores=64, duration=duration, seed=seed, **case)
    plan = make_plan(JobSpec(nodes=[Node(id="work", stage=Work)]))
    story = simulate(plan, items={"work": items}, world=world)
    ideal = max(sum(nominal) / (world.machines * 64), *nominal)
    return story, ideal, time.process_time() - began


HEADINGS = ("case", "seed", "makespan/ideal", "wasted %", "copies", "CPU s", "peak GB")
BARS = {"calm": 1.1, "1 % stragglers 3-10x": 1.6, "machines fail, MTBF 2 h": 1.2}
"""Makespan over ideal that the scheduler is to stay under."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=100_000)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--error", type=float, default=0.1, help="sigma of the error of predictions")
    parser.add_argument("--sigma", type=float, default=0.5, help="sigma of the task times")
    parser.add_argument("--case", choices=list(CASES), action="append")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    return parser.parse_args()


def measured(name: str, seed: int, given: argparse.Namespace) -> list[str]:
    """A row of the table, in a process of its own, so that its peak of memory is its own."""
    began = time.process_time()
    story, ideal, cpu_s = run(given.cores, given.tasks, seed, given.error, given.sigma, **CASES[name])
    cpu_s = max(cpu_s, time.process_time() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    ratio = f"{story.makespan_s / ideal:.3f}" + (f" (bar {BARS[name]})" if name in BARS else "")
    state = name if story.state == "done" else f"{name}: {story.state}"
    return [
        state,
        str(seed),
        ratio,
        f"{story.wasted_percent:.2f}",
        str(story.copies),
        f"{cpu_s:.0f}",
        f"{peak:.2f}",
    ]


def main() -> None:
    """Entry point."""
    given, rows = arguments(), []
    gc.disable()  # millions of small objects, none of them in a circle
    print(f"{given.tasks} tasks on {given.cores} cores, predictions off by {given.error:.0%}")
    print("  ".join(HEADINGS))
    for name in given.case or CASES:
        for seed in given.seeds:
            with ProcessPoolExecutor(1) as pool:
                rows.append(pool.submit(measured, name, seed, given).result())
            print("  ".join(rows[-1]), flush=True)
    if given.save:
        words = f"--cores {given.cores} --tasks {given.tasks} --seeds {' '.join(map(str, given.seeds))}"
        save_figures(
            "simulate", command=f"python benchmarks/simulate.py {words}", headings=HEADINGS, rows=rows
        )


if __name__ == "__main__":
    main()
