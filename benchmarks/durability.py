"""Durability: SIGKILLs of scheduler and workers at random moments, then every task must have exactly one result.

    python benchmarks/durability.py --kills 200 --tasks 2000

The job is run again until it ends by itself. Then: one `chunk-done` event per task, none started after it, every blob equal to
its name, and the same result as a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from archer import Item, JobSpec, Node, Part, Resources, Stage, run
from archer.artifact import Artifact
from archer.scheduler import Policy
from archer.store import ArtifactStore, History


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """How many tasks of how many milliseconds, each writing `kib` KiB."""

    tasks: int = 2000
    sleep_ms: int = 4
    kib: int = 16


class Work(Stage[Params]):
    """Tasks whose outputs are known by their number."""

    name, version, params = "durability", 1, Params
    parts: ClassVar = {"bytes": "bytes@1"}
    outputs: ClassVar = {"sum": "sum@1"}

    def resources(self, params: Params) -> Resources:
        """Little."""
        return Resources(memory_mb=256)

    def split(self, inputs: Any, params: Params) -> Sequence[Item]:
        """One item per task."""
        return [Item(variant=f"{place:05d}") for place in range(params.tasks)]

    def map(self, ctx: Any, item: Item, params: Params) -> None:
        """Write bytes that only the number decides."""
        time.sleep(params.sleep_ms / 1000)
        ctx.out("bytes").write_bytes(random.Random(item.variant).randbytes(params.kib << 10))  # noqa: S311

    def collect(self, ctx: Any, parts: Sequence[Part], params: Params) -> None:
        """Name all results in one."""
        ctx.out_json("sum", [part.outputs["bytes"].hash for part in parts])


def spec(tasks: int) -> JobSpec:
    """The job."""
    return JobSpec(nodes=[Node(id="work", stage="durability:Work", params={"tasks": tasks})])


def child(work: str, tasks: str) -> None:
    """What is killed: a scheduler that says when it begins and what it did."""
    patient = Policy(tries={"death": 1000, "transient": 10}, backoff_s=0.01)

    def say(event: Any) -> None:
        if event.type in ("job-started", "chunk-done"):
            print(event.type, flush=True)

    result = run(spec(int(tasks)), work_dir=Path(work), workers=2, on_event=say, policy=patient)
    sys.exit(0 if result.state == "done" else 1)


def below(pid: int) -> list[int]:
    """Children of a process."""
    with suppress(OSError):
        return [
            int(word)
            for task in Path(f"/proc/{pid}/task").glob("*/children")
            for word in task.read_text().split()
        ]
    return []


def disturb(work: Path, tasks: int, dice: random.Random, left: int) -> tuple[int, int, bool]:
    """One run, disturbed: kills of workers, of schedulers, and whether it ended by itself."""
    here = str(Path(__file__).resolve().parent)
    code = f"import sys; sys.path.insert(0, {here!r}); import durability; durability.child(*sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(work), str(tasks)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    workers = 0
    for _ in range(dice.randint(0, 3)):
        for _ in range(dice.randint(1, 12)):
            if not process.stdout.readline():
                break
        victims = [worker for template in below(process.pid) for worker in below(template)]
        if victims and workers < left:
            with suppress(ProcessLookupError):
                os.kill(dice.choice(victims), signal.SIGKILL)
                workers += 1
    if workers >= left:
        process.communicate()
        return workers, 0, process.returncode == 0
    try:
        process.wait(dice.uniform(0.0, 1.2))
        ended = process.returncode == 0
    except subprocess.TimeoutExpired:
        process.kill()
        ended = False
    process.communicate()
    return workers, 0 if ended else 1, ended


def events(work: Path) -> list[tuple[str, str, str]]:
    """(type, node, item) of everything that a store knows of the tasks of its job, in order."""
    with sqlite3.connect(f"file:{work / 'archer.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT type, node, item FROM events WHERE item <> '' ORDER BY seq")
        return [(str(kind), str(node), str(item)) for kind, node, item in rows]


def repeated(told: Sequence[tuple[str, str, str]]) -> list[str]:
    """Tasks that were begun or done once more after they were done."""
    done: set[tuple[str, str]] = set()
    again: list[str] = []
    for kind, node, item in told:
        if kind in ("task-started", "chunk-done") and (node, item) in done:
            again.append(f"{kind} of {node} {item} after its chunk-done")
        if kind == "chunk-done":
            done.add((node, item))
    return again


def verdict(work: Path, tasks: int) -> list[str]:
    """What is wrong; nothing, one hopes."""
    told = events(work)
    wrong = repeated(told)
    finished = {item for kind, _, item in told if kind == "chunk-done"}
    if len(finished) != tasks:
        wrong.append(f"{len(finished)} results of {tasks}")
    store, after, blobs = ArtifactStore(work), "", 0
    with History(work) as history:
        job = history.job().id
        while page := history.tasks(job, after=after, limit=1000):
            after = page[-1].name
            artifacts: list[Artifact] = [artifact for row in page for artifact in row.outputs.values()]
            blobs += len(artifacts)
            for artifact in artifacts:
                store.verify(artifact)
    print(f"{blobs} blobs verified")
    return wrong


def save(given: argparse.Namespace, counts: list[int], wrong: list[str]) -> None:
    """Keep the figures."""
    from pipelines.cli.bench import save_figures

    headings = ("jobs", "tasks each", "schedulers killed", "workers killed", "lost, repeated or damaged")
    jobs, schedulers, workers = map(str, counts)
    row = (jobs, str(given.tasks), schedulers, workers, "; ".join(wrong) or "none")
    command = f"python benchmarks/durability.py --kills {given.kills} --tasks {given.tasks}"
    save_figures("durability", command=command, headings=headings, rows=[row])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/ and the README")
    given = parser.parse_args()
    dice = random.Random(given.seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        work, tasks, job, schedulers, workers = Path(folder) / "0", given.tasks, 0, 0, 0
        while True:
            more_workers, more_schedulers, ended = disturb(
                work, tasks, dice, given.kills - schedulers - workers
            )
            workers, schedulers = workers + more_workers, schedulers + more_schedulers
            if ended:
                wrong = verdict(work, tasks)
                print(
                    f"job {job}: {tasks} tasks, {schedulers} schedulers and {workers} workers killed so far: {wrong or 'right'}"
                )
                if wrong or schedulers + workers >= given.kills:
                    if given.save:
                        save(given, [job + 1, schedulers, workers], wrong)
                    sys.exit(1 if wrong else 0)
                job += 1
                work = Path(folder) / str(job)


if __name__ == "__main__":
    main()
