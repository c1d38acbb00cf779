"""The queue of submitted jobs: one order is one job, the next is the most urgent, a lease that is lost holds nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from archer.errors import IdempotencyConflict, IllegalTransition, LeaseLost, UnknownJob
from archer.store import History, JobQueue
from archer.store.database import Database
from archer.store.transitions import ACTIONS, OVER, STATES, change_for


@pytest.fixture
def queue(database: Database) -> JobQueue:
    return JobQueue(database)


def test_the_same_order_with_the_same_key_is_one_job(queue: JobQueue) -> None:
    first, created = queue.submit('{"job": "a"}', key="k", owner="anna", priority=2, notes={"hook": "x"})
    assert created
    again, created = queue.submit('{"job": "a"}', key="k", owner="anna", priority=2, notes={"hook": "x"})
    assert (again, created) == (first, False)
    with pytest.raises(IdempotencyConflict, match="use a new key"):
        queue.submit('{"job": "b"}', key="k", owner="anna", priority=2, notes={"hook": "x"})
    other, created = queue.submit('{"job": "b"}', key="k", owner="bert")
    assert created
    assert other.id > first.id
    assert (first.state, first.queue, first.priority, first.request) == (
        "queued",
        "default",
        2,
        '{"job": "a"}',
    )
    assert queue.submit("{}")[0].id != queue.submit("{}")[0].id


def test_many_submits_at_once_make_exactly_the_distinct_jobs(queue: JobQueue) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: queue.submit("{}", key=f"k{n % 10}"), range(80)))
    assert sum(created for _, created in made) == 10
    assert len({row.id for row, _ in made}) == 10
    assert queue.counts() == {("default", "queued"): 10}


def test_writers_of_many_processes_wait_for_each_other(database: Database) -> None:
    """Connections of their own, as processes have; SQLite has one writer at a time, and none is sent away."""
    JobQueue(database)
    others = [Database(database.engine.url.render_as_string(hide_password=False)) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: JobQueue(others[n % 6]).submit("{}", key=f"k{n}"), range(60)))
    assert JobQueue(database).counts() == {("default", "queued"): 60}
    for other in others:
        other.close()


def test_pages_hold_every_job_once_the_latest_first(queue: JobQueue) -> None:
    ids = [queue.submit("{}", owner="ab"[place % 2], queue="ef"[place % 2])[0].id for place in range(7)]
    seen: list[str] = []
    while page := queue.page(seen[-1] if seen else "", 3):
        seen += [row.id for row in page]
    assert seen == sorted(ids, reverse=True)
    assert [row.id for row in queue.page(owner="a")] == sorted(ids[::2], reverse=True)
    assert len(queue.page(queue="f", state="queued")) == 3
    assert queue.page(state="done") == []
    with pytest.raises(UnknownJob):
        queue.get("nothing")


def test_the_most_urgent_goes_first(queue: JobQueue) -> None:
    late = queue.submit("{}", deadline_ms=2000)[0].id
    never = queue.submit("{}")[0].id
    soon = queue.submit("{}", deadline_ms=1000)[0].id
    first = queue.submit("{}", priority=1)[0].id
    order = []
    while (claim := queue.claim("s")) is not None:
        order.append(claim.job.id)
    assert order == [first, soon, late, never]


def test_a_queue_that_is_full_or_paused_is_passed_over(queue: JobQueue) -> None:
    queue.set_queue("slow", most=1)
    queue.set_queue("shut", paused=True)
    for name in ("slow", "slow", "shut", "other"):
        queue.submit("{}", queue=name)
    claims = []
    while (claim := queue.claim("s")) is not None:
        claims.append(claim)
    assert [claim.job.queue for claim in claims] == ["slow", "other"]
    assert queue.release(claims[0], "done")
    follow = queue.claim("s", only=["slow", "shut"])
    assert follow is not None
    assert follow.job.queue == "slow"
    queue.set_queue("shut", paused=False)
    assert [(row.name, row.most, row.paused) for row in queue.queues()] == [
        ("shut", None, False),
        ("slow", 1, False),
    ]
    shut = queue.claim("s")
    assert shut is not None
    assert shut.job.queue == "shut"


def test_a_silent_scheduler_loses_its_job_to_the_next(queue: JobQueue) -> None:
    queue.submit("{}")
    first = queue.claim("one", lease_s=-1)
    second = queue.claim("two")
    assert first is not None
    assert second is not None
    assert (second.job.id, second.job.holder) == (first.job.id, "two")
    assert second.token > first.token
    with pytest.raises(LeaseLost):
        queue.renew(first)
    assert not queue.release(first)
    queue.obeyed(first, "cancel")
    queue.renew(second)
    assert queue.claim("three") is None
    assert queue.release(second)
    assert queue.get(first.job.id).state == "queued"


def test_a_renewed_lease_is_not_given_to_another(queue: JobQueue) -> None:
    queue.submit("{}")
    claim = queue.claim("one", lease_s=-1)
    assert claim is not None
    queue.renew(replace(claim, lease_s=60))
    assert queue.claim("two") is None


def test_what_is_asked_while_it_waits_is_done_at_once(queue: JobQueue) -> None:
    job = queue.submit("{}")[0].id
    assert queue.request(job, "pause").state == "paused"
    assert queue.claim("s") is None
    assert queue.request(job, "resume").state == "queued"
    assert queue.request(job, "cancel").state == "cancelled"
    assert queue.request(job, "cancel").ended_ms is not None
    with pytest.raises(IllegalTransition, match="is cancelled: it cannot pause"):
        queue.request(job, "pause")
    retried = queue.request(job, "retry")
    assert (retried.state, retried.ended_ms) == ("queued", None)


def test_what_is_asked_of_a_held_job_waits_for_its_holder(queue: JobQueue) -> None:
    job = queue.submit("{}")[0].id
    claim = queue.claim("s")
    assert claim is not None
    assert queue.request(job, "pause").wanted == "pause"
    assert queue.requests_for(claim) == {job: "pause"}
    queue.obeyed(claim, "cancel")
    assert queue.requests_for(claim) == {job: "pause"}, "that was not asked"
    queue.obeyed(claim, "pause")
    assert queue.requests_for(claim) == {}
    assert queue.request(job, "cancel").state == "running"
    assert queue.release(claim)
    row = queue.get(job)
    assert (row.state, row.wanted) == ("cancelled", ""), "it was asked for while the holder let go"


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_request_is_granted_or_refused_and_never_ignored(action: str, held: bool) -> None:
    for state in STATES if not held else ("running", "paused"):
        try:
            change = change_for("j", state, action, held=held)
        except IllegalTransition as error:
            assert (error.state, error.action) == (state, action)
            assert (action == "retry" and state not in OVER - {"done"}) or state in OVER
            continue
        asked = change.state or change.wanted or state
        reached = {"cancel": {"cancelled", "cancel"}, "pause": {"paused", "pause"}, "retry": {"queued"}}
        assert asked in reached.get(action, {"queued", "resume", "running"})
    assert change_for("j", "running", "cancel", held=True, wanted="cancel").wanted is None
    with pytest.raises(IllegalTransition, match="being cancelled"):
        change_for("j", "running", "resume", held=True, wanted="cancel")


def test_two_claimers_never_get_the_same_job(queue: JobQueue) -> None:
    for _ in range(30):
        queue.submit("{}")
    with ThreadPoolExecutor(6) as pool:

        def drain(name: str) -> list[str]:
            found = []
            while (claim := queue.claim(name)) is not None:
                found.append(claim.job.id)
            return found

        taken = [job for jobs in pool.map(drain, "abcdef") for job in jobs]
    assert len(taken) == len(set(taken)) == 30


def test_a_reader_by_place_never_misses_an_event(queue: JobQueue, database: Database) -> None:
    """Writers commit in any order; places become visible in theirs, without a gap."""
    history, seen, over = History(database), [0], threading.Event()

    def read() -> None:
        while not (over.is_set() and not history.events(after=seen[-1])):
            seen.extend(event.seq for event in history.events(after=seen[-1]))

    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: queue.request(queue.submit("{}")[0].id, "cancel"), range(60)))
    over.set()
    reader.join()
    assert seen == list(range(121))
