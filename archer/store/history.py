"""What a store knows of its jobs, to read while another process works there: pages, logs, costs, paces."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.errors import SpecError, StateUnusable
from archer.events import Event
from archer.store.database import FILE, Database, is_url
from archer.store.schema import SAID, attempts, cards, events, jobs, nodes, tallies, tasks
from archer.wire import outputs_from_json

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job. Times in milliseconds since 1970.

    Attributes:
        runs, begun_ms: how often it ran, when first; 0 before. ended_ms: None while it runs or is to run.
        spec: its canonical JSON, once it ran.
        submitted_ms: 0 for one that was not submitted; what follows then says nothing.
        request: what was submitted. notes: JSON object of whoever submitted it. owner, submit_key, body: whose, its idempotency
            key and the digest of what came with it.
        queue, priority, deadline_ms: when it runs; see `JobQueue.submit`.
        holder, token, until_ms: the scheduler that has it, by which token, until when.
        wanted: what its holder is asked for.
        commits: transactions of its present run.
    """

    id: str
    state: str
    runs: int
    begun_ms: int
    ended_ms: int | None
    spec: str
    submitted_ms: int = 0
    request: str = ""
    notes: str = "{}"
    owner: str = ""
    submit_key: str | None = None
    body: str = ""
    queue: str = "default"
    priority: int = 0
    deadline_ms: int | None = None
    holder: str = ""
    token: int = 0
    until_ms: int = 0
    wanted: str = ""
    commits: int = 0

    @classmethod
    def of(cls, row: Any) -> Self:
        """The job of a row of `jobs`."""
        return cls(**row._mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task: where it stands, where it runs or ran last (empty where nobody knows) and what it gave."""

    name: str
    node: str
    phase: str
    label: str
    weight: int
    state: str
    worker: str
    outputs: Mapping[str, Artifact]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try that ended: how, what it cost (milliseconds), its error, what it logged or its traceback, and where it ran.

    `worker` is `host/pid`; empty where nobody knows.
    """

    token: int
    name: str
    number: int
    state: str
    ended_ms: int
    wall_ms: int
    cpu_ms: int
    error: str
    log: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """Something that a task shows of itself."""

    task: str
    name: str
    artifact: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the tries of one node cost: useful ones, and those that failed, were lost or were dropped."""

    node: str
    stage: str
    tries: int
    wall_ms: int
    cpu_ms: int
    wasted: int
    wasted_ms: int


class History:
    """Reads the job state of a work folder or database; any number of processes may, at any time.

    Args:
        store: the work folder, the URL of a database, or an open `Database`, which then stays open. Any number of threads use it.

    Raises:
        StateUnusable: there is no job state.
    """

    def __init__(self, store: str | Path | Database) -> None:
        self._owned = not isinstance(store, Database)
        if isinstance(store, Database):
            self._db = store
        else:
            if not is_url(store) and not (path := Path(store).absolute() / FILE).is_file():
                raise StateUnusable(str(path), "there is no job state here")
            self._db = Database(store, read_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._owned:
            self._db.close()

    def jobs(self) -> list[JobRow]:
        """All jobs, the latest first."""
        since = sa.case((jobs.c.begun_ms > 0, jobs.c.begun_ms), else_=jobs.c.submitted_ms)
        return [JobRow.of(row) for row in self._read(sa.select(jobs).order_by(since.desc(), jobs.c.id))]

    def job(self, prefix: str = "") -> JobRow:
        """The one job whose id begins so; the only or latest one for an empty prefix.

        Raises:
            SpecError: there is none, or there are several.
        """
        found = [job for job in self.jobs() if job.id.startswith(prefix)]
        if not found:
            raise SpecError("job", f"no job {prefix!r} in {self._db.place}; `cinemill jobs` lists them")
        if prefix and len(found) > 1:
            raise SpecError(
                "job", f"{prefix!r} may be {', '.join(job.id[:12] for job in found)}; write more of it"
            )
        return found[0]

    def tasks(
        self, job: str, *, state: str | None = None, after: str = "", limit: int = PAGE
    ) -> list[TaskRow]:
        """A page of the tasks of a job by name, behind `after`; those in one state where that is given."""
        wanted = tasks.c.job == job
        wanted = wanted & (tasks.c.state == state) if state else wanted
        query = sa.select(tasks).where(wanted, tasks.c.name > after).order_by(tasks.c.name).limit(limit)
        return [_task(row) for row in self._read(query)]

    def task(self, job: str, name: str) -> TaskRow:
        """One task by its name. Raises SpecError where there is none."""
        query = sa.select(tasks).where(tasks.c.job == job, tasks.c.name == name)
        rows = self._read(query)
        if not rows:
            raise SpecError("task", f"no task {name!r} in job {job[:12]}; `cinemill logs` names tasks")
        return _task(rows[0])

    def outputs(self, job: str) -> dict[str, Artifact]:
        """Artifacts by `node.output`, of the nodes of a job that are done."""
        query = sa.select(nodes.c.node, nodes.c.outputs).where(nodes.c.job == job, nodes.c.state == "done")
        return {
            f"{row.node}.{name}": artifact
            for row in self._read(query)
            for name, artifact in outputs_from_json(json.loads(row.outputs)).items()
        }

    def counts(self, job: str) -> dict[str, int]:
        """State -> number of tasks."""
        number = sa.func.sum(tallies.c.number)
        query = sa.select(tallies.c.state, number).where(tallies.c.job == job, tallies.c.counts == "task")
        rows = self._read(query.group_by(tallies.c.state).having(number > 0))
        return {str(state): int(found) for state, found in rows}

    def events(
        self,
        job: str | None = None,
        *,
        after: int = 0,
        limit: int = PAGE,
        reach: Sequence[str] | None = None,
    ) -> list[Event]:
        """A page of the events of a job, or of all, in order, behind place `after`; none appears behind one that was read.

        `reach` narrows them to jobs of some owners.
        """
        query = sa.select(events).where(events.c.seq > after)
        query = query if job is None else query.where(events.c.job == job)
        if reach is not None:
            query = query.join(jobs, jobs.c.id == events.c.job).where(jobs.c.owner.in_(list(reach)))
        return [_event(row) for row in self._read(query.order_by(events.c.seq).limit(limit))]

    def attempts(self, job: str, name: str) -> list[AttemptRow]:
        """All tries of one task that ended, in order."""
        query = sa.select(attempts).where(attempts.c.job == job, attempts.c.name == name)
        return [_attempt(row) for row in self._read(query.order_by(attempts.c.token))]

    def logs(self, job: str, *, after: int = 0, limit: int = PAGE) -> list[AttemptRow]:
        """A page of the tries of a job that have something to say, by token."""
        query = sa.select(attempts).where(attempts.c.job == job, attempts.c.token > after, SAID)
        return [_attempt(row) for row in self._read(query.order_by(attempts.c.token).limit(limit))]

    def cards(self, job: str) -> list[CardRow]:
        """All cards of a job, by task and name."""
        query = sa.select(cards).where(cards.c.job == job).order_by(cards.c.task, cards.c.name)
        return [
            CardRow(task=row.task, name=row.name, artifact=Artifact.from_json(json.loads(row.artifact)))
            for row in self._read(query)
        ]

    def costs(self, job: str) -> list[Cost]:
        """What each node of a job cost, in the order of the plan."""
        useful = tallies.c.state == "done"
        query = (
            sa.select(
                nodes.c.node,
                nodes.c.stage,
                _sum(tallies.c.number).label("tries"),
                _sum(tallies.c.wall_ms, useful).label("wall_ms"),
                _sum(tallies.c.cpu_ms, useful).label("cpu_ms"),
                _sum(tallies.c.number, ~useful).label("wasted"),
                _sum(tallies.c.wall_ms, ~useful).label("wasted_ms"),
            )
            .select_from(nodes)
            .outerjoin(tallies, _tries_of_nodes())
            .where(nodes.c.job == job)
            .group_by(nodes.c.node, nodes.c.stage, nodes.c.place)
            .order_by(nodes.c.place)
        )
        return [Cost(**row._mapping) for row in self._read(query)]

    def _read(self, query: Any) -> Sequence[Any]:
        return self._db.read(lambda connection: connection.execute(query).all())


def _sum(value: Any, where: Any = None) -> Any:
    return sa.func.coalesce(sa.func.sum(value if where is None else sa.case((where, value), else_=0)), 0)


def _tries_of_nodes() -> Any:
    same = (tallies.c.job == nodes.c.job) & (tallies.c.node == nodes.c.node)
    return same & (tallies.c.counts == "try")


def _task(row: Any) -> TaskRow:
    plain = {
        name: getattr(row, name) for name in ("name", "node", "phase", "label", "weight", "state", "worker")
    }
    return TaskRow(outputs=outputs_from_json(json.loads(row.outputs)), **plain)


def _event(row: Any) -> Event:
    plain = ("seq", "job", "type", "node", "item", "attempt")
    return Event(payload=json.loads(row.payload), **{name: getattr(row, name) for name in plain})


def _attempt(row: Any) -> AttemptRow:
    return AttemptRow(**{name: value for name, value in row._mapping.items() if name != "job"})
