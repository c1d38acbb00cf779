"""Wakes those who wait for events: one small question to the database for all of them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from archer.store.database import Database
from archer.store.overview import last_event
from cinemill_native.errors import CinemillError

log = logging.getLogger(__name__)
POLL_S = 0.2


class Tail:
    """Knows how far the stream of events has come, as of a moment ago.

    Nothing is kept for a client but its place in the stream: whoever is woken reads on from there, page by page. So a client that
    reads slowly costs nothing, and one that comes back misses nothing.

    Attributes:
        last: place of the last event.
        closing: the server is about to stop; streams end.
    """

    def __init__(self, database: Database) -> None:
        self._db, self._news = database, asyncio.Condition()
        self.last, self.closing, self._waiting = 0, False, 0

    async def wait(self, known: int, timeout_s: float) -> bool:
        """Wait until something follows the place `known`; False where nothing did in time."""
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout_s), self._news:
                await self._news.wait_for(lambda: self.last != known or self.closing)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def run(self) -> None:
        """Look again and again, while anybody waits; ends when it is cancelled."""
        while True:
            if self._waiting:
                with suppress(CinemillError):
                    await self.look()
            await asyncio.sleep(POLL_S)

    async def look(self) -> int:
        """Ask now, and wake everybody where there is something new; returns the last place."""
        found = await run_in_threadpool(last_event, self._db)
        if found != self.last:
            async with self._news:
                self.last = found
                self._news.notify_all()
        return found

    async def close(self) -> None:
        """End all streams."""
        async with self._news:
            self.closing = True
            self._news.notify_all()
