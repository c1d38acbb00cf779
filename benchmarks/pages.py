"""A job of a million tasks must stay usable: how fast states change, and how long its pages take.

python benchmarks/pages.py --tasks 1000000
python benchmarks/pages.py --tasks 100000 --store postgresql://user@host/empty
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

from archer import Item, JobSpec, Node, Stage
from archer.artifact import Artifact
from archer.plan import make_plan
from archer.store import History, JobStore
from archer.store.database import Database
from archer.task import Task
from pipelines.cli.bench import save_figures

AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams:
    """Nothing to set."""


class Bag(Stage[NoParams]):
    """Never run."""

    name, version, params = "pages", 1, NoParams
    outputs: ClassVar = {"parts": "parts@1"}

    def split(self, inputs: Any, params: NoParams) -> Sequence[Item]:
        """Nothing."""
        return []

    def map(self, ctx: Any, item: Item, params: NoParams) -> None:
        """Nothing."""


def fill(root: Path, count: int, database: Database | None = None) -> tuple[str, float, float]:
    """A job of `count` tasks, all done but the last hundred; its id, transitions per wall second and per CPU second."""
    store = JobStore(root, database)
    plan = make_plan(JobSpec(nodes=[Node(id="bag", stage=Bag)]))
    store.begin(plan)
    outputs = {"x": Artifact(kind="x@1", hash="sha256:" + "0" * 64, size=1)}
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, count, AT_ONCE):
        tasks = [
            Task(node="bag", phase="map", item=Item(variant=f"{place:07d}"), place=place)
            for place in range(start, min(count, start + AT_ONCE))
        ]
        with store.batch(plan.job) as batch:
            for task in tasks:
                batch.plan(task)
                batch.lease(task, task.place + 1, 0)
        with store.batch(plan.job) as batch:
            for task in tasks:
                if task.place < count - 100:
                    batch.close(task, task.place + 1, "done", number=1, outputs=outputs, wall_ms=5, cpu_ms=5)
                    batch.remember(f"{task.place:064x}", outputs)
                    batch.task_event("chunk-done", task, 1, {})
    taken = time.perf_counter() - wall, time.process_time() - cpu
    store.close()
    return plan.job, 3 * count / taken[0], 3 * count / taken[1]


def timed(work: Callable[[], Any]) -> float:
    """Median milliseconds of five calls."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return median(times)


def pages(history: History, job: str, count: int) -> dict[str, Callable[[], Any]]:
    """What people look at while such a job runs."""
    middle = f"bag/map/{count // 2:07d}"
    return {
        "all jobs with their counts": lambda: [history.counts(row.id) for row in history.jobs()],
        "first page of tasks": lambda: history.tasks(job),
        "a page in the middle": lambda: history.tasks(job, after=middle),
        "tasks that are leased": lambda: history.tasks(job, state="leased"),
        "events in the middle": lambda: history.events(job, after=count // 2),
        "tries of one task": lambda: history.attempts(job, middle),
        "what tries said": lambda: history.logs(job),
        "counts by state": lambda: history.counts(job),
        "costs": lambda: history.costs(job),
    }


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--store", default="", help="URL of an empty database instead of an SQLite file")
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    given = parser.parse_args()
    count, rows = given.tasks, []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = Database(given.store) if given.store else None
        job, per_wall_s, per_cpu_s = fill(root, count, database)
        rows.append(("state changes per second", f"{per_wall_s:.0f} (bar 5000)"))
        rows.append(("state changes per CPU second", f"{per_cpu_s:.0f}"))
        rows.append(("open the store", f"{timed(lambda: JobStore(root, database).close()):.1f} ms"))
        with History(database or root) as history:
            for name, page in pages(history, job, count).items():
                rows.append((name, f"{timed(page):.1f} ms (bar 100)"))
    for name, figure in rows:
        print(f"{name:<30} {figure}")
    if given.save:
        command = f"python benchmarks/pages.py --tasks {count}"
        command += f" --store {database.dialect}://..." if database else ""
        save_figures(
            "pages-postgresql" if database else "pages",
            command=command,
            headings=("what", "figure"),
            rows=rows,
        )


if __name__ == "__main__":
    main()
