"""How often one address may ask; and how often it may guess at keys."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from archer.api.guards.asgi import ASGIApp, Receive, Scope, Send, client_of, refuse
from archer.api.problems import Problem

FREE = ("/healthz", "/readyz")
GUESSES = "10/minute"


class Rates:
    """Counts of one server process: requests, and wrong keys, by address.

    Args:
        rate: requests per address, as `200/second`; empty for no limit, of wrong keys neither.
    """

    def __init__(self, rate: str) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rate = parse(rate) if rate else None
        self._guesses = parse(GUESSES) if rate else None

    async def hit(self, client: str) -> None:
        """Count a request. Raises Problem where it is one too many."""
        if self._rate is not None and not await self._limiter.hit(self._rate, "requests", client):
            raise await self._too_many(self._rate, "requests", client)

    async def guessed(self, client: str) -> None:
        """Count a wrong key. Raises Problem where it is one too many; right ones of the same address are still served."""
        if self._guesses is not None and not await self._limiter.hit(self._guesses, "guesses", client):
            raise await self._too_many(self._guesses, "guesses", client)

    async def _too_many(self, rate: RateLimitItem, what: str, client: str) -> Problem:
        window = await self._limiter.get_window_stats(rate, what, client)
        wait_s = max(1, math.ceil(window.reset_time - time.time()))
        detail = f"more than {rate.amount} {what} in {rate.get_expiry()} s from this address"
        return Problem("too-many-requests", detail, headers={"Retry-After": str(wait_s)})


class RateGuard:
    """Refuses what comes too often.

    Args:
        app: what it stands before. rates: the counts.
    """

    def __init__(self, app: ASGIApp, *, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"] not in FREE:
            try:
                await self._rates.hit(client_of(scope))
            except Problem as problem:
                await refuse(problem, scope, receive, send)
                return
        await self._app(scope, receive, send)
