"""State of jobs in SQL: events as the truth, leases with fencing tokens, memo of finished tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.errors import LeaseLost, StateUnusable, StoreBusy
from archer.events import Event
from archer.plan import Plan
from archer.store.artifacts import full_disk_named
from archer.store.batch import Batch
from archer.store.database import Database, now_ms
from archer.store.lock import FolderLock
from archer.store.migrations import prepare
from archer.store.numbers import TICKETS, hold, take
from archer.store.queue import left_by
from archer.store.schema import events, jobs, memo, nodes, tallies, tasks
from archer.store.statements import Statements
from archer.store.tallies import LEASED, lost_rows, states_before, tally_rows
from archer.store.transitions import OVER
from archer.wire import outputs_from_json

Result = TypeVar("Result")
KEYS_AT_ONCE = 500
MARK = "store"
"""File in a work folder whose jobs are in a database elsewhere; names it."""


@dataclass(slots=True)
class Fence:
    """What a claimed job is held by: its token, and how many transactions were committed under it."""

    token: int
    commits: int = 0


class JobStore:
    """The job state of a work folder (`archer.db`, one process at a time), or of a database that schedulers share.

    One thread uses it. A commit survives any kill of this process. A power cut may lose the last ones of SQLite, which then are
    computed again.

    Args:
        root: the work folder; made where it is missing.
        database: where the state is, if not in the folder. Nothing is locked then: jobs are run under claims of `JobQueue`.

    Attributes:
        next_token: greater than every fencing token given so far; the first of `TICKETS` that are its own. 0 with a database.

    Raises:
        StoreBusy: another process has the folder open.
        StoreTooNew: a newer version wrote it.
        StateUnusable: the folder belongs to a database that was not named.
        DiskFull: no space is left.
    """

    def __init__(self, root: Path, database: Database | None = None) -> None:
        self.root = Path(root)
        self._fences: dict[str, Fence] = {}
        self.next_token = 0
        with full_disk_named(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            _belongs(self.root, database)
            self._lock = FolderLock(self.root) if database is None else None
        self._db = database or Database(self.root)
        try:
            prepare(self._db)
            if database is None:
                self.next_token = self._db.write(lambda connection: take(connection, "token", TICKETS))
        except BaseException:
            self._release()
            raise
        self._statements = Statements(self._db.engine.dialect)

    def close(self) -> None:
        """Let others open the folder."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._db.close()
            self._lock.release()

    def begin(self, plan: Plan, spec: str = "", *, token: int = 0) -> int:
        """Keep that a job runs (again); returns how many times it did, this one included.

        Args:
            plan: the job.
            spec: what was asked for, from which it can be resumed; see `archer.spec`.
            token: of the claim under which it runs; every transaction of the run then asks for it. 0 for a job of the folder.

        Raises:
            LeaseLost: another one has the claim.
        """
        if token:
            self._fences[plan.job] = Fence(token)
        return self._db.write(lambda connection: self._begin(connection, plan, spec))

    def _begin(self, connection: sa.Connection, plan: Plan, spec: str) -> int:
        now, fence = now_ms(), self._fences.get(plan.job)
        known = sa.select(jobs.c.runs, jobs.c.begun_ms).where(jobs.c.id == plan.job)
        if fence is not None:
            known = known.where(jobs.c.token == fence.token).with_for_update()
        row = connection.execute(known).one_or_none()
        if row is None and fence is not None:
            raise LeaseLost([plan.job])
        runs = 1 + (row.runs if row else 0)
        values = {"state": "running", "runs": runs, "ended_ms": None, "spec": spec}
        values["begun_ms"] = row.begun_ms if row and row.begun_ms else now
        if row is None:
            connection.execute(jobs.insert().values({"id": plan.job, **values}))
        else:
            connection.execute(jobs.update().where(jobs.c.id == plan.job).values(values))
        nodes_of = [_node_row(plan, place) for place in range(len(plan.nodes))]
        self._statements.many(connection, self._statements.node, nodes_of)
        self._void_leases(connection, plan.job, now)
        return runs

    @contextmanager
    def batch(self, job: str) -> Iterator[Batch]:
        """Changes that become durable together when the block ends, or not at all.

        Raises:
            LeaseLost: a result was among them whose lease went to another, or the job did; nothing was changed.
            DiskFull: no space is left.
        """
        collected = Batch(job, now_ms())
        yield collected
        if collected.empty:
            return
        self._db.write(lambda connection: self._write(connection, collected))
        if (fence := self._fences.get(job)) is not None:
            fence.commits += 1

    def interrupt(self, job: str) -> Event:
        """Keep that nothing of a job runs any more, whatever the last transactions came to; returns the event.

        A claimed job goes back into the queue, unless it was asked to be somewhere else.

        Raises:
            LeaseLost: another one has the claim.
        """
        fence, collected = self._fences.get(job), Batch(job, now_ms())

        def work(connection: sa.Connection) -> Event:
            values: dict[str, Any] = {"state": "interrupted", "ended_ms": collected.now_ms}
            if fence is not None:
                values = left_by(connection, job, fence.token)
            self._void_leases(connection, job, collected.now_ms)
            connection.execute(jobs.update().where(jobs.c.id == job).values(values))
            collected.clear_events()
            collected.event(f"job-{values['state']}")
            self._add_events(connection, collected)
            return collected.events[0]

        return self._db.write(work)

    def forget(self, job: str) -> None:
        """A claimed job is no longer this process's."""
        self._fences.pop(job, None)

    def surgery(self, work: Callable[[sa.Connection], Result], *, keep: bool) -> Result:
        """Do the work of whoever tidies up, in a transaction that is undone at its end unless it is to be kept.

        Raises:
            StoreBusy: jobs of a shared database run; while the work is done, none is begun.
        """

        def alone(connection: sa.Connection) -> Result:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            hold(connection, "token")
            running = sa.select(jobs.c.holder).where(
                jobs.c.until_ms > self._db.now_ms(connection), jobs.c.holder != ""
            )
            if (holder := connection.execute(running.limit(1)).scalar()) is not None:
                raise StoreBusy(self._db.place, str(holder))
            found = work(connection)
            if not keep:
                connection.rollback()
            return found

        return self._db.write(alone)

    def recall(self, keys: Sequence[str]) -> dict[str, dict[str, Artifact]]:
        """Outputs of finished tasks by memo key, for those of `keys` that are known."""
        found: dict[str, dict[str, Artifact]] = {}
        for start in range(0, len(keys), KEYS_AT_ONCE):
            wanted = list(keys[start : start + KEYS_AT_ONCE])
            for row in self._read(sa.select(memo).where(memo.c.key.in_(wanted))):
                found[row.key] = outputs_from_json(json.loads(row.outputs))
        return found

    def paces(self, plan: Plan) -> dict[str, float]:
        """Node -> seconds per unit of weight that its stage took so far, of equal settings where there are any."""
        spent, weight = sa.func.sum(tallies.c.wall_ms), sa.func.sum(tallies.c.weight)
        found = {}
        for node in plan.nodes:
            same = (nodes.c.identity == node.identity, nodes.c.stage == node.stage.name)
            for wanted in same:
                query = (
                    sa.select(spent, weight)
                    .select_from(nodes)
                    .join(tallies, (tallies.c.job == nodes.c.job) & (tallies.c.node == nodes.c.node))
                    .where(wanted, tallies.c.counts == "try")
                    .where(tallies.c.phase == "map", tallies.c.state == "done")
                )
                taken_ms, units = self._read(query)[0]
                if taken_ms and units:
                    found[node.id] = taken_ms / units / 1000
                    break
        return found

    def history(self, job: str, after: int = 0) -> list[Event]:
        """Stored events of a job behind place `after`, in order."""
        query = sa.select(events).where(events.c.job == job, events.c.seq > after).order_by(events.c.seq)
        plain = ("seq", "job", "type", "node", "item", "attempt")
        return [
            Event(payload=json.loads(row.payload), **{name: getattr(row, name) for name in plain})
            for row in self._read(query)
        ]

    def states(self, job: str) -> dict[str, str]:
        """State of every task of a job by name."""
        query = sa.select(tasks.c.name, tasks.c.state).where(tasks.c.job == job)
        return {row.name: row.state for row in self._read(query)}

    def job_state(self, job: str) -> str | None:
        """State of a job; None where it is not known here."""
        rows = self._read(sa.select(jobs.c.state).where(jobs.c.id == job))
        return str(rows[0].state) if rows else None

    def _void_leases(self, connection: sa.Connection, job: str, now: int) -> None:
        """What was leased when the scheduler died is pending again; its holders died too."""
        held = (tasks.c.job == job) & (tasks.c.state == LEASED)
        columns = [tasks.c[name] for name in ("name", "node", "phase", "token", "copy_token", "worker")]
        rows = connection.execute(sa.select(*columns).where(held)).all()
        if not rows:
            return
        lost = {"job": job, "number": 0, "state": "lost", "ended_ms": now, "wall_ms": 0, "cpu_ms": 0}
        lost |= {"error": "", "log": ""}
        tries = [(row, token) for row in rows for token in {row.token, row.copy_token or row.token}]
        values = [
            {**lost, "name": row.name, "token": token, "worker": row.worker if token == row.token else ""}
            for row, token in tries
        ]
        self._statements.many(connection, self._statements.attempt, values)
        connection.execute(tasks.update().where(held).values(state="pending", until_ms=0, copy_token=0))
        places = [(row.node, row.phase) for row in rows], [(row.node, row.phase) for row, _ in tries]
        self._statements.many(connection, self._statements.tally, lost_rows(job, *places))

    def _read(self, query: Any) -> Sequence[Any]:
        return self._db.read(lambda connection: connection.execute(query).all())

    def _write(self, connection: sa.Connection, batch: Batch) -> None:
        """Order matters: the claim is checked, rows are made, closed, then leased again; events come last (`numbers`)."""
        if not self._fenced(connection, batch):
            return
        sql, many = self._statements, self._statements.many
        before = states_before(connection, sql, batch)
        for statement, rows in ((sql.plan, batch.planned), (sql.settle, batch.settled)):
            many(connection, statement, rows)
        if many(connection, sql.close, batch.closed) != len(batch.closed):
            raise LeaseLost([row["old_name"] for row in batch.closed])
        for statement, rows in (
            (sql.lease, batch.leased),
            (sql.copy, batch.copied),
            (sql.renew, batch.renewed),
            (sql.place, batch.placed),
            (sql.attempt, batch.attempts),
            (
                sql.remember,
                sorted(batch.remembered, key=_memo_key),
            ),  # in one order for all, so that none waits in a circle
            (sql.touch, sorted(batch.touched, key=_touched_key)),
            (sql.card, batch.cards),
            (sql.node_state, batch.nodes),
            (sql.tally, tally_rows(batch, before)),
        ):
            many(connection, statement, rows)
        if batch.job_state:
            values: dict[str, Any] = {"state": batch.job_state, "ended_ms": None}
            if batch.job_state in OVER:
                values |= {"ended_ms": batch.now_ms, "holder": "", "until_ms": 0, "wanted": ""}
            connection.execute(jobs.update().where(jobs.c.id == batch.job).values(values))
        self._add_events(connection, batch)

    def _fenced(self, connection: sa.Connection, batch: Batch) -> bool:
        """Ask for the claim, and keep it until the end of the transaction; False where it was committed by an earlier try.

        Raises:
            LeaseLost: another one has it.
        """
        fence = self._fences.get(batch.job)
        if fence is None:
            return True
        own = {"old_job": batch.job, "old_token": fence.token, "old_commits": fence.commits}
        if self._statements.many(connection, self._statements.fence, [own]) == 1:
            return True
        query = sa.select(jobs.c.token, jobs.c.commits).where(jobs.c.id == batch.job)
        row = connection.execute(query).one_or_none()
        if row is None or (row.token, row.commits) != (fence.token, fence.commits + 1):
            raise LeaseLost([batch.job])
        greatest = sa.select(sa.func.max(events.c.seq)).where(events.c.job == batch.job)
        batch.number((connection.execute(greatest).scalar() or 0) - batch.told + 1)
        return False

    def _add_events(self, connection: sa.Connection, batch: Batch) -> None:
        if batch.told:
            batch.number(take(connection, "event", batch.told))
            self._statements.many(connection, self._statements.event, batch.event_rows)


def _belongs(root: Path, database: Database | None) -> None:
    """Keep which database says what a folder's artifacts are for, so that nobody takes them for garbage."""
    mark = root / MARK
    if database is None:
        if mark.is_file():
            problem = f"its jobs are in {mark.read_text().strip()}, which was not named"
            raise StateUnusable(str(root), problem)
    elif database.dialect != "sqlite":
        mark.write_text(f"{database.place}\n")


def _memo_key(row: Mapping[str, Any]) -> str:
    return str(row["key"])


def _touched_key(row: Mapping[str, Any]) -> str:
    return str(row["old_key"])


def _node_row(plan: Plan, place: int) -> Mapping[str, Any]:
    node = plan.nodes[place]
    return {
        "job": plan.job,
        "node": node.id,
        "place": place,
        "stage": node.stage.name,
        "version": node.stage.version,
        "state": "waiting",
        "items": 0,
        "weight": 0,
        "outputs": "{}",
        "identity": node.identity,
    }
