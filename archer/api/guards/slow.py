"""Clients that do not read what they asked for are cut off, so that they hold no memory and no connection."""

from __future__ import annotations

import asyncio

from archer.api.guards.asgi import ASGIApp, Message, Receive, Scope, Send


class ClientTooSlow(Exception):
    """A client did not take what it asked for in time; its connection is closed."""


class SlowReaders:
    """Bounds how long one piece of an answer may wait for the client.

    What waits is bounded as well: the server below stops taking pieces once 64 KiB are unsent.

    Args:
        app: what it stands before. patience_s: for one piece.
    """

    def __init__(self, app: ASGIApp, *, patience_s: float) -> None:
        self._app, self._patience_s = app, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def bounded(message: Message) -> None:
            try:
                async with asyncio.timeout(self._patience_s):
                    await send(message)
            except TimeoutError as error:
                abort = scope["state"].get("abort")
                if abort is not None:
                    abort()
                    await asyncio.sleep(0)
                raise ClientTooSlow from error

        await self._app(scope, receive, bounded)
