"""Routes of pages: what goes wrong becomes a page too, and who is not known is asked for a key."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from archer.api.dashboard.page import HEADERS, page
from archer.api.errors import problem_of
from archer.api.problems import KINDS, MEDIA_TYPE, Problem
from cinemill_native.errors import CinemillError

QUALITY = re.compile(r"q=(0(\.\d{1,3})?|1(\.0{1,3})?)")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route that answers people."""

    def get_route_handler(self) -> Handler:
        """The handler, with pages for what it raises."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except Problem as problem:
                return refusal(request, problem)
            except RequestValidationError:
                return refusal(request, Problem("not-found", "this address is none of this server's"))
            except CinemillError as error:
                found = problem_of(error)
                if found is None:
                    raise
                return refusal(request, found)

        return handle


def router() -> APIRouter:
    """A router of pages; they are no part of the API's description."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def refusal(request: Request, problem: Problem) -> Response:
    """The page that tells of a problem; the one that asks for a key where none is known."""
    if problem.status == 401:
        target = request.url.path if request.method == "GET" else "/"
        if request.method == "GET" and request.url.query:
            target += f"?{request.url.query}"
        return go(f"/login?{urllib.parse.urlencode({'next': target, 'why': problem.kind})}")
    kind = KINDS[problem.kind]
    answer = page(
        request, "problem.html", status=problem.status, title=kind.title, problem=problem, remedy=kind.remedy
    )
    answer.headers.update(problem.headers)
    return answer


def prefers_page(accept: str) -> bool:
    """True where an Accept header wants HTML rather than JSON, as those of browsers do; `*/*` alone is content with JSON."""
    wanted = {}
    for entry in accept.split(","):
        kind, *words = (word.strip().lower() for word in entry.split(";"))
        found = next((word for word in words if word.startswith("q=")), "q=1")
        wanted[kind] = float(found[2:]) if QUALITY.fullmatch(found) else 0.0
    html, rest = wanted.get("text/html", 0.0), wanted.get("*/*", 0.0)
    return html > max(wanted.get(kind, rest) for kind in ("application/json", MEDIA_TYPE))


def go(target: str) -> Response:
    """Look at another page now."""
    return RedirectResponse(target, status_code=303, headers=HEADERS)
