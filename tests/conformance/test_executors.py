"""What every executor must do, whatever it runs on: one suite, one line per executor."""

from __future__ import annotations

import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from archer.errors import TaskFailure
from archer.executors.base import Executor
from archer.executors.ray import UNSAID
from archer.registry import EXECUTORS, load
from archer.stage import Resources
from archer.store import ArtifactStore
from archer.task import Progress, Report, Task, TaskCall, TaskDone

Call = Callable[..., TaskCall]
TICKETS = count(1)
RAY = pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.integration])
ALL = ["inline", "local", "simulated", RAY]
APART = ["local", RAY]
"""Those whose tasks run in processes of their own: they survive what a task does to its process."""


@pytest.fixture(scope="module")
def cluster(ray_cluster: Callable[..., Any]) -> Any:
    """One Ray cluster for the whole suite: starting it takes longer than most tests."""
    return ray_cluster(2)


def made(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """The executor that a test asks for, with two workers."""
    options = {"address": request.getfixturevalue("cluster").address} if request.param == "ray" else {}
    executor: Executor = load(EXECUTORS, request.param)(2, **options)
    yield executor
    executor.close()


executor = pytest.fixture(params=ALL, name="executor")(made)
apart = pytest.fixture(params=APART, name="apart")(made)


@pytest.fixture
def call(oddities: str, tmp_path: Path) -> Call:
    def make(stage: str, *, memory_mb: int = 2048, **params: Any) -> TaskCall:
        module = importlib.import_module(oddities)
        made = getattr(module, stage)()
        return TaskCall(
            ticket=next(TICKETS),
            root=tmp_path / "work",
            stage=made,
            params=module.P(**params),
            task=Task(node="odd", phase="map"),
            inputs={},
            resources=Resources(memory_mb=memory_mb),
        )

    return make


def until_ended(executor: Executor, tickets: Sequence[int], limit_s: float = 60.0) -> list[Report]:
    """All reports until each of the tries has ended."""
    reports: list[Report] = []
    open_tickets, deadline = set(tickets), time.monotonic() + limit_s
    while open_tickets:
        assert time.monotonic() < deadline, f"no end of {open_tickets}; got {reports}"
        for report in executor.poll(0.2):
            reports.append(report)
            if not isinstance(report.what, Progress):
                assert report.ticket in open_tickets, f"a second end of {report.ticket}"
                open_tickets.discard(report.ticket)
    return reports


def ended(executor: Executor, asked: TaskCall) -> Any:
    executor.submit(asked)
    return until_ended(executor, [asked.ticket])[-1].what


def failed(executor: Executor, asked: TaskCall) -> TaskFailure:
    what = ended(executor, asked)
    assert isinstance(what, TaskFailure), what
    return what


def wait_for(path: Path, poll: Executor) -> list[int]:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        poll.poll(0.05)
    return [int(word) for word in path.read_text().split()]


def gone(pid: int) -> bool:
    """True once a process is no more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def all_gone(pids: Sequence[int], limit_s: float = 20.0) -> bool:
    deadline = time.monotonic() + limit_s
    while not all(map(gone, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return all(map(gone, pids))


def test_every_try_ends_exactly_once_with_its_own_result(executor: Executor, call: Call) -> None:
    calls = [call("Echo", text="x", number=number) for number in range(6)]
    width = max(1, executor.capacity().cpu)
    results: dict[int, TaskDone] = {}
    for start in range(0, len(calls), width):
        batch = calls[start : start + width]
        for each in batch:
            executor.submit(each)
        for report in until_ended(executor, [each.ticket for each in batch]):
            if isinstance(report.what, TaskDone):
                results[report.ticket] = report.what
                assert report.worker, "it is told where it ran"
    store = ArtifactStore(calls[0].root)
    assert [store.read_json(results[each.ticket].outputs["out"]) for each in calls] == [
        ["x", number] for number in range(6)
    ]
    assert all(results[each.ticket].log == ("x",) for each in calls)


@pytest.mark.parametrize(
    ("text", "kind", "category"),
    [
        ("item two is bad", "ValueError", "user"),
        ("exit", "SystemExit", "user"),
        ("mute", "Mute", "user"),
        ("connection", "ConnectionResetError", "transient"),
        ("memory", "MemoryError", "memory"),
        ("disk", "DiskFull", "disk"),
    ],
)
def test_whatever_a_stage_raises_comes_back_as_data(
    executor: Executor, call: Call, text: str, kind: str, category: str
) -> None:
    failure = failed(executor, call("Raise", text=text))
    assert (failure.kind, failure.category) == (kind, category)
    assert "raise" in failure.traceback or "sys.exit" in failure.traceback
    assert isinstance(ended(executor, call("Echo")), TaskDone), "the next task is none the worse for it"


def test_progress_may_come_from_threads_and_names_its_own_try(executor: Executor, call: Call) -> None:
    first, second = call("Chatter"), call("Echo")
    executor.submit(first)
    reports = until_ended(executor, [first.ticket])
    assert any(isinstance(report.what, Progress) and report.what.total == 100 for report in reports)
    executor.submit(second)
    assert {report.ticket for report in until_ended(executor, [second.ticket])} == {second.ticket}


def test_close_may_be_called_twice_and_nothing_is_reported_after(executor: Executor, call: Call) -> None:
    executor.submit(call("Echo"))
    executor.close()
    executor.close()
    assert list(executor.poll(0.05)) == []


def test_cancelling_what_is_unknown_changes_nothing(executor: Executor, call: Call) -> None:
    executor.cancel(10**9)
    assert isinstance(ended(executor, call("Echo")), TaskDone)


@pytest.mark.parametrize(("how", "word"), [(9, "killed"), (11, "signal 11"), (0, "exit code 7")])
def test_a_worker_that_dies_is_a_failure_that_says_how(
    apart: Executor, call: Call, how: int, word: str
) -> None:
    """Or that it cannot be known: Ray tells nobody how a worker ended."""
    failure = failed(apart, call("Die", number=how))
    assert failure.category == "death"
    assert (UNSAID if apart.name == "ray" else word) in failure.message
    assert isinstance(ended(apart, call("Echo")), TaskDone)


def test_a_task_is_held_to_the_memory_it_declares(apart: Executor, call: Call) -> None:
    failure = failed(apart, call("Hoard", number=3000, memory_mb=256))
    assert failure.category == "memory"
    assert "256 MiB" in failure.message
    assert isinstance(ended(apart, call("Hoard", number=100, memory_mb=256)), TaskDone)
    assert isinstance(ended(apart, call("Hoard", number=1500, memory_mb=2048)), TaskDone), (
        "the bound is the task's"
    )


def test_cancel_kills_the_task_with_its_children_at_once(apart: Executor, call: Call, tmp_path: Path) -> None:
    asked = call("Sleep", text=str(tmp_path / "pids"))
    apart.submit(asked)
    pids = wait_for(tmp_path / "pids", apart)
    began = time.monotonic()
    apart.cancel(asked.ticket)
    assert all_gone(pids)
    assert time.monotonic() - began < 5
    other = call("Echo")
    apart.submit(other)
    assert {report.ticket for report in until_ended(apart, [other.ticket])} == {other.ticket}


def test_close_leaves_no_process_behind(apart: Executor, call: Call, tmp_path: Path) -> None:
    apart.submit(call("Sleep", text=str(tmp_path / "pids")))
    pids = wait_for(tmp_path / "pids", apart)
    apart.close()
    assert all_gone(pids)


def test_a_worker_killed_from_outside_takes_its_children_along(
    apart: Executor, call: Call, tmp_path: Path
) -> None:
    asked = call("Sleep", text=str(tmp_path / "pids"))
    apart.submit(asked)
    worker, child = wait_for(tmp_path / "pids", apart)
    os.kill(worker, signal.SIGKILL)
    failure = until_ended(apart, [asked.ticket])[-1].what
    assert isinstance(failure, TaskFailure)
    assert failure.category == "death"
    assert all_gone([worker, child])
