"""Queues, and the schedulers that work them off."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from archer.api.auth import Caller
from archer.api.dashboard.forms import form_of
from archer.api.dashboard.page import page
from archer.api.dashboard.route import go, router
from archer.api.dashboard.session import may_change, viewer
from archer.api.problems import Problem
from archer.api.routes import queues as routes
from archer.api.routes.queues import QueueLimits, QueueName
from archer.api.services import Parts
from archer.store.glance import holders
from archer.store.overview import last_event
from archer.store.queue import HELD
from archer.store.timeline import running_of

pages = router()
Reader, Writer = viewer("jobs:read"), viewer("jobs:write")
MOST = 100000
SHOWN = 50
"""Running tasks of a job."""


@pages.get("/queues")
def queues(request: Request, parts: Parts, caller: Caller = Reader) -> Response:
    """How much waits and runs in each queue, who works at it, and what runs now: of the jobs that the caller reaches."""
    seen = last_event(parts.database)
    active = [row for state in HELD for row in parts.queue.page(state=state, reach=caller.reach)]
    at_work = (
        holders(parts.database)
        if caller.reach is None
        else holders(parts.database, [row.id for row in active])
    )
    return page(
        request,
        "queues.html",
        title="Queues",
        queues=routes.queues(parts, caller),
        holders=at_work,
        may_limit=may_change(caller) and caller.reach is None,
        jobs={row.id: row for row in active},
        running=[(row, each) for row in active for each in running_of(parts.database, row.id, limit=SHOWN)],
        seen=seen,
    )


@pages.post("/queues/{name:word}")
async def limit(request: Request, name: QueueName, parts: Parts, caller: Caller = Writer) -> Response:
    """Say how many jobs of a queue run at once, and whether any are begun."""
    form = await form_of(request)
    text = form.get("most", "")
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Problem("invalid-request", f"jobs at once: wanted 1 to {MOST}, or nothing, got {text[:40]!r}")
    limits = QueueLimits(most=int(text) if text else None, paused=form.get("paused") == "yes")
    await run_in_threadpool(routes.limit, name, limits, parts, caller)
    return go("/queues")
