"""Events as they happen, to be resumed where a connection broke."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from archer.api import sse
from archer.api.auth import Caller, needs
from archer.api.owners import job_of
from archer.api.paths import JobId
from archer.api.problems import documented
from archer.api.services import Parts, Services
from archer.api.views import is_over

router = APIRouter(prefix="/v1", tags=["events"])
Reader = needs("jobs:read")
PAGE = 100
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, oldest first.",
        "content": {sse.MEDIA_TYPE: {}},
    },
    204: {"description": "The job is over and nothing follows: do not connect again."},
}
LastEventId = Annotated[
    str,
    Header(
        pattern=r"^[0-9]{0,18}$",
        description="Place of the last event that was received; only later ones come.",
    ),
]
After = Annotated[int, Query(ge=0, le=10**18, description="The same, where no header can be set.")]
Follow = Annotated[bool, Query(description="Stay for what is still to happen; otherwise end at the present.")]


@router.get("/jobs/{job:job}/events", response_class=Response, responses={**STREAM, **documented(404)})
async def of_job(
    job: JobId,
    parts: Parts,
    last_event_id: LastEventId = "",
    after: After = 0,
    follow: Follow = True,
    caller: Caller = Reader,
) -> Response:
    """What happens in a job, as server-sent events.

    Every event has its place as id. Connect again with `Last-Event-ID` and nothing is missed, nothing comes twice. The stream
    ends with an `end` event when the job is over. Comments come in between as signs of life.
    """
    place = int(last_event_id) if last_event_id else after
    row = await run_in_threadpool(job_of, parts, caller, job)
    if is_over(row) and not await run_in_threadpool(parts.history.events, job, after=place, limit=1):
        return Response(status_code=204)
    return _response(_stream(parts, job, place, follow=follow))


@router.get("/events", response_class=Response, responses={**STREAM, **documented()})
async def of_all(
    parts: Parts,
    last_event_id: LastEventId = "",
    after: After = 0,
    follow: Follow = True,
    caller: Caller = Reader,
) -> Response:
    """What happens in all jobs that you reach, in one order, as server-sent events; never ends by itself."""
    place = int(last_event_id) if last_event_id else after
    return _response(_stream(parts, None, place, follow=follow, reach=caller.reach))


def _response(stream: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(stream, media_type=sse.MEDIA_TYPE, headers=sse.HEADERS)


async def _stream(
    parts: Services, job: str | None, place: int, *, follow: bool, reach: Sequence[str] | None = None
) -> AsyncIterator[bytes]:
    """Pages of events behind a place, then whatever follows. Holds one page at a time, however slow the client is.

    `reach` narrows those of all jobs to some owners'; what lies before `known` was looked through then, and is not again.
    """
    page_of = partial(parts.history.events, job, limit=PAGE, reach=reach)
    with parts.metrics.watchers.track_inprogress():
        yield sse.RETRY
        until = time.monotonic() + parts.settings.stream_s
        while not parts.tail.closing and time.monotonic() < until:
            known = await parts.tail.look() if parts.tail.last == 0 else parts.tail.last
            over = await run_in_threadpool(_ending, parts, job)
            while page := await run_in_threadpool(page_of, after=place):
                yield b"".join(map(sse.encoded, page))
                place = page[-1].seq
            place = max(place, known) if job is None else place
            if over:
                yield sse.ended(over)
                return
            if not follow:
                return
            if not await parts.tail.wait(known, min(parts.settings.heartbeat_s, until - time.monotonic())):
                yield sse.HEARTBEAT


def _ending(parts: Services, job: str | None) -> str:
    """State of a job that is over; its last event is stored then. Empty while it goes on."""
    if job is None:
        return ""
    row = parts.queue.get(job)
    return row.state if is_over(row) else ""
