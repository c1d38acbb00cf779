"""The queue of submitted jobs: what is asked, who has it, what others want of it. Any number of processes use it at once.

    from archer.store import JobQueue

    queue = JobQueue("postgresql://cinemill@db/cinemill")
    row, created = queue.submit('{"job": "encode", "input": "s3://in/title.mov"}', key="order-17", owner="anna")
    queue.request(row.id, "cancel")

A submitted job is a row of `jobs` from the beginning, so what its scheduler commits later (tasks, events, its end) is about
the same id, and one stream of events tells all of it, in which nothing appears behind what was read (`archer.store.numbers`).

A scheduler takes a job by `claim`: a lease of some seconds, renewed by heartbeats, with a fencing token that is greater than all
before. Every transaction of a run asks for its token; who lost the lease can commit nothing (`JobStore`).

Servers use `submit`, `get`, `page`, `request`, `counts`, `queues` and `set_queue`; schedulers use `claim`, `renew`,
`requests_for`, `obeyed` and `release`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archer.errors import IdempotencyConflict, LeaseLost, UnknownJob
from archer.store.database import Database, now_ms
from archer.store.history import PAGE, JobRow
from archer.store.migrations import prepare
from archer.store.numbers import TICKETS, add_events, hold, take
from archer.store.schema import jobs, queues
from archer.store.transitions import OVER, change_for

LEASE_S = 15.0
HELD = ("running", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in a scheduler's hands.

    Attributes:
        job: as it was when it was claimed.
        token: fences it; the first of `TICKETS` tickets that its run may give.
        scheduler: who has it. lease_s: for how long without a renewal.
    """

    job: JobRow
    token: int
    scheduler: str
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """A queue: jobs of it that run at once at most (None for any number), and whether nothing of it is begun."""

    name: str
    most: int | None = None
    paused: bool = False


class JobQueue:
    """Submitted jobs of one store. Any number of threads, processes and machines use it at once.

    Args:
        store: URL of the database, path of a work folder, or an open `Database`, which then stays open.

    Raises:
        StoreUnreachable, StateUnusable, StoreTooNew: it cannot be used.
    """

    def __init__(self, store: str | Path | Database) -> None:
        self._owned = not isinstance(store, Database)
        self._db = store if isinstance(store, Database) else Database(store)
        prepare(self._db)

    def close(self) -> None:
        """Close its connections, if it made them."""
        if self._owned:
            self._db.close()

    # For those who submit and watch.

    def submit(
        self,
        request: str,
        *,
        key: str | None = None,
        owner: str = "",
        queue: str = "default",
        priority: int = 0,
        deadline_ms: int | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> tuple[JobRow, bool]:
        """Put a job into the queue; returns it, and False where the key has put it there before.

        Args:
            request: JSON document; see `archer.templates`. It is not checked here.
            key: makes that the same order is one job, however often it is sent; of its owner.
            owner: who asks.
            queue: whose limit it counts against.
            priority: greater goes first. deadline_ms: the earliest goes first among equals; milliseconds since 1970.
            notes: JSON object of the caller's own, kept with the job.

        Raises:
            IdempotencyConflict: the key stands for another order.
        """
        terms = {"queue": queue, "priority": priority, "deadline_ms": deadline_ms}
        row = {**terms, "request": request, "notes": json.dumps(dict(notes or {}), sort_keys=True)}
        row["body"] = sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
        row |= {"owner": owner, "submit_key": key}
        try:
            return self._db.write(lambda connection: _submit(connection, row))
        except sa.exc.IntegrityError:  # another one came with the key meanwhile: now it is there
            return self._db.write(lambda connection: _submit(connection, row))

    def get(self, job: str) -> JobRow:
        """A submitted job. Raises UnknownJob."""
        return self._db.read(lambda connection: _get(connection, job))

    def page(
        self,
        after: str = "",
        limit: int = PAGE,
        *,
        state: str | None = None,
        owner: str | None = None,
        queue: str | None = None,
        reach: Sequence[str] | None = None,
    ) -> list[JobRow]:
        """Submitted jobs, the latest first, behind the id `after`; ids are in the order of submission, to the millisecond.

        `reach` are the owners whose jobs may be seen; None for everybody's.
        """
        query = sa.select(jobs).where(jobs.c.submitted_ms > 0, *_within(reach))
        for column, wanted in ((jobs.c.state, state), (jobs.c.owner, owner), (jobs.c.queue, queue)):
            query = query if wanted is None else query.where(column == wanted)
        query = query.where(jobs.c.id < after) if after else query
        query = query.order_by(jobs.c.id.desc()).limit(limit)
        return [JobRow.of(row) for row in self._db.read(lambda connection: connection.execute(query).all())]

    def request(self, job: str, action: str) -> JobRow:
        """Ask for `cancel`, `pause`, `resume` or `retry`; returns the job after it.

        What nobody holds changes at once, what a scheduler holds within its next look (`JobRow.wanted` until then).

        Raises:
            UnknownJob: there is none. IllegalTransition: it cannot do that from where it stands.
        """

        def work(connection: sa.Connection) -> JobRow:
            row = _get(connection, job, lock=True)
            held = bool(row.holder) and row.until_ms > self._db.now_ms(connection)
            change = change_for(job, row.state, action, held=held, wanted=row.wanted)
            values: dict[str, Any] = {} if change.wanted is None else {"wanted": change.wanted}
            if change.state is not None:
                values |= _put(change.state)
                connection.execute(_of(job).values(values))
                _tell(connection, job, f"job-{change.state}", {"asked": action})
            elif change.wanted and change.wanted != row.wanted:
                connection.execute(_of(job).values(values))
                _tell(connection, job, "job-asked", {"asked": action})
            return _get(connection, job)

        return self._db.write(work)

    def counts(self, reach: Sequence[str] | None = None) -> dict[tuple[str, str], int]:
        """(queue, state) -> number of submitted jobs, of some owners or of all."""
        query = sa.select(jobs.c.queue, jobs.c.state, sa.func.count())
        query = query.where(jobs.c.submitted_ms > 0, *_within(reach))
        query = query.group_by(jobs.c.queue, jobs.c.state)
        rows = self._db.read(lambda connection: connection.execute(query).all())
        return {(str(queue), str(state)): int(number) for queue, state, number in rows}

    def owners(self, wanted: Sequence[str]) -> dict[str, str]:
        """Job -> its owner, of those that are known; at most some hundred at once."""
        query = sa.select(jobs.c.id, jobs.c.owner).where(jobs.c.id.in_(list(wanted)))
        rows = self._db.read(lambda connection: connection.execute(query).all()) if wanted else []
        return {str(row.id): str(row.owner) for row in rows}

    def queues(self) -> list[QueueRow]:
        """Queues that have a limit or are paused; all others have none and run."""
        query = sa.select(queues).order_by(queues.c.name)
        rows = self._db.read(lambda connection: connection.execute(query).all())
        return [QueueRow(name=row.name, most=row.most, paused=bool(row.paused)) for row in rows]

    def set_queue(self, name: str, *, most: int | None = None, paused: bool = False) -> None:
        """Say how many jobs of a queue run at once, and whether any are begun; what runs is left to run."""

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(queues).where(queues.c.name == name))
            connection.execute(sa.insert(queues).values(name=name, most=most, paused=int(paused)))

        self._db.write(work)

    # For schedulers.

    def claim(
        self,
        scheduler: str,
        lease_s: float = LEASE_S,
        *,
        only: Sequence[str] = (),
        ahead_of: JobRow | None = None,
    ) -> Claim | None:
        """Take the next job: one that waits, or one whose scheduler went silent. None where there is none that may run.

        Greatest priority first, then earliest deadline, then as submitted; a queue that is paused or full is passed over.

        Args:
            scheduler: who asks. lease_s: how long it may be silent. only: queues to take from; all by default.
            ahead_of: take only what is more urgent than this one.
        """
        wanted = _wanted(only, ahead_of)
        if not self._db.read(lambda connection: _first(connection, self._db.now_ms(connection), wanted)):
            return None

        def work(connection: sa.Connection) -> Claim | None:
            hold(connection, "token")  # one claim at a time, else two could fill the last place of a queue
            now = self._db.now_ms(connection)
            job = _first(connection, now, wanted, lock=True)
            if job is None:
                return None
            token = take(connection, "token", TICKETS)
            values = {
                "holder": scheduler,
                "token": token,
                "until_ms": now + round(1000 * lease_s),
                "commits": 0,
            }
            connection.execute(_of(job).values(state="running", ended_ms=None, **values))
            _tell(connection, job, "job-claimed", {"scheduler": scheduler})
            return Claim(job=_get(connection, job), token=token, scheduler=scheduler, lease_s=lease_s)

        return self._db.write(work)

    def renew(self, *claims: Claim) -> None:
        """A sign of life: the leases run on from now.

        Raises:
            LeaseLost: names the jobs that another one has, or that are over; the others are renewed.
        """
        if not claims:
            return

        def work(connection: sa.Connection) -> list[str]:
            now, lost = self._db.now_ms(connection), []
            for claim in sorted(claims, key=lambda claim: claim.job.id):
                change = _held(claim).values(until_ms=now + round(1000 * claim.lease_s))
                if connection.execute(change).rowcount != 1:
                    lost.append(claim.job.id)
            return lost

        if lost := self._db.write(work):
            raise LeaseLost(lost)

    def requests_for(self, *claims: Claim) -> dict[str, str]:
        """Job -> what its holder is asked for: `cancel`, `pause` or `resume`; without those that are asked for nothing."""
        query = sa.select(jobs.c.id, jobs.c.wanted).where(
            jobs.c.id.in_([claim.job.id for claim in claims]), jobs.c.wanted != ""
        )
        rows = self._db.read(lambda connection: connection.execute(query).all()) if claims else []
        return {str(row.id): str(row.wanted) for row in rows}

    def obeyed(self, claim: Claim, action: str) -> None:
        """What was asked for is done; what was asked meanwhile stays asked."""
        change = _held(claim).where(jobs.c.wanted == action).values(wanted="")
        self._db.write(lambda connection: connection.execute(change))

    def orphan(self) -> None:
        """The caller is the only scheduler there is: whoever holds jobs is dead, and need not be waited for."""
        self._db.write(
            lambda connection: connection.execute(
                sa.update(jobs).where(jobs.c.holder != "").values(until_ms=0)
            )
        )

    def release(self, claim: Claim, state: str = "queued", *, failures: Iterable[str] = ()) -> bool:
        """Let go of a job: back into the queue, or to the state in which it ended; False where it was lost before.

        A run of `JobStore` that ends lets go by itself, in the transaction of its end.
        """
        payload = {"failures": list(failures)} if failures else {}

        def work(connection: sa.Connection) -> bool:
            try:
                values = left_by(connection, claim.job.id, claim.token, state)
            except LeaseLost:
                return False
            connection.execute(_of(claim.job.id).values(values))
            _tell(connection, claim.job.id, f"job-{values['state']}", payload)
            return True

        return self._db.write(work)


def new_id(at_ms: int) -> str:
    """An id of 32 hex digits: milliseconds since 1970, then 80 random bits; so ids are in the order of their times."""
    return f"{at_ms:012x}{secrets.token_hex(10)}"


def _within(reach: Sequence[str] | None) -> list[Any]:
    """Conditions of jobs of some owners."""
    return [] if reach is None else [jobs.c.owner.in_(list(reach))]


def _submit(connection: sa.Connection, row: Mapping[str, Any]) -> tuple[JobRow, bool]:
    known = _by_key(connection, row["owner"], row["submit_key"])
    if known is not None:
        if known.body != row["body"]:
            raise IdempotencyConflict(row["submit_key"], known.id)
        return known, False
    now = now_ms()
    fresh = {"id": new_id(now), "state": "queued", "runs": 0, "begun_ms": 0, "submitted_ms": now}
    connection.execute(sa.insert(jobs).values({**row, **fresh}))
    job = str(fresh["id"])
    _tell(connection, job, "job-submitted", {name: row[name] for name in ("queue", "priority", "owner")})
    return _get(connection, job), True


def left_by(connection: sa.Connection, job: str, token: int, state: str = "queued") -> dict[str, Any]:
    """Values of a job that its holder gives back; one that goes back into the queue is then what was asked of that holder.

    Raises:
        LeaseLost: another one has it.
    """
    held = sa.select(jobs.c.state, jobs.c.wanted).where(jobs.c.id == job, jobs.c.token == token)
    row = connection.execute(held.with_for_update()).one_or_none()
    if row is None:
        raise LeaseLost([job])
    left = _unheld(row.state, row.wanted) if state == "queued" else state
    return {**_put(left), "wanted": ""}


def _put(state: str) -> dict[str, Any]:
    """Values of a job that nobody holds any more: whoever held it is fenced off."""
    ended = now_ms() if state in OVER else None
    return {"state": state, "holder": "", "token": 0, "until_ms": 0, "ended_ms": ended}


def _of(job: str) -> Any:
    return sa.update(jobs).where(jobs.c.id == job)


def _held(claim: Claim) -> Any:
    """A change of the job of a claim, as long as it is held under it."""
    return _of(claim.job.id).where(jobs.c.token == claim.token)


def _unheld(state: str, wanted: str) -> str:
    """Where a job stands that its holder gives back: what was asked of that one is done so."""
    if wanted == "cancel":
        return "cancelled"
    return "paused" if wanted == "pause" or (state == "paused" and wanted != "resume") else "queued"


_ONE = sa.select(jobs).where(jobs.c.id == sa.bindparam("of"), jobs.c.submitted_ms > 0)


def _get(connection: sa.Connection, job: str, *, lock: bool = False) -> JobRow:
    row = connection.execute(_ONE.with_for_update() if lock else _ONE, {"of": job}).one_or_none()
    if row is None:
        raise UnknownJob(job)
    return JobRow.of(row)


def _by_key(connection: sa.Connection, owner: str, key: str | None) -> JobRow | None:
    if key is None:
        return None
    query = sa.select(jobs).where(jobs.c.owner == owner, jobs.c.submit_key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else JobRow.of(row)


def _wanted(only: Sequence[str], ahead_of: JobRow | None) -> list[Any]:
    """Conditions of jobs that may be claimed."""
    found: list[Any] = [jobs.c.queue.in_(list(only))] if only else []
    if ahead_of is not None:
        same, deadline = jobs.c.priority == ahead_of.priority, ahead_of.deadline_ms
        sooner = jobs.c.deadline_ms.is_not(None) if deadline is None else jobs.c.deadline_ms < deadline
        found.append((jobs.c.priority > ahead_of.priority) | (same & sooner))
    return found


def _first(connection: sa.Connection, now: int, wanted: Sequence[Any], *, lock: bool = False) -> str | None:
    """Id of the next job that may run."""
    silent = (jobs.c.state == "running") & (jobs.c.until_ms < now) & (jobs.c.submitted_ms > 0)
    query = sa.select(jobs.c.id).where((jobs.c.state == "queued") | silent, *wanted)
    if shut := _shut(connection, now):
        query = query.where(jobs.c.queue.not_in(shut))
    latest = sa.case((jobs.c.deadline_ms.is_(None), 1), else_=0)
    order = (jobs.c.priority.desc(), latest, jobs.c.deadline_ms, jobs.c.id)
    query = query.order_by(*order).limit(1)
    found = connection.execute(query.with_for_update(skip_locked=True) if lock else query).scalar()
    return None if found is None else str(found)


def _shut(connection: sa.Connection, now: int) -> list[str]:
    """Queues of which nothing may be begun now."""
    limits = connection.execute(sa.select(queues)).all()
    if not limits:
        return []
    running = (jobs.c.state == "running") & (jobs.c.until_ms >= now)
    query = sa.select(jobs.c.queue, sa.func.count()).where(running).group_by(jobs.c.queue)
    counts = {str(queue): int(number) for queue, number in connection.execute(query)}
    full = (row.name for row in limits if row.most is not None and counts.get(row.name, 0) >= row.most)
    return [*full, *(row.name for row in limits if row.paused)]


def _tell(connection: sa.Connection, job: str, kind: str, payload: Mapping[str, Any]) -> None:
    row = {"at_ms": now_ms(), "job": job, "type": kind, "node": "", "item": "", "attempt": 0}
    add_events(connection, [{**row, "payload": json.dumps(dict(payload), ensure_ascii=False)}])
