"""Bodies: declared as JSON, whole within a time, not larger than is sensible, and text that every database can keep."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from archer.api.guards.asgi import ASGIApp, Message, Receive, Scope, Send, header, refuse
from archer.api.problems import Problem

FORMS = ("/login", "/logout", "/jobs/", "/queues/")
"""Addresses of pages whose forms are sent there; everything else takes JSON only."""
DRAIN_BYTES, DRAIN_S = 8 << 20, 2.0


class Bodies:
    """Reads the body of a request before anything else looks at it.

    Args:
        app: what it stands before.
        most: bytes that a body may have. patience_s: how long all of it may take.
    """

    def __init__(self, app: ASGIApp, *, most: int, patience_s: float) -> None:
        self._app, self._most, self._patience_s = app, most, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except Problem as problem:
            if problem.kind == "body-too-large" and not header(scope, b"expect"):
                await _drain(receive)
            await refuse(problem, scope, receive, send)
            return
        if body is None:  # the client went away
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        declared = header(scope, b"content-length")
        if declared.isdigit() and int(declared) > self._most:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._patience_s):
                body = await self._collect(receive)
        except TimeoutError:
            detail = f"the body did not arrive within {self._patience_s:g} s"
            raise Problem("slow-request", detail, headers={"Connection": "close"}) from None
        if body and not _is_form(scope):
            _check(header(scope, b"content-type"), body)
        return body

    async def _collect(self, receive: Receive) -> bytes | None:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._most:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> Problem:
        return Problem(
            "body-too-large", f"wanted at most {self._most} bytes", headers={"Connection": "close"}
        )


async def _drain(receive: Receive) -> None:
    """Take what is on its way, within bounds: a connection closed over unread bytes is reset, and nobody reads the answer."""
    left = DRAIN_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _is_form(scope: Scope) -> bool:
    """A form for a page; `archer.api.dashboard.forms` reads it, and only from our own pages. The API takes none."""
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    path = str(scope["path"])
    return kind == "application/x-www-form-urlencoded" and path.startswith(FORMS)


def _check(kind: str, body: bytes) -> None:
    name = kind.partition(";")[0].strip().lower()
    if name != "application/json" and not (name.startswith("application/") and name.endswith("+json")):
        raise Problem("not-json", f"wanted Content-Type: application/json, got {name[:60] or 'none'}")
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem("malformed-body", f"wanted JSON in UTF-8; it is not{where}") from error
    if any("\0" in text or not _encodable(text) for text in _texts(value)):
        raise Problem("malformed-body", "text with NUL or with half of a surrogate pair cannot be kept")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value, names of fields included; no recursion, so depth does not matter."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            yield from found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
