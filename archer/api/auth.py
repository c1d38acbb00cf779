"""Who asks, and whether they may: bearer keys with scopes; without any key, whoever reaches a loopback address."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from archer.api.keys import SCOPES, ApiKey, matches, taken_apart
from archer.api.problems import Problem
from archer.api.services import Services, services_of
from archer.store.keys import KeyRows

bearer = HTTPBearer(
    auto_error=False, description="A key of `cinemill serve keys add`. Needed as soon as there is any key."
)
LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the id of a key, or `local`; jobs, idempotency keys and webhooks belong to it."""

    id: str
    scopes: tuple[str, ...]

    def may(self, scope: str) -> bool:
        """True where the caller has the scope."""
        return scope in self.scopes or "*" in self.scopes


def needs(scope: str) -> Any:
    """A dependency of routes: the caller, who has the scope. Refuses with 401, 403 or 429."""
    if scope not in SCOPES:
        raise ValueError(f"{scope}: no such scope")

    async def caller(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Caller:
        return await admitted(request, given, scope)

    return Security(_named(caller, scope))


async def admitted(request: Request, given: HTTPAuthorizationCredentials | None, scope: str) -> Caller:
    """Who asks with this key, and has the scope. Refuses with 401, 403 or 429, and counts wrong keys."""
    if given is None and "authorization" in request.headers:
        raise Problem("bad-key", "wanted `Authorization: Bearer cmk_...`")
    return await caller_of(request, given.credentials if given else "", scope)


def _named(function: Callable[..., Awaitable[Caller]], scope: str) -> Callable[..., Awaitable[Caller]]:
    function.__name__ = f"caller_with_{scope.replace(':', '_')}"
    return function


async def caller_of(request: Request, text: str, scope: str) -> Caller:
    """The same for a key as text, empty for none."""
    parts = services_of(request)
    try:
        found = await run_in_threadpool(_caller, parts, text)
    except Problem as problem:
        if problem.kind == "bad-key":
            await parts.rates.guessed(request.client.host if request.client else "")
        raise
    request.state.key_id = found.id
    if not found.may(scope):
        raise Problem("wrong-scope", f"it needs the scope {scope}")
    return found


def _caller(parts: Services, text: str) -> Caller:
    if text:
        key = _key(parts.keys, text)
        return Caller(id=key.id, scopes=key.scopes)
    if parts.settings.loopback and not parts.keys.any():
        return Caller(id=LOCAL, scopes=("*",))
    raise Problem("no-key", "wanted `Authorization: Bearer cmk_...`")


def _key(rows: KeyRows, text: str) -> ApiKey:
    taken = taken_apart(text)
    row = rows.get(taken[0]) if taken else None
    if taken is None or row is None:
        raise Problem("bad-key", "no such key")
    key = ApiKey(**row)
    if not matches(key, taken[1]):
        raise Problem("bad-key", "no such key")
    if not key.valid_at(time.time_ns() // 1_000_000):
        raise Problem("expired-key", f"key {key.id} has expired or was revoked")
    return key
