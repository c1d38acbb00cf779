"""Jobs: the list, one job, and what can be asked of it."""

from __future__ import annotations

import urllib.parse
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from archer.api import cursor
from archer.api.auth import Caller
from archer.api.dashboard.buttons import possible
from archer.api.dashboard.page import page
from archer.api.dashboard.picture import Rows, picture_of
from archer.api.dashboard.route import go, router
from archer.api.dashboard.session import viewer
from archer.api.models import Name, State
from archer.api.owners import job_of
from archer.api.paths import CursorParam, JobId
from archer.api.routes.results import results
from archer.api.routes.usage import usage
from archer.api.services import Parts, Services
from archer.api.views import is_over, share, view
from archer.store.glance import nodes_by_job
from archer.store.history import JobRow
from archer.store.overview import last_event
from archer.store.timeline import moments_of
from archer.store.transitions import ACTIONS, Action

pages = router()
Reader, Writer = viewer("jobs:read"), viewer("jobs:write")
LIMIT = 50
MOMENTS = 60


@pages.get("/")
def jobs(
    request: Request,
    parts: Parts,
    state: State | None = None,
    queue: Annotated[Name | None, Query()] = None,
    owner: Annotated[str | None, Query(max_length=200)] = None,
    after: Annotated[CursorParam, Query(alias="cursor")] = None,
    caller: Caller = Reader,
) -> Response:
    """The list, the latest first."""
    seen = last_event(parts.database)
    place = cursor.text_after("jobs", after)
    rows = parts.queue.page(place, LIMIT + 1, state=state, owner=owner, queue=queue, reach=caller.reach)
    shown = rows[:LIMIT]
    chosen = {"state": state, "queue": queue, "owner": owner}
    return page(
        request,
        "jobs.html",
        title="Jobs",
        rows=shown,
        shares=_shares(parts, shown),
        owners=_owners(parts, shown),
        counts=_counts(parts, caller, queue),
        chosen=chosen,
        first=not after,
        address=lambda **changes: _address({**chosen, **changes}),
        next=cursor.encode("jobs", shown[-1].id) if len(rows) > LIMIT else None,
        seen=seen,
    )


@pages.get("/jobs/{job:job}")
def job(
    request: Request,
    job: JobId,
    parts: Parts,
    runs: Annotated[str, Query(pattern="^(all|last)$")] = "last",
    rows: Rows = "stages",
    caller: Caller = Reader,
) -> Response:
    """One job: how far it is, what ran when, what it gave and cost."""
    seen = last_event(parts.database)
    row = job_of(parts, caller, job)
    moments = moments_of(parts.database, job, limit=MOMENTS)
    return page(
        request,
        "job.html",
        title=f"Job {job[-6:]}",
        row=row,
        job=view(parts, row),
        actions=possible(row),
        over=is_over(row),
        usage=usage(job, parts, caller),
        results=results(job, parts, caller),
        moments=moments,
        runs=runs,
        rows=rows,
        picture=picture_of(parts.database, row, moments, whole=runs == "all", by=rows),
        owners=_owners(parts, [row]),
        seen=seen,
    )


def _ask(action: Action) -> None:
    """A form's target `POST /jobs/{job}/action`."""

    def ask(job: JobId, parts: Parts, caller: Caller = Writer) -> Response:
        job_of(parts, caller, job)
        parts.queue.request(job, action)
        return go(f"/jobs/{job}")

    pages.add_api_route(f"/jobs/{{job:job}}/{action}", ask, methods=["POST"])


for _action in ACTIONS:
    _ask(_action)


def _shares(parts: Services, rows: list[JobRow]) -> dict[str, float]:
    nodes = nodes_by_job(parts.database, [row.id for row in rows])
    return {row.id: 1.0 if row.state in ("done", "partial") else share(nodes[row.id]) for row in rows}


def _owners(parts: Services, rows: list[JobRow]) -> dict[str, str]:
    """Owner -> name of the key, or the id where there is none."""
    found = {}
    for owner in {row.owner for row in rows}:
        key = parts.keys.get(owner)
        found[owner] = str(key["name"]) if key else owner
    return found


def _counts(parts: Services, caller: Caller, queue: str | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for (name, state), number in parts.queue.counts(caller.reach).items():
        if queue in (None, name):
            found[state] = found.get(state, 0) + number
    return found


def _address(chosen: dict[str, Any]) -> str:
    given = {name: value for name, value in chosen.items() if value}
    return f"/?{urllib.parse.urlencode(given)}" if given else "/"
