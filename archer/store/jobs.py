"""State of jobs in SQL: events as the truth, leases with fencing tokens, memo of finished tasks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.errors import DiskFull, LeaseLost, StateDamaged, StateUnusable
from archer.events import Event
from archer.plan import Plan
from archer.store.artifacts import full_disk_named
from archer.store.batch import Batch
from archer.store.lock import FolderLock
from archer.store.migrations import migrate
from archer.store.schema import attempts, events, jobs, memo, nodes, tallies, tasks
from archer.store.statements import Statements
from archer.store.tallies import LEASED, lost_rows, states_before, tally_rows
from archer.wire import outputs_from_json

FILE = "archer.db"
KEYS_AT_ONCE = 500


class JobStore:
    """The job state of one work folder, in `archer.db` (SQLite, WAL). One process at a time; one thread uses it.

    A commit survives any kill of this process. A power cut may lose the last ones, which then are computed again.

    Args:
        root: the work folder; made where it is missing.

    Attributes:
        next_token: greater than every fencing token given so far.

    Raises:
        StoreBusy: another process has it open.
        StoreTooNew: a newer version wrote it.
        DiskFull: no space is left.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        with full_disk_named(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.root)
        try:
            self._engine = sa.create_engine(f"sqlite:///{self.root / FILE}", paramstyle="named")
            sa.event.listen(self._engine, "connect", _configure)
            self._statements = Statements(self._engine.dialect)
            with self._translated():
                self._connection = self._engine.connect()
                self._create()
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let others open the folder."""
        self._connection.close()
        self._engine.dispose()
        self._lock.release()

    def begin(self, plan: Plan, spec: str = "") -> int:
        """Keep that a job runs (again); returns how many times it did, this one included.

        Args:
            plan: the job.
            spec: what was asked for, from which it can be resumed; see `archer.spec`.
        """
        now = now_ms()
        with self._transaction():
            runs = self._connection.execute(sa.select(jobs.c.runs).where(jobs.c.id == plan.job)).scalar() or 0
            if runs:
                change = jobs.update().where(jobs.c.id == plan.job)
                self._connection.execute(
                    change.values(state="running", runs=runs + 1, ended_ms=None, spec=spec)
                )
            else:
                row = {"id": plan.job, "state": "running", "runs": 1, "begun_ms": now, "spec": spec}
                self._connection.execute(jobs.insert().values(row))
            rows = [_node_row(plan, place) for place in range(len(plan.nodes))]
            self._many(self._statements.node, rows)
            self._void_leases(plan.job, now)
        return runs + 1

    @contextmanager
    def batch(self, job: str) -> Iterator[Batch]:
        """Changes that become durable together when the block ends, or not at all.

        Raises:
            LeaseLost: a result was among them whose lease went to another; nothing was changed.
            DiskFull: no space is left.
        """
        collected = Batch(job, now_ms(), self._next_seq)
        yield collected
        if collected.empty:
            return
        with self._transaction():
            self._write(collected)
        self._next_seq += len(collected.events)

    def interrupt(self, job: str) -> Event:
        """Keep that nothing of a job runs any more, whatever the last transactions came to; returns the event."""
        now = now_ms()
        with self._transaction():
            self._next_seq = 1 + self._greatest(events.c.seq)
            self._void_leases(job, now)
            change = jobs.update().where(jobs.c.id == job)
            self._connection.execute(change.values(state="interrupted", ended_ms=now))
            collected = Batch(job, now, self._next_seq)
            collected.event("job-interrupted")
            self._many(self._statements.event, collected.event_rows)
        self._next_seq += 1
        return collected.events[0]

    @contextmanager
    def surgery(self, *, keep: bool) -> Iterator[Any]:
        """A transaction for whoever tidies up; undone at its end unless it is to be kept."""
        with self._translated(), self._connection.begin() as transaction:
            yield self._connection
            if not keep:
                transaction.rollback()

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

    def _create(self) -> None:
        with self._transaction():
            if self._engine.dialect.name == "sqlite":
                self._connection.execute(
                    sa.text("BEGIN IMMEDIATE")
                )  # else its driver commits each DDL by itself
            migrate(self._connection, str(self.root))
            self.next_token = 1 + max(self._greatest(attempts.c.token), *self._held_tokens())
            self._next_seq = 1 + self._greatest(events.c.seq)

    def _greatest(self, column: Any) -> int:
        """The greatest value of a column that has an index."""
        return self._connection.execute(sa.select(sa.func.max(column))).scalar() or 0

    def _held_tokens(self) -> tuple[int, int]:
        """The greatest tokens of tries that have not ended; all others are in `attempts`."""
        query = sa.select(sa.func.max(tasks.c.token), sa.func.max(tasks.c.copy_token))
        held = query.where(tasks.c.job.in_(sa.select(jobs.c.id)), tasks.c.state == LEASED)
        token, copy_token = self._connection.execute(held).one()
        return token or 0, copy_token or 0

    def _void_leases(self, job: str, now: int) -> None:
        """What was leased when the scheduler died is pending again; its holders died too."""
        held = (tasks.c.job == job) & (tasks.c.state == LEASED)
        columns = (tasks.c.name, tasks.c.node, tasks.c.phase, tasks.c.token, tasks.c.copy_token)
        rows = self._connection.execute(sa.select(*columns).where(held)).all()
        if not rows:
            return
        lost = {"job": job, "number": 0, "state": "lost", "ended_ms": now, "wall_ms": 0, "cpu_ms": 0}
        lost |= {"error": "", "log": ""}
        tries = [(row, token) for row in rows for token in {row.token, row.copy_token or row.token}]
        values = [{**lost, "name": row.name, "token": token} for row, token in tries]
        self._many(self._statements.attempt, values)
        self._connection.execute(tasks.update().where(held).values(state="pending", until_ms=0, copy_token=0))
        places = [(row.node, row.phase) for row in rows], [(row.node, row.phase) for row, _ in tries]
        self._many(self._statements.tally, lost_rows(job, *places))

    def _read(self, query: Any) -> Sequence[Any]:
        with self._transaction():
            return self._connection.execute(query).all()

    def _write(self, batch: Batch) -> None:
        """Order matters: rows are made, closed, then leased again."""
        sql, many = self._statements, self._many
        before = states_before(self._connection, sql, batch)
        for statement, rows in ((sql.plan, batch.planned), (sql.settle, batch.settled)):
            many(statement, rows)
        if many(sql.close, batch.closed) != len(batch.closed):
            raise LeaseLost([row["old_name"] for row in batch.closed])
        for statement, rows in (
            (sql.lease, batch.leased),
            (sql.copy, batch.copied),
            (sql.renew, batch.renewed),
            (sql.attempt, batch.attempts),
            (sql.remember, batch.remembered),
            (sql.touch, batch.touched),
            (sql.card, batch.cards),
            (sql.node_state, batch.nodes),
            (sql.event, batch.event_rows),
            (sql.tally, tally_rows(batch, before)),
        ):
            many(statement, rows)
        if batch.job_state:
            change = jobs.update().where(jobs.c.id == batch.job)
            ended = None if batch.job_state in ("running", "paused") else batch.now_ms
            self._connection.execute(change.values(state=batch.job_state, ended_ms=ended))

    def _many(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement for each row; returns how many rows of its table it changed."""
        if not rows:
            return 0
        return int(self._connection.exec_driver_sql(statement, list(rows)).rowcount)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated(), self._connection.begin():
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DatabaseError as error:
            text = str(error.orig)
            if "disk is full" in text or "disk I/O error" in text:
                raise DiskFull(str(self.root)) from error
            if "malformed" in text or "not a database" in text:
                raise StateDamaged(str(self.root / FILE)) from error
            raise StateUnusable(str(self.root / FILE), text) from error


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


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


def _configure(connection: Any, _record: Any) -> None:
    """Make readers never wait for the writer (WAL), and commits survive any kill (NORMAL)."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")
