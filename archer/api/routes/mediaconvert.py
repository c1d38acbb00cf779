"""Jobs as AWS MediaConvert has them, for clients that are written for it: `boto3.client("mediaconvert", endpoint_url=...)`.

What a MediaConvert job means to us is said by a plug-in (entry point group `cinemill.dialects`), which knows our templates; here
are addresses and states. Not part of OpenAPI: botocore has its schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archer.api import cursor
from archer.api.auth import Caller
from archer.api.aws import answered
from archer.api.models import Order
from archer.api.orders import accepted
from archer.api.owners import job_of
from archer.api.problems import Problem
from archer.api.services import Parts, Services
from archer.api.views import share
from archer.registry import DIALECTS, load
from archer.store.history import JobRow
from archer.store.overview import last_failures, nodes_of
from cinemill_native.errors import CinemillError

router = APIRouter(prefix="/2017-08-29", include_in_schema=False)
STATES = {
    "queued": "SUBMITTED",
    "running": "PROGRESSING",
    "paused": "PROGRESSING",
    "done": "COMPLETE",
    "partial": "COMPLETE",
    "cancelled": "CANCELED",
    "failed": "ERROR",
    "interrupted": "ERROR",
}
KEPT = "mediaconvert"
"""Where the job is kept among the notes, to be shown as it came."""


@router.post("/jobs")
async def create(request: Request, parts: Parts) -> Response:
    """CreateJob."""
    return await answered(
        request, "jobs:write", lambda caller, body: (201, {"Job": _create(parts, caller, body)})
    )


@router.get("/jobs/{job:word}")
async def get(request: Request, parts: Parts, job: str) -> Response:
    """GetJob."""
    return await answered(
        request, "jobs:read", lambda caller, _: (200, {"Job": _view(parts, job_of(parts, caller, job))})
    )


@router.delete("/jobs/{job:word}")
async def cancel(request: Request, parts: Parts, job: str) -> Response:
    """CancelJob."""

    def work(caller: Caller, _: Any) -> tuple[int, dict[str, Any]]:
        job_of(parts, caller, job)
        parts.queue.request(job, "cancel")
        return 202, {}

    return await answered(request, "jobs:write", work)


@router.get("/jobs")
async def page(request: Request, parts: Parts) -> Response:
    """ListJobs, the latest first."""
    return await answered(
        request, "jobs:read", lambda caller, _: (200, _page(parts, caller, request.query_params))
    )


@router.post("/endpoints")
async def endpoints(request: Request) -> Response:
    """DescribeEndpoints: this server."""
    found = {"Endpoints": [{"Url": str(request.base_url).rstrip("/")}]}
    return await answered(request, "jobs:read", lambda *_: (200, found))


def _create(parts: Services, caller: Caller, body: Any) -> dict[str, Any]:
    try:
        mapped = load(DIALECTS, "mediaconvert")(body, partial(_kept, parts, caller.owner))
    except CinemillError:
        raise
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise Problem("invalid-request", "a field is of another type than the service model says") from error
    token = body.get("ClientRequestToken")
    if token is not None and not (isinstance(token, str) and 0 < len(token) <= 200 and token.isprintable()):
        raise Problem("invalid-request", "ClientRequestToken: wanted 1 to 200 printable characters")
    order = Order.model_validate(mapped)
    kept = ("Role", "Settings", "UserMetadata", "JobTemplate")
    notes = {KEPT: {name: body[name] for name in kept if name in body}}
    row, _ = accepted(parts, order, key=token, owner=caller.owner, notes=notes)
    return _view(parts, row)


def _kept(parts: Services, owner: str, kind: str, name: str) -> Mapping[str, Any] | None:
    """A job template or a preset by its name."""
    found = parts.recipes.get(owner, kind, name)
    return found.body if found else None


def _page(parts: Services, caller: Caller, query: Mapping[str, str]) -> dict[str, Any]:
    count = (
        min(max(int(query.get("maxResults", "20")), 1), 20) if query.get("maxResults", "20").isdigit() else 20
    )
    wanted = {ours: theirs for ours, theirs in STATES.items() if theirs == query.get("status")}
    state = next(iter(wanted), None)
    queue = query["queue"].rpartition("/")[2] if "queue" in query else None
    after = cursor.text_after("mediaconvert", query.get("nextToken"))
    rows = parts.queue.page(after, count + 1, state=state, queue=queue, reach=caller.reach)
    found: dict[str, Any] = {"Jobs": [_view(parts, row) for row in rows[:count]]}
    return (
        {**found, "NextToken": cursor.encode("mediaconvert", rows[count - 1].id)}
        if len(rows) > count
        else found
    )


def _view(parts: Services, row: JobRow) -> dict[str, Any]:
    kept = json.loads(row.notes).get(KEPT, {})
    status = STATES[row.state]
    times = {"SubmitTime": row.submitted_ms, "StartTime": row.begun_ms, "FinishTime": row.ended_ms}
    found: dict[str, Any] = {
        "Id": row.id,
        "Arn": f"arn:cinemill:mediaconvert:::jobs/{row.id}",
        "CreatedAt": row.submitted_ms / 1000,
        "Status": status,
        "Queue": f"arn:cinemill:mediaconvert:::queues/{row.queue}",
        "Priority": row.priority,
        "Role": kept.get("Role", ""),
        "Settings": kept.get("Settings", {}),
        "UserMetadata": kept.get("UserMetadata", {}),
        "Timing": {name: at / 1000 for name, at in times.items() if at},
    }
    if "JobTemplate" in kept:
        found["JobTemplate"] = kept["JobTemplate"]
    if row.submit_key:
        found["ClientRequestToken"] = row.submit_key
    if status == "PROGRESSING":
        found["JobPercentComplete"] = int(100 * share(nodes_of(parts.database, row.id)))
    if status == "ERROR":
        failures = last_failures(parts.database, row.id)
        found |= {"ErrorCode": 1000, "ErrorMessage": failures[0] if failures else row.state}
    return found
