"""Schedulers on one queue: every job is done once, whoever dies, stops or freezes meanwhile; what is asked is done at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archer.errors import LeaseLost, StoreBusy
from archer.executors.inline import InlineExecutor
from archer.plan import JobSpec, Node, make_plan
from archer.service import SchedulerService, Service
from archer.store import History, JobQueue, JobStore
from archer.store.database import Database
from archer.store.garbage import collect_garbage
from archer.store.queue import Claim
from archer.task import Task
from archer.worker import worker_name
from pipelines.cli.main import cli

pytestmark = pytest.mark.usefixtures("installed_toys")


def order(**params: Any) -> str:
    """A job of one node that adds up numbers."""
    return json.dumps({"nodes": {"sum": {"stage": "sum", "params": params}}})


@contextmanager
def serving(database: Database, root: Path, **options: Any) -> Iterator[SchedulerService]:
    """A scheduler in a thread."""
    service, stop = SchedulerService(database, root, Service(**{"workers": 2, **options})), threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        yield service
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def until(done: Callable[[], Any], seconds: float = 60.0) -> float:
    """Wait until something is so; returns how long that took."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < seconds, "it did not come to that"
        time.sleep(0.05)
    return time.monotonic() - began


def assert_nothing_done_twice(history: History, job: str, items: int) -> None:
    """By its events, every item of a job was committed once, and none was begun again after that."""
    done: set[str] = set()
    for event in history.events(job, limit=100_000):
        assert not (event.item in done and event.type in ("chunk-done", "task-started")), (
            f"{event.item} again"
        )
        if event.type == "chunk-done":
            done.add(event.item)
    assert len(done) == items
    ends = [event.type for event in history.events(job, limit=100_000) if event.type == "job-done"]
    assert ends == ["job-done"]


def test_submitted_jobs_are_run_and_bad_ones_say_why(database: Database, tmp_path: Path) -> None:
    queue = JobQueue(database)
    good = [queue.submit(order(n=3, quality=str(place)))[0].id for place in range(3)]
    bad = queue.submit(json.dumps({"nodes": {"sum": {"stage": "nothing"}}}))[0].id
    failing = queue.submit(order(fail="always"))[0].id
    with serving(database, tmp_path / "work", executor=InlineExecutor()):
        until(lambda: not queue.counts().keys() & {("default", "queued"), ("default", "running")})
    with History(database) as history:
        for job in good:
            assert queue.get(job).state == "done"
            assert_nothing_done_twice(history, job, 3)
            assert history.counts(job) == {"done": 5}
        assert "unknown 'nothing'" in history.events(bad)[-1].payload["failures"][0]
        kinds = [event.type for event in history.events(failing)]
        assert kinds[:2] == ["job-submitted", "job-claimed"]
        assert kinds[-1] == "job-failed"
        assert "item two is bad" in history.events(failing)[-1].payload["failures"][0]
        everything = history.events(limit=100_000)
        assert [event.seq for event in everything] == list(range(1, len(everything) + 1))
    row = queue.get(good[0])
    assert (row.runs, row.holder, row.wanted) == (1, "", "")
    assert row.begun_ms >= row.submitted_ms > 0
    assert json.loads(row.spec)["nodes"]["sum"]["stage"] == "sum"


def test_what_a_job_left_is_read_and_tidied_up(database: Database, tmp_path: Path) -> None:
    """Pages, tries, costs, cards, memo and garbage, on each kind of store."""
    queue, root = JobQueue(database), tmp_path / "work"
    job = queue.submit(json.dumps({"nodes": {"sum": {"stage": "shy", "params": {"n": 4}}}}))[0].id
    with serving(database, root, executor=InlineExecutor()):
        until(lambda: queue.get(job).state == "partial")
        again = queue.submit(order(n=4))[0].id
        until(lambda: queue.get(again).state == "done")
        third = queue.submit(order(n=4))[0].id
        until(lambda: queue.get(third).state == "done")
        running = queue.claim("somebody", 60)
        assert running is None
    with History(database) as history:
        assert history.counts(job) == {"done": 5, "poisoned": 1}
        assert [row.name for row in history.tasks(job, state="poisoned")] == ["sum/map/chunk-00001"]
        (tried,) = history.attempts(job, "sum/map/chunk-00001")
        assert history.logs(job) == [tried]
        assert "item one is bad" in tried.error
        assert tried.worker == worker_name()
        (cost,) = history.costs(job)
        assert (cost.tries, cost.wasted) == (6, 1)
        assert [card.name for card in history.cards(job)] == ["seen"]
        assert {event.type for event in history.events(third)} >= {"memo-hit"}
        assert "task-started" not in {event.type for event in history.events(third)}
    held = queue.submit(order(n=1))[0]
    claim = queue.claim("somebody", 60)
    assert claim is not None
    with pytest.raises(StoreBusy, match="somebody"):
        collect_garbage(root, database=database)
    assert queue.release(claim, "cancelled")
    time.sleep(0.01)
    gone = collect_garbage(root, database=database, older_than_days=0)
    assert set(gone.jobs) == {job, again, third, held.id}
    assert not [path for path in (root / "objects").rglob("*") if path.is_file()]
    assert queue.page() == []


def test_what_is_asked_of_a_running_job_is_done_within_two_seconds(
    database: Database, tmp_path: Path
) -> None:
    queue, history = JobQueue(database), History(database)
    job = queue.submit(order(n=60, sleep_ms=60))[0].id

    def told(kind: str) -> int:
        return sum(event.type == kind for event in history.events(job, limit=10_000))

    with serving(database, tmp_path / "work"):
        until(lambda: told("chunk-done") > 2)
        queue.request(job, "pause")
        assert until(lambda: queue.get(job).state == "paused") < 2
        until(lambda: "leased" not in history.counts(job))  # what ran ends
        done = told("chunk-done")
        time.sleep(0.3)
        assert told("chunk-done") == done < 60
        queue.request(job, "resume")
        assert until(lambda: told("chunk-done") > done) < 2
        assert queue.get(job).wanted == ""
        queue.request(job, "cancel")
        assert until(lambda: queue.get(job).state == "cancelled") < 2
        done = told("chunk-done")
        assert done < 60
        queue.request(job, "retry")
        until(lambda: queue.get(job).state == "done")
    assert told("memo-hit") >= done
    assert_nothing_done_twice(history, job, 60)


def test_the_urgent_goes_before_what_runs(database: Database, tmp_path: Path) -> None:
    queue, history = JobQueue(database), History(database)
    slow = queue.submit(order(n=40, sleep_ms=30))[0].id
    with serving(database, tmp_path / "work", executor=InlineExecutor()):
        until(lambda: any(event.type == "chunk-done" for event in history.events(slow)))
        urgent = queue.submit(order(n=4, sleep_ms=31), priority=5)[0].id
        other = queue.submit(order(n=4, sleep_ms=32))[0].id
        until(lambda: queue.get(urgent).state == "done")
        assert queue.get(slow).state == "running"
        until(lambda: queue.get(other).state == "done")
        assert queue.get(slow).state == "done", "it was first, and equally urgent"


def test_a_scheduler_that_is_stopped_hands_back_and_the_next_goes_on(
    database: Database, tmp_path: Path
) -> None:
    queue, history = JobQueue(database), History(database)
    job = queue.submit(order(n=30, sleep_ms=20))[0].id
    with serving(database, tmp_path / "work", executor=InlineExecutor()):
        until(lambda: any(event.type == "chunk-done" for event in history.events(job)))
    row = queue.get(job)
    assert (row.state, row.holder, row.token) == ("queued", "", 0)
    assert "leased" not in history.counts(job)
    with serving(database, tmp_path / "work", executor=InlineExecutor()):
        until(lambda: queue.get(job).state == "done")
    assert queue.get(job).runs == 2
    assert_nothing_done_twice(history, job, 30)


def test_who_lost_the_lease_can_commit_nothing(database: Database, tmp_path: Path) -> None:
    queue, store = JobQueue(database), JobStore(tmp_path, database)
    job = queue.submit(order())[0].id
    plan = replace(make_plan(JobSpec(nodes=[Node(id="sum", stage="sum")])), name=job)
    task = Task(node="sum", phase="split")
    first = queue.claim("one", lease_s=-1)
    assert first is not None
    store.begin(plan, token=first.token)
    with store.batch(job) as batch:
        batch.lease(task, first.token, 0)
    second = queue.claim("two")
    assert second is not None
    history = History(database)
    before = history.events()
    for change in ("event", "close", "end"):
        with pytest.raises(LeaseLost), store.batch(job) as batch:
            batch.event("something")
            if change == "close":
                batch.close(task, first.token, "done", number=1)
                batch.remember("key", {})
            if change == "end":
                batch.job_state = "done"
    with pytest.raises(LeaseLost):
        store.begin(plan, token=first.token)
    with pytest.raises(LeaseLost):
        store.interrupt(job)
    assert history.events() == before
    assert store.recall(["key"]) == {}
    assert (queue.get(job).state, queue.get(job).holder) == ("running", "two")


def test_a_commit_whose_answer_was_lost_counts_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the server has committed, so the same transaction is tried again."""
    queue, store, history = JobQueue(database), JobStore(tmp_path, database), History(database)
    job = queue.submit(order())[0].id
    claim = queue.claim("one")
    assert claim is not None
    plan = replace(make_plan(JobSpec(nodes=[Node(id="sum", stage="sum")])), name=job)
    task, write = Task(node="sum", phase="split"), database.write
    store.begin(plan, token=claim.token)
    before = len(history.events(job))
    monkeypatch.setattr(database, "write", lambda work: (write(work), write(work))[1])
    with store.batch(job) as batch:
        batch.lease(task, claim.token, 0)
        batch.event("one")
    with store.batch(job) as batch:
        batch.close(task, claim.token, "done", number=1, wall_ms=5)
        batch.event("two")
        batch.job_state = "done"
    assert [event.type for event in history.events(job)[before:]] == ["one", "two"]
    assert [event.seq for event in batch.events] == [history.events(job)[-1].seq]
    assert (store.states(job), queue.get(job).state) == ({task.name: "done"}, "done")
    assert [cost.tries for cost in history.costs(job)] == [1]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_scheduler_lives_through_a_restart_of_its_database(
    database: Database, tmp_path: Path, postgres: Any
) -> None:
    queue, history = JobQueue(database), History(database)
    job = queue.submit(order(n=30, sleep_ms=30))[0].id
    with serving(database, tmp_path / "work", executor=InlineExecutor()):

        def done() -> int:
            return sum(event.type == "chunk-done" for event in history.events(job))

        for enough in (3, 12):
            until(lambda enough=enough: done() > enough)
            postgres.stop()
            time.sleep(0.3)
            postgres.start()
        until(lambda: queue.get(job).state == "done")
    assert_nothing_done_twice(history, job, 30)


def test_a_scheduler_drops_a_job_that_another_took(database: Database, tmp_path: Path) -> None:
    queue, history = JobQueue(database), History(database)
    job = queue.submit(order(n=40, sleep_ms=50))[0].id
    with serving(database, tmp_path / "work", lease_s=1.0, executor=InlineExecutor()) as service:
        until(lambda: any(event.type == "chunk-done" for event in history.events(job)))
        stolen: list[Claim] = []

        def steal() -> bool:  # a heartbeat may come between
            queue.orphan()
            stolen.extend(filter(None, [queue.claim("thief", 600)]))
            return bool(stolen)

        until(steal)
        until(lambda: not service.held)
        told = len(history.events(job, limit=10_000))
        time.sleep(0.3)
        assert len(history.events(job, limit=10_000)) == told
        assert queue.release(stolen[0])
        until(lambda: queue.get(job).state == "done")
    assert_nothing_done_twice(history, job, 40)


def test_an_sqlite_store_has_one_scheduler(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with serving(database, tmp_path), pytest.raises(StoreBusy, match="in use by process"):
        SchedulerService(database, tmp_path)
    SchedulerService(database, tmp_path)
    database.close()


def test_commands_leave_a_submitted_job_to_its_scheduler(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    job = queue.submit(order(n=2))[0].id

    def said(*words: str) -> str:
        done = CliRunner().invoke(cli, [*words, job[:16], "-w", str(tmp_path)])
        assert done.exit_code == 0, done.output
        return done.output

    assert said("cancel", "--pause") == f"job {job} is paused\n"
    assert said("resume") == f"job {job} is queued\n"
    assert said("cancel") == f"job {job} is cancelled\n"
    assert said("retry") == f"job {job} is queued\n"
    assert queue.claim("s") is not None
    assert said("cancel") == f"job {job} is running, asked to cancel\n"
    queue.close()


class Fleet:
    """`cinemill scheduler` processes on one store; what they say is in `log`."""

    def __init__(self, url: str, folder: Path, toys: str, size: int, executor: str) -> None:
        self._argv = [
            sys.executable,
            "-m",
            "pipelines.cli.main",
            "scheduler",
            "--store",
            url,
            "--lease-s",
            "1.5",
        ]
        self._argv += ["-w", str(folder / "work"), "--workers", "2", "--executor", executor, "--jobs", "3"]
        self._env = os.environ | {"PYTHONPATH": toys}
        self.log = folder / "schedulers.log"
        self.members = [self._start() for _ in range(size)]

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(self._argv, env=self._env, stdout=log, stderr=log, start_new_session=True)

    def kill(self, place: int) -> None:
        """SIGKILL one, and start another in its place."""
        self.members[place].kill()
        self.members[place].wait()
        self.members[place] = self._start()

    def close(self) -> None:
        """Ask all to end; every one does, in good order unless it had not yet begun."""
        for member in self.members:
            member.send_signal(signal.SIGCONT)
            member.terminate()
        for member in self.members:
            assert member.wait(30) in (0, -signal.SIGTERM), self.log.read_text()


@pytest.fixture
def fleet(store_url: str, tmp_path: Path, installed_toys: str) -> Iterator[Callable[..., Fleet]]:
    """Starts schedulers on the store."""
    made: list[Fleet] = []

    def start(size: int, executor: str = "inline") -> Fleet:
        made.append(Fleet(store_url, tmp_path, installed_toys, size, executor))
        return made[-1]

    yield start
    for each in made:
        for member in each.members:
            member.kill()
            member.wait()


@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_killed_schedulers_lose_no_job_and_do_none_twice(
    kills: int, fleet: Callable[..., Fleet], database: Database
) -> None:
    queue, history, dice = JobQueue(database), History(database), random.Random(kills)
    ids: list[str] = []

    def submitted(place: int) -> tuple[str, bool]:
        job, made = queue.submit(order(n=8, sleep_ms=60 + place), key=f"k{place}")
        return job.id, made

    def done() -> int:
        return queue.counts().get(("default", "done"), 0)

    schedulers = fleet(
        1 if database.dialect == "sqlite" else min(kills, 3), "local" if kills > 2 else "inline"
    )
    for _ in range(kills):
        while len(ids) < done() + 6:  # there is always work, however long it takes to kill
            ids.append(submitted(len(ids))[0])
        until(lambda: queue.counts().get(("default", "running")))
        time.sleep(dice.uniform(0.05, 1.2))
        schedulers.kill(dice.randrange(len(schedulers.members)))
        again = [submitted(place)[1] for place in range(len(ids))]
        assert not any(again), f"a key made a second job ({done()} done)"
    until(lambda: queue.counts() == {("default", "done"): len(ids)}, 120)
    schedulers.close()
    for job in ids:
        assert_nothing_done_twice(history, job, 8)
    everything = history.events(limit=1_000_000)
    assert [event.seq for event in everything] == list(range(1, len(everything) + 1))


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_frozen_scheduler_is_fenced_off(fleet: Callable[..., Fleet], database: Database) -> None:
    """SIGSTOP until its lease is over; then another has its job, and what it wants to commit when it wakes is refused."""
    queue, history = JobQueue(database), History(database)
    job = queue.submit(order(n=40, sleep_ms=150))[0].id
    schedulers = fleet(2)
    until(lambda: any(event.type == "chunk-done" for event in history.events(job)))
    holder = queue.get(job).holder
    frozen = next(member for member in schedulers.members if holder.endswith(f"/{member.pid}"))
    frozen.send_signal(signal.SIGSTOP)
    assert queue.get(job).state == "running", "it was done before anything could be frozen"
    assert [member.poll() for member in schedulers.members] == [None, None], schedulers.log.read_text()
    until(lambda: queue.get(job).holder not in ("", holder))
    frozen.send_signal(signal.SIGCONT)
    until(lambda: "nothing more of it is done here" in schedulers.log.read_text(), 60)
    until(lambda: queue.get(job).state == "done", 60)
    schedulers.close()
    claims = [event for event in history.events(job, limit=10_000) if event.type == "job-claimed"]
    assert len(claims) == 2
    assert_nothing_done_twice(history, job, 40)
