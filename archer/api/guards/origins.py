"""Browsers: pages of other sites may not use a server that trusts whoever reaches it."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Sequence

from archer.api.guards.asgi import ASGIApp, Receive, Scope, Send, header, refuse
from archer.api.problems import Problem

SAFE = ("GET", "HEAD", "OPTIONS")


class Origins:
    """Checks the Host that was asked for (a page may let its own name point here), and the site that asks.

    Args:
        app: what it stands before.
        names: hosts that the server answers for; empty for any.
    """

    def __init__(self, app: ASGIApp, *, names: Sequence[str]) -> None:
        self._app, self._names = app, frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is not None:
            await refuse(problem, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        host, origin = header(scope, b"host"), header(scope, b"origin")
        if self._names and _name(host) not in self._names:
            return Problem("wrong-host", f"it answers for {', '.join(sorted(self._names))}")
        crossing = header(scope, b"sec-fetch-site") == "cross-site" and scope["method"] not in SAFE
        if crossing or (origin and urllib.parse.urlsplit(origin).netloc.lower() != host.lower()):
            return Problem("cross-origin", "the request comes from a page of another site")
        return None


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    return host.lower().rpartition(":")[0].strip("[]") if _ported(host) else host.lower().strip("[]")


def _ported(host: str) -> bool:
    return ":" in host and not host.endswith("]") and (host.count(":") == 1 or "]:" in host)


def is_loopback(host: str) -> bool:
    """True for a name or an address that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
