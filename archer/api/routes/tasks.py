"""Tasks of a job, their tries, and what they logged."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from archer.api import cursor
from archer.api.auth import Caller, needs
from archer.api.models import TaskState, iso
from archer.api.owners import job_of
from archer.api.paths import CursorParam, JobId, Limit
from archer.api.problems import documented
from archer.api.services import Parts
from archer.store.history import AttemptRow

router = APIRouter(prefix="/v1/jobs/{job:job}", tags=["tasks"])
Reader = needs("jobs:read")
After = Annotated[CursorParam, Query(alias="cursor")]
Task = Annotated[
    str, Query(min_length=1, max_length=300, description="Name of a task, as `encode/map/chunk-00003/720p`.")
]


class TaskView(BaseModel):
    """One task: a phase of a node, on one piece."""

    name: str
    node: str
    phase: str
    label: str
    weight: int = Field(description="In the stage's unit, as frames.")
    state: TaskState
    worker: str = Field(description="Where it runs, as `host/pid`, once it does so for some seconds.")


class TaskPage(BaseModel):
    """Some tasks, by name."""

    items: list[TaskView]
    next: str | None


class AttemptView(BaseModel):
    """One try that ended."""

    task: str
    number: int
    state: str
    ended: str | None
    wall_ms: int
    cpu_ms: int
    error: str
    log: str = Field(description="What it logged, or its traceback.")
    worker: str = Field(description="Where it ran, as `host/pid`; empty where nobody knows.")


class AttemptPage(BaseModel):
    """Some tries, in the order in which they began."""

    items: list[AttemptView]
    next: str | None


@router.get("/tasks", responses=documented(404))
def tasks(
    job: JobId,
    parts: Parts,
    state: TaskState | None = None,
    limit: Limit = 100,
    after: After = None,
    caller: Caller = Reader,
) -> TaskPage:
    """The tasks of a job by name, as far as they are planned."""
    job_of(parts, caller, job)
    rows = parts.history.tasks(job, state=state, after=cursor.text_after("tasks", after), limit=limit + 1)
    shown = rows[:limit]
    return TaskPage(
        items=[
            TaskView(
                name=row.name,
                node=row.node,
                phase=row.phase,
                label=row.label,
                weight=row.weight,
                state=row.state,  # type: ignore[arg-type]  # checked by the model
                worker=row.worker if row.state == "leased" else "",
            )
            for row in shown
        ],
        next=cursor.encode("tasks", shown[-1].name) if len(rows) > limit else None,
    )


@router.get("/attempts", responses=documented(404))
def attempts(job: JobId, parts: Parts, task: Task, caller: Caller = Reader) -> AttemptPage:
    """All tries of one task that ended: how, when, at what cost."""
    job_of(parts, caller, job)
    return AttemptPage(items=[_view(row) for row in parts.history.attempts(job, task)], next=None)


@router.get("/logs", responses=documented(404))
def logs(
    job: JobId, parts: Parts, limit: Limit = 100, after: After = None, caller: Caller = Reader
) -> AttemptPage:
    """The tries of a job that have something to say: a log, an error."""
    job_of(parts, caller, job)
    rows = parts.history.logs(job, after=cursor.number_after("logs", after), limit=limit + 1)
    shown = rows[:limit]
    more = cursor.encode("logs", shown[-1].token) if len(rows) > limit else None
    return AttemptPage(items=[_view(row) for row in shown], next=more)


def _view(row: AttemptRow) -> AttemptView:
    return AttemptView(
        task=row.name,
        number=row.number,
        state=row.state,
        ended=iso(row.ended_ms),
        wall_ms=row.wall_ms,
        cpu_ms=row.cpu_ms,
        error=row.error,
        log=row.log,
        worker=row.worker,
    )
