"""Jobs: submit, list, look at, and ask something of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from archer.api import cursor
from archer.api.auth import Caller, needs
from archer.api.models import JobPage, JobSummary, JobView, Name, Order, State
from archer.api.orders import Preview, accepted, preview
from archer.api.owners import job_of
from archer.api.paths import CursorParam, JobId, Limit
from archer.api.problems import documented
from archer.api.services import Parts
from archer.api.views import summary, view

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
Reader, Writer = needs("jobs:read"), needs("jobs:write")
IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="Makes that the same order is one job, however often it is sent.",
    ),
]
CREATED: dict[int | str, dict[str, Any]] = {
    201: {
        "model": JobView,
        "description": "The job is kept and will run.",
        "headers": {"Location": {"description": "Address of the job.", "schema": {"type": "string"}}},
    },
    200: {"model": JobView | Preview, "description": "It was submitted before under this key; or a dry run."},
}


@router.post(
    "", status_code=201, responses={**CREATED, **documented(409, 413, 415, 507)}, response_model=None
)
def submit(
    order: Order,
    response: Response,
    parts: Parts,
    idempotency_key: IdempotencyKey = None,
    dry_run: Annotated[bool, Query(description="Only say what would be done, and at what cost.")] = False,
    caller: Caller = Writer,
) -> JobView | Preview:
    """Submit a job.

    It is checked and kept before the answer comes, and survives whatever happens to the server then. With an
    `Idempotency-Key` it is safe to send it again: the same order gives the same job (200), another one is refused (409).
    """
    if dry_run:
        response.status_code = 200
        return preview(parts, order)
    row, created = accepted(parts, order, key=idempotency_key, owner=caller.owner)
    response.status_code = 201 if created else 200
    response.headers["Location"] = f"/v1/jobs/{row.id}"
    return view(parts, row)


@router.get("", responses=documented())
def page(
    parts: Parts,
    state: State | None = None,
    queue: Annotated[Name | None, Query()] = None,
    owner: Annotated[
        str | None,
        Query(
            max_length=200,
            description="As jobs have it: the oldest key of a name; `local` where there is none.",
        ),
    ] = None,
    limit: Limit = 50,
    after: Annotated[CursorParam, Query(alias="cursor")] = None,
    caller: Caller = Reader,
) -> JobPage:
    """List jobs, the latest first: your own, or everybody's with the scope `jobs:all`.

    A page stays where it is while new jobs come.
    """
    place = cursor.text_after("jobs", after)
    rows = parts.queue.page(place, limit + 1, state=state, owner=owner, queue=queue, reach=caller.reach)
    shown = rows[:limit]
    more = cursor.encode("jobs", shown[-1].id) if len(rows) > limit else None
    return JobPage(items=[JobSummary(**summary(row)) for row in shown], next=more)


@router.get("/{job:job}", response_model=JobView, responses=documented(404))
def get(job: JobId, parts: Parts, caller: Caller = Reader) -> Response:
    """One job: its state, how far it is, why it failed."""
    found = view(parts, job_of(parts, caller, job))
    return Response(found.model_dump_json(), media_type="application/json")  # checked once is enough


def _ask(action: Literal["cancel", "pause", "resume", "retry"], description: str) -> None:
    """A route `POST /v1/jobs/{job}:action`."""

    def ask(job: JobId, parts: Parts, caller: Caller = Writer) -> JobView:
        job_of(parts, caller, job)
        return view(parts, parts.queue.request(job, action))

    router.add_api_route(
        f"/{{job:job}}:{action}",
        ask,
        methods=["POST"],
        name=action,
        operation_id=f"{action}_job",
        description=description,
        summary=f"{action.capitalize()} a job",
        responses=documented(404, 409, 413, 415),
    )


_ask("cancel", "Stop it for good, within seconds; what is done is kept, and `:resume` goes on.")
_ask("pause", "Start nothing more of it; what runs ends first.")
_ask("resume", "Go on, after a pause or an end without results; nothing that is done is done again.")
_ask("retry", "Try what failed again.")
