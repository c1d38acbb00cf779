"""Queues, and the schedulers that work them off."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from archer.api.auth import Caller
from archer.api.dashboard.forms import form_of
from archer.api.dashboard.page import page
from archer.api.dashboard.route import go, router
from archer.api.dashboard.session import viewer
from archer.api.problems import Problem
from archer.api.routes import queues as routes
from archer.api.routes.queues import QueueName
from archer.api.services import Parts
from archer.store.glance import holders
from archer.store.overview import last_event
from archer.store.timeline import running_of

pages = router()
Reader, Writer = viewer("jobs:read"), viewer("jobs:write")
MOST = 100000
SHOWN = 50
"""Running tasks of a job."""


@pages.get("/queues")
def queues(request: Request, parts: Parts, caller: Caller = Reader) -> Response:
    """How much waits and runs in each queue, who works at it, and what runs now."""
    seen = last_event(parts.database)
    active = [*parts.queue.page(state="running"), *parts.queue.page(state="paused")]
    return page(
        request,
        "queues.html",
        title="Queues",
        queues=routes.queues(parts, caller),
        holders=holders(parts.database),
        jobs={row.id: row for row in active},
        running=[(row, each) for row in active for each in running_of(parts.database, row.id, limit=SHOWN)],
        seen=seen,
    )


@pages.post("/queues/{name:word}")
async def limit(request: Request, name: QueueName, parts: Parts, _: Caller = Writer) -> Response:
    """Say how many jobs of a queue run at once, and whether any are begun."""
    form = await form_of(request)
    text = form.get("most", "")
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Problem("invalid-request", f"jobs at once: wanted 1 to {MOST}, or nothing, got {text[:40]!r}")
    parts.queue.set_queue(name, most=int(text) if text else None, paused=form.get("paused") == "yes")
    return go("/queues")
