"""All pages as one line of the application."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from archer.api.dashboard import jobs, login, queues, results, submit, tasks
from archer.api.dashboard.route import prefers_page, refusal
from archer.api.errors import unrouted
from archer.api.problems import answer


def install(app: FastAPI) -> None:
    """Add the dashboard at `/`."""
    for part in (login, jobs, submit, tasks, results, queues):
        app.include_router(part.pages)
    app.add_exception_handler(HTTPException, _no_address)


async def _no_address(request: Request, error: Exception) -> Response:
    """An address that is none, or not for this method: told as a page to whoever asks for one, else as a problem."""
    if not isinstance(error, HTTPException):
        raise error
    problem = unrouted(request, error)
    found = (
        refusal(request, problem)
        if prefers_page(request.headers.get("accept", ""))
        else answer(problem, str(getattr(request.state, "request_id", "")))
    )
    found.headers["Vary"] = "Accept"
    return found
