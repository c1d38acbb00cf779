"""What a work folder knows of its jobs, to read while another process works there: pages, logs, costs, paces."""

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
from archer.store.schema import SAID, attempts, cards, events, jobs, nodes, tallies, tasks
from archer.wire import outputs_from_json

FILE = "archer.db"
PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job. Times in milliseconds since 1970; `ended_ms` None while it runs; `spec` its canonical JSON."""

    id: str
    state: str
    runs: int
    begun_ms: int
    ended_ms: int | None
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task: where it stands and what it gave."""

    name: str
    node: str
    phase: str
    label: str
    weight: int
    state: str
    outputs: Mapping[str, Artifact]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try that ended: how, what it cost (milliseconds), its error and what it logged or its traceback."""

    token: int
    name: str
    number: int
    state: str
    ended_ms: int
    wall_ms: int
    cpu_ms: int
    error: str
    log: str


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
    """Reads the job state of a work folder; any number of processes may, at any time.

    Args:
        root: the work folder.

    Raises:
        StateUnusable: there is no job state.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        path = self.root / FILE
        if not path.is_file():
            raise StateUnusable(str(path), "there is no job state here")
        self._engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
        try:
            self._connection = self._engine.connect()
        except sa.exc.DatabaseError as error:
            raise StateUnusable(str(path), str(error.orig)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._engine.dispose()

    def jobs(self) -> list[JobRow]:
        """All jobs, the latest first."""
        query = sa.select(jobs).order_by(jobs.c.begun_ms.desc(), jobs.c.id)
        return [JobRow(**row._mapping) for row in self._read(query)]

    def job(self, prefix: str = "") -> JobRow:
        """The one job whose id begins so; the only or latest one for an empty prefix.

        Raises:
            SpecError: there is none, or there are several.
        """
        found = [job for job in self.jobs() if job.id.startswith(prefix)]
        if not found:
            raise SpecError("job", f"no job {prefix!r} in {self.root}; `cinemill jobs` lists them")
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

    def events(self, job: str, *, after: int = 0, limit: int = PAGE) -> list[Event]:
        """A page of the events of a job in order, behind place `after`."""
        query = sa.select(events).where(events.c.job == job, events.c.seq > after)
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
        try:
            with self._connection.begin():
                return self._connection.execute(query).all()
        except sa.exc.DatabaseError as error:
            raise StateUnusable(str(self.root / FILE), str(error.orig)) from error


def _sum(value: Any, where: Any = None) -> Any:
    return sa.func.coalesce(sa.func.sum(value if where is None else sa.case((where, value), else_=0)), 0)


def _tries_of_nodes() -> Any:
    same = (tallies.c.job == nodes.c.job) & (tallies.c.node == nodes.c.node)
    return same & (tallies.c.counts == "try")


def _task(row: Any) -> TaskRow:
    plain = {name: getattr(row, name) for name in ("name", "node", "phase", "label", "weight", "state")}
    return TaskRow(outputs=outputs_from_json(json.loads(row.outputs)), **plain)


def _event(row: Any) -> Event:
    plain = ("seq", "job", "type", "node", "item", "attempt")
    return Event(payload=json.loads(row.payload), **{name: getattr(row, name) for name in plain})


def _attempt(row: Any) -> AttemptRow:
    return AttemptRow(**{name: value for name, value in row._mapping.items() if name != "job"})
