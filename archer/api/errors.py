"""What goes wrong inside, as problems for whoever asked."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from archer.api.problems import BY_STATUS, FieldProblem, Problem, answer
from archer.errors import (
    DiskFull,
    IdempotencyConflict,
    IllegalTransition,
    NotCanonical,
    PlaceRefused,
    SpecError,
    StateUnusable,
    StoreUnreachable,
    UnknownJob,
)
from cinemill_native.errors import CinemillError
from mezzfs import MezzError

log = logging.getLogger(__name__)
KINDS: Mapping[type[CinemillError], str] = {
    UnknownJob: "job-not-found",
    IdempotencyConflict: "key-reused",
    IllegalTransition: "wrong-state",
    SpecError: "invalid-job",
    NotCanonical: "invalid-job",
    PlaceRefused: "input-refused",
    MezzError: "input-refused",
    DiskFull: "disk-full",
    StoreUnreachable: "busy",
    StateUnusable: "busy",
}
"""Error -> kind of problem; others are failures of the server."""


def install(app: FastAPI) -> None:
    """Make the application answer with problems, whatever is raised."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(CinemillError, _ours)
    app.add_exception_handler(Exception, _fault)


def problem_of(error: CinemillError) -> Problem | None:
    """The problem that an error of ours is; None where it is a failure of the server."""
    for kind, name in KINDS.items():
        if isinstance(error, kind):
            headers = {"Retry-After": "5"} if name == "busy" else {}
            return Problem(
                name, "the store does not answer" if name == "busy" else str(error), headers=headers
            )
    # Settings that some package refuses are values that do not fit.
    return Problem("invalid-job", str(error)) if isinstance(error, ValueError) else None


def _answer(request: Request, problem: Problem) -> Response:
    return answer(problem, str(getattr(request.state, "request_id", "")))


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    return _answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _answer(request, unrouted(request, error))


def unrouted(request: Request, error: HTTPException) -> Problem:
    """What the router refuses: an address that is none, a method that is not for it."""
    kind = BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    headers = {**(error.headers or {}), **({"Allow": _allowed(request)} if error.status_code == 405 else {})}
    return Problem(kind, detail, headers=headers)


def _allowed(request: Request) -> str:
    """Methods of all routes of an address: Starlette itself names those of the first one."""
    routes = [
        route for route in request.app.state.routes if route.matches(request.scope)[0] is not Match.NONE
    ]
    return ", ".join(sorted({method for route in routes for method in route.methods}))


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return _answer(request, Problem("malformed-body", "wanted a JSON object in UTF-8"))
    errors = [FieldProblem(pointer=_pointer(each["loc"]), detail=_sentence(each)) for each in found[:20]]
    return _answer(request, Problem("invalid-request", "; ".join(map(_line, errors[:3])), errors=errors))


async def _ours(request: Request, error: Exception) -> Response:
    problem = problem_of(error) if isinstance(error, CinemillError) else None
    if problem is None:
        raise error
    if problem.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    return _answer(request, problem)


async def _fault(request: Request, _: Exception) -> Response:
    """Told after this to `guards.requests` as well, which logs it."""
    return _answer(request, Problem("internal", "the server failed; its log has the reason"))


def _pointer(loc: Sequence[Any]) -> str:
    """Where something is wrong: a JSON pointer for the body, a name for a parameter."""
    if loc and loc[0] == "body":
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in loc[1:]) or "/"
    return str(loc[-1]) if loc else "/"


def _sentence(found: Mapping[str, Any]) -> str:
    return str(found["msg"])[:300]


def _line(problem: FieldProblem) -> str:
    return f"{problem.pointer[:100]}: {problem.detail}"
