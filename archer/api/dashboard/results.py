"""What jobs gave, and what happens in them, for browsers that are known by their cookie: as the API gives it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from archer.api.auth import Caller
from archer.api.dashboard.page import page
from archer.api.dashboard.route import router
from archer.api.dashboard.session import viewer
from archer.api.owners import job_of
from archer.api.paths import JobId
from archer.api.routes import events, results
from archer.api.routes.results import OutputName, RangeHeader, Tree
from archer.api.services import Parts

pages = router()
Reader, Fetcher = viewer("jobs:read"), viewer("results:read")
After = Annotated[int, Query(ge=0, le=10**18)]


@pages.get("/jobs/{job:job}/results/{output:word}")
def result(
    request: Request,
    job: JobId,
    output: OutputName,
    parts: Parts,
    range_: RangeHeader = None,
    caller: Caller = Fetcher,
) -> Response:
    """The bytes of an output, or a page that lists its files where it is a folder."""
    found = results.result(request, job, output, parts, range_, caller)
    if isinstance(found, Tree):
        row = job_of(parts, caller, job)
        return page(request, "tree.html", title=output, row=row, output=output, files=found.files)
    return found


@pages.get("/jobs/{job:job}/results/{output:word}/{path:path}")
def file(
    request: Request,
    job: JobId,
    output: OutputName,
    path: Annotated[str, Path(max_length=1000)],
    parts: Parts,
    range_: RangeHeader = None,
    caller: Caller = Fetcher,
) -> Response:
    """The bytes of one file of an output that is a folder."""
    return results.file(request, job, output, path, parts, range_, caller)


@pages.get("/jobs/{job:job}/events")
async def of_job(
    job: JobId,
    parts: Parts,
    last_event_id: events.LastEventId = "",
    after: After = 0,
    caller: Caller = Reader,
) -> Response:
    """Events of a job, for its pages."""
    return await events.of_job(job, parts, last_event_id, after, True, caller)  # noqa: FBT003  as the route has it


@pages.get("/events")
async def of_all(
    parts: Parts,
    last_event_id: events.LastEventId = "",
    after: After = 0,
    caller: Caller = Reader,
) -> Response:
    """Events of all jobs, for the list."""
    return await events.of_all(parts, last_event_id, after, True, caller)  # noqa: FBT003  as the route has it
