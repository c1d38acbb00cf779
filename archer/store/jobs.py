"""State of jobs in SQL: events as the truth, leases with fencing tokens, memo of finished tasks."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.errors import DiskFull, StoreBusy
from archer.events import Event
from archer.store.artifacts import full_disk_named, outputs_from_json, outputs_to_json

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("runs", sa.Integer, nullable=False, default=0),
)
tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("job", sa.String(64), nullable=False, index=True),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("item", sa.String(200), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)
memo = sa.Table(
    "memo",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("outputs", sa.Text, nullable=False),
)

LEASE_S = 60.0


class JobStore:
    """The job state of one work folder, in `archer.db` (SQLite, WAL). Only the scheduler's process writes it.

    Raises:
        StoreBusy: another process has it open.
        DiskFull: no space is left.
    """

    def __init__(self, root: Path) -> None:
        with full_disk_named(root):
            root.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(root)
        self._root = root
        self._engine = sa.create_engine(f"sqlite:///{root / 'archer.db'}")
        sa.event.listen(self._engine, "connect", _configure)
        with self._writing() as connection:
            metadata.create_all(connection)

    def close(self) -> None:
        """Let others open the folder."""
        self._engine.dispose()
        os.close(self._lock)

    def begin(self, job: str) -> int:
        """Note that a job runs (again); returns how many times it did, this one included."""
        with self._writing() as connection:
            known = connection.execute(sa.select(jobs.c.runs).where(jobs.c.id == job)).scalar()
            if known is None:
                connection.execute(jobs.insert().values(id=job, state="running", runs=1))
            else:
                connection.execute(jobs.update().where(jobs.c.id == job).values(state="running", runs=known + 1))
        return (known or 0) + 1

    def end(self, job: str, state: str, event: Event) -> Event:
        """Note how a job ended, with its last event, in one transaction."""
        with self._writing() as connection:
            connection.execute(jobs.update().where(jobs.c.id == job).values(state=state))
            return _insert(connection, event)

    def record(self, event: Event) -> Event:
        """Store an event; returned with its place in the order."""
        with self._writing() as connection:
            return _insert(connection, event)

    def recall(self, key: str) -> dict[str, Artifact] | None:
        """The outputs of a finished task of this memo key; None where there is none."""
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(memo.c.outputs).where(memo.c.key == key)).scalar()
        return None if found is None else outputs_from_json(json.loads(found))

    def lease(self, event: Event, name: str, key: str) -> tuple[int, Event]:
        """Give a task to a worker: a new fencing token makes every earlier holder's result unwelcome."""
        where = (tasks.c.job == event.job) & (tasks.c.name == name)
        with self._writing() as connection:
            token = (connection.execute(sa.select(tasks.c.token).where(where)).scalar() or 0) + 1
            row = {"key": key, "state": "leased", "token": token, "until": time.time() + LEASE_S}
            if token == 1:
                connection.execute(tasks.insert().values(job=event.job, name=name, **row))
            else:
                connection.execute(tasks.update().where(where).values(**row))
            return token, _insert(connection, event)

    def commit(self, event: Event, name: str, key: str, token: int, outputs: Mapping[str, Artifact]) -> Event | None:
        """Make a task's outputs visible with its event, in one transaction; None where its lease went to another."""
        where = (tasks.c.job == event.job) & (tasks.c.name == name) & (tasks.c.token == token) & (tasks.c.state == "leased")
        with self._writing() as connection:
            if connection.execute(tasks.update().where(where).values(state="done")).rowcount != 1:
                return None
            connection.execute(memo.delete().where(memo.c.key == key))
            connection.execute(memo.insert().values(key=key, outputs=json.dumps(outputs_to_json(outputs))))
            return _insert(connection, event)

    def release(self, event: Event, name: str, state: str) -> Event:
        """Take a task back after a failed try: `retry` or `poisoned`."""
        with self._writing() as connection:
            connection.execute(tasks.update().where((tasks.c.job == event.job) & (tasks.c.name == name)).values(state=state))
            return _insert(connection, event)

    def history(self, job: str, after: int = 0) -> list[Event]:
        """Stored events of a job behind `after`, in order."""
        query = sa.select(events).where((events.c.job == job) & (events.c.seq > after)).order_by(events.c.seq)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Event(payload=json.loads(row["payload"]), **{name: row[name] for name in ("seq", "job", "type", "node", "item", "attempt")})
            for row in rows
        ]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            if "disk is full" in str(error) or "disk I/O error" in str(error):
                raise DiskFull(str(self._root)) from error
            raise


def _insert(connection: sa.Connection, event: Event) -> Event:
    values = {name: getattr(event, name) for name in ("job", "type", "node", "item", "attempt")}
    done = connection.execute(events.insert().values(at=time.time(), payload=json.dumps(dict(event.payload)), **values))
    return Event(seq=int(done.inserted_primary_key[0]), payload=event.payload, **values)  # type: ignore[index]


def _configure(connection: Any, _record: Any) -> None:
    """WAL: readers never wait for the writer. NORMAL: a commit survives any kill; a power cut may lose the last ones, never mix."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _locked(root: Path) -> int:
    """An exclusive lock that the kernel drops with its holder, however that one ends."""
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise StoreBusy(str(root), int(holder) if holder.isdigit() else 0) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
