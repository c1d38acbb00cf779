"""Every request gets an id, a line in the log, its place in the metrics, and an answer whatever fails inside."""

from __future__ import annotations

import logging
import secrets
import time

from archer.api.guards.asgi import ASGIApp, Message, Receive, Scope, Send, client_of, refuse
from archer.api.guards.slow import ClientTooSlow
from archer.api.metrics import Metrics
from archer.api.problems import Problem

log = logging.getLogger(__name__)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
"""On every answer."""


class Requests:
    """The outermost guard.

    The log line has the path without its query, and never a header: keys and signed addresses stay out of it.

    Args:
        app: what it stands before. metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        made = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = made
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = {name for name, _ in message["headers"]}
                extra = [pair for pair in HEADERS if pair[0] not in given]
                message["headers"] = [*message["headers"], *extra, (b"x-request-id", made.encode())]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientTooSlow:
            log.info("%s %s: the client read too slowly and was cut off", scope["method"], scope["path"])
        except Exception:
            log.exception("%s %s failed (%s)", scope["method"], scope["path"], made)
            if not status:
                await refuse(
                    Problem("internal", "the server failed; its log has the reason"), scope, receive, noted
                )
        finally:
            self._note(scope, status, time.perf_counter() - began)

    def _note(self, scope: Scope, status: int, took_s: float) -> None:
        route = getattr(scope.get("route"), "path_format", "")
        self._metrics.request(scope["method"], route, status, took_s)
        log.info(
            "%s %s %d %.1f ms client=%s key=%s id=%s",
            scope["method"],
            scope["path"],
            status,
            1000 * took_s,
            client_of(scope),
            scope["state"].get("key_id", "-"),
            scope["state"]["request_id"],
        )
