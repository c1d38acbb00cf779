"""Signing in with an API key, and out; and the files that pages are made of."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from starlette.responses import Response

from archer.api.auth import admitted
from archer.api.dashboard import session
from archer.api.dashboard.forms import form_of
from archer.api.dashboard.page import asset, page
from archer.api.dashboard.route import go, router
from archer.api.problems import KINDS, Problem

pages = router()
WHY = {"bad-key": "This key is not known.", "expired-key": "This key has expired or was revoked."}
Why = Annotated[str, Query(max_length=40)]
Next = Annotated[str, Query(alias="next", max_length=2000)]


@pages.get("/login")
async def form(request: Request, target: Next = "/", why: Why = "") -> Response:
    """Ask for a key."""
    return page(
        request, "login.html", title="Sign in", target=session.own_path(target), problem=WHY.get(why, "")
    )


@pages.post("/login")
async def sign_in(request: Request) -> Response:
    """Take a key, if it is one."""
    session.check_origin(request)
    given = await form_of(request)
    key, target = given.get("key", ""), session.own_path(given.get("next", "/"))
    try:
        await admitted(request, session.credentials(key), "jobs:read")
    except Problem as problem:
        said = WHY.get(problem.kind, f"{KINDS[problem.kind].title}: {problem.detail}.")
        said = said if key else "Paste a key first."
        return page(
            request, "login.html", status=problem.status, title="Sign in", target=target, problem=said
        )
    answer = go(target)
    session.remember(request, answer, key)
    return answer


@pages.post("/logout")
async def sign_out(request: Request) -> Response:
    """Forget the key."""
    session.check_origin(request)
    answer = go("/login")
    session.forget(request, answer)
    return answer


@pages.get("/static/{name:word}")
async def static(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """A style or a script."""
    found = asset(request, name)
    if found is None:
        raise Problem("not-found", "there is no such file")
    return found
