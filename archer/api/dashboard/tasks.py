"""Tasks of a job: the list, one with its tries, and what was logged."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from archer.api import cursor
from archer.api.auth import Caller
from archer.api.dashboard.page import page
from archer.api.dashboard.route import router
from archer.api.dashboard.session import viewer
from archer.api.models import TaskState
from archer.api.owners import job_of
from archer.api.paths import CursorParam, JobId
from archer.api.problems import Problem
from archer.api.routes.tasks import Task
from archer.api.services import Parts
from archer.api.views import is_over
from archer.errors import SpecError
from archer.store.overview import last_event

pages = router()
Reader = viewer("jobs:read")
After = Annotated[CursorParam, Query(alias="cursor")]
TASKS, LOGS = 100, 50
ORDER = ("pending", "leased", "retry", "done", "poisoned", "cancelled")


@pages.get("/jobs/{job:job}/tasks")
def tasks(
    request: Request,
    job: JobId,
    parts: Parts,
    state: TaskState | None = None,
    after: After = None,
    caller: Caller = Reader,
) -> Response:
    """The tasks of a job by name, a page of them."""
    seen = last_event(parts.database)
    row = job_of(parts, caller, job)
    rows = parts.history.tasks(job, state=state, after=cursor.text_after("tasks", after), limit=TASKS + 1)
    counts = parts.history.counts(job)
    return page(
        request,
        "tasks.html",
        title="Tasks",
        row=row,
        rows=rows[:TASKS],
        state=state,
        counts={name: counts[name] for name in ORDER if name in counts},
        next=cursor.encode("tasks", rows[TASKS - 1].name) if len(rows) > TASKS else None,
        over=is_over(row),
        seen=seen,
    )


@pages.get("/jobs/{job:job}/task")
def task(request: Request, job: JobId, name: Task, parts: Parts, caller: Caller = Reader) -> Response:
    """One task: all its tries, what each said."""
    seen = last_event(parts.database)
    row = job_of(parts, caller, job)
    try:
        found = parts.history.task(job, name)
    except SpecError as error:
        raise Problem("not-found", str(error)) from error
    return page(
        request,
        "task.html",
        title=f"Task {found.name}",
        row=row,
        task=found,
        tries=parts.history.attempts(job, name),
        over=is_over(row),
        seen=seen,
    )


@pages.get("/jobs/{job:job}/logs")
def logs(
    request: Request, job: JobId, parts: Parts, after: After = None, caller: Caller = Reader
) -> Response:
    """What the tries of a job said, in the order in which they began."""
    seen = last_event(parts.database)
    row = job_of(parts, caller, job)
    rows = parts.history.logs(job, after=cursor.number_after("logs", after), limit=LOGS + 1)
    return page(
        request,
        "logs.html",
        title="Logs",
        row=row,
        tries=rows[:LOGS],
        next=cursor.encode("logs", rows[LOGS - 1].token) if len(rows) > LOGS else None,
        over=is_over(row),
        seen=seen,
    )
