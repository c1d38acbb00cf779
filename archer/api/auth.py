"""Who asks, and whether they may: bearer keys with scopes; without any key, whoever reaches a loopback address.

Keys of one name are one person's. What somebody submits belongs to the oldest of them, so that it stays theirs when the key is
replaced; without the scope `jobs:all` nothing else is shown to them, or can be asked for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from archer.api.keys import ALL_JOBS, SCOPES, ApiKey, matches, taken_apart
from archer.api.problems import Problem
from archer.api.services import Services, services_of
from archer.store.keys import KeyRows

bearer = HTTPBearer(
    auto_error=False, description="A key of `cinemill serve keys add`. Needed as soon as there is any key."
)
LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        id: of the key, or `local`.
        scopes: what it may do.
        keys: ids of all keys of the same name, the oldest first.
    """

    id: str
    scopes: tuple[str, ...]
    keys: tuple[str, ...]

    def may(self, scope: str) -> bool:
        """True where the caller has the scope."""
        return scope in self.scopes or "*" in self.scopes

    @property
    def owner(self) -> str:
        """To whom jobs, idempotency keys and webhooks of this caller belong."""
        return self.keys[0]

    @property
    def reach(self) -> tuple[str, ...] | None:
        """Owners of the jobs that the caller may know of; None for everybody's."""
        return None if self.may(ALL_JOBS) else self.keys

    def reaches(self, owner: str) -> bool:
        """True where the caller may know of what belongs to this owner."""
        return self.reach is None or owner in self.reach


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
        return _known(parts.keys, text)
    if parts.settings.loopback and not parts.keys.any():
        return Caller(id=LOCAL, scopes=("*",), keys=(LOCAL,))
    raise Problem("no-key", "wanted `Authorization: Bearer cmk_...`")


def _known(rows: KeyRows, text: str) -> Caller:
    taken = taken_apart(text)
    found = [ApiKey(**row) for row in rows.person(taken[0])] if taken else []
    key = next((each for each in found if taken and each.id == taken[0]), None)
    if taken is None or key is None or not matches(key, taken[1]):
        raise Problem("bad-key", "no such key")
    if not key.valid_at(_now_ms()):
        raise Problem("expired-key", f"key {key.id} has expired or was revoked")
    return Caller(id=key.id, scopes=key.scopes, keys=tuple(each.id for each in found))


def reach_of(rows: KeyRows, owner: str) -> tuple[str, ...] | None:
    """Owners of the jobs that somebody may know of who is not asking now, by any valid key; None for everybody's."""
    if owner == LOCAL and not rows.any():
        return None
    found = [ApiKey(**row) for row in rows.person(owner)]
    mine = [Caller(id=key.id, scopes=key.scopes, keys=()) for key in found if key.valid_at(_now_ms())]
    scopes = {scope for caller in mine if caller.may("webhooks:write") for scope in caller.scopes}
    if not scopes:
        return ()
    return Caller(id=owner, scopes=tuple(scopes), keys=tuple(key.id for key in found)).reach


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
