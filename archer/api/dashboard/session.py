"""Who looks at a page: whoever reaches a loopback address while there is no key, else whoever pasted one.

The key stays in a cookie that no script reads (HttpOnly) and no other site's page sends (SameSite=Strict); it is checked at every
request, so that one that is revoked opens nothing more. What changes something must come from our own pages.
"""

from __future__ import annotations

import urllib.parse
from typing import Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials
from starlette.responses import Response

from archer.api.auth import Caller, admitted
from archer.api.problems import Problem

CHANGING = "jobs:write"


def cookie_name(request: Request) -> str:
    """Of the cookie; browsers send cookies to every port of a host, so servers on several ports need a name each."""
    return f"cinemill-{request.url.port or request.url.scheme}"


def viewer(scope: str) -> Any:
    """A dependency of pages: the caller, who has the scope; also checks where a change comes from."""

    async def found(request: Request) -> Caller:
        if request.method not in ("GET", "HEAD"):
            check_origin(request)
        caller = await admitted(request, credentials(request.cookies.get(cookie_name(request), "")), scope)
        request.state.caller = caller
        return caller

    return Depends(found)


def credentials(key: str) -> HTTPAuthorizationCredentials | None:
    """A key as the API has it from a header."""
    return HTTPAuthorizationCredentials(scheme="Bearer", credentials=key) if key else None


def may_change(caller: Caller) -> bool:
    """True where the caller may submit and cancel."""
    return caller.may(CHANGING)


def check_origin(request: Request) -> None:
    """Raises Problem where a request is not from a page of this server, as its browser says."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "").lower()
    own = origin is not None and urllib.parse.urlsplit(origin).netloc.lower() == host
    if not (site == "same-origin" or own) or (origin is not None and not own):
        raise Problem("cross-origin", "wanted a request from a page of this server")


def remember(request: Request, response: Response, key: str) -> None:
    """Keep the key with the browser until it is closed, or until `forget`."""
    secure = request.url.scheme == "https"
    response.set_cookie(cookie_name(request), key, httponly=True, samesite="strict", secure=secure)


def forget(request: Request, response: Response) -> None:
    """Take the key away from the browser."""
    response.delete_cookie(cookie_name(request), httponly=True, samesite="strict")


def own_path(target: str) -> str:
    """Where to go after signing in: a path of ours, `/` for anything else."""
    parts = urllib.parse.urlsplit(target)
    local = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if local and parts.scheme == "" and target.isprintable() else "/"
