"""Open files: what a reader asks of the engine, and where a policy watches it."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mezzfs.errors import MezzError, Unreachable, shown
from mezzfs.objects import ObjectMap, Stat
from mezzfs.pace import place_of
from mezzfs.policy import Policy, Span
from mezzfs.stores import store_for

if TYPE_CHECKING:
    from mezzfs.core import Core

TIMEOUT_S = 120.0
"""Longest wait of a read; retries give up much earlier."""
MOST_READ = 1 << 20
"""Bytes that the cache hands over at once."""
QUIET = 128 << 10
"""Bytes read without waiting before read-ahead looks at them."""


class Shared:
    """One version of one file, shared by its open handles."""

    def __init__(self, number: int, name: str, layout: ObjectMap, stats: dict[str, Stat]) -> None:
        self.number, self.name, self.layout = number, name, layout
        self.size = layout.size
        self.opens = self.requests = self.used_bytes = self.fetched_bytes = 0
        self.error: MezzError | None = None
        self.place = place_of(layout.extents[0].url if layout.extents else name)
        self._stats, self._lock = stats, threading.Lock()

    def costs(self) -> dict[str, Any]:
        """What it cost so far."""
        facts = ("opens", "requests", "used_bytes", "fetched_bytes")
        return {"name": shown(self.name)} | {fact: getattr(self, fact) for fact in facts}

    def stat(self, url: str) -> Stat:
        """The version of one of its objects, as it was when first used."""
        with self._lock:
            found = self._stats.get(url)
        if found is None:
            found = store_for(url).stat(url)
            with self._lock:
                found = self._stats.setdefault(url, found)
        return found


class Handle:
    """One opening of a file: a place where a policy watches the reads."""

    def __init__(self, core: Core, shared: Shared, number: int) -> None:
        self.core, self.shared, self.number = core, shared, number
        self.closed = False
        self.used_bytes = 0
        self._policy = Policy(shared.size)
        self._lock = threading.Lock()
        self._quiet = self._told = 0, 0
        self._left_s = self._thought_s = 0.0

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.shared.size

    def read_into(self, offset: int, into: memoryview) -> int:
        """Fill `into` from `offset` on; returns the bytes read, fewer only at the end of the file.

        Raises:
            MezzError: the bytes cannot be had.
        """
        wanted = min(len(into), max(0, self.size - offset))
        done = 0
        self._came_back()
        while done < wanted:
            done += self._read_some(offset + done, into[done : min(wanted, done + MOST_READ)])
        self._left_s = time.perf_counter()
        return done

    def _came_back(self) -> None:
        if self._left_s:
            self._thought_s += time.perf_counter() - self._left_s

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from `offset` on, fewer than `length` only at the end of the file. Raises: as `read_into`."""
        shared = self.shared
        length = max(0, min(length, shared.size - offset))
        if 0 < length <= MOST_READ and shared.error is None:
            found = self.core.cache.get(shared.number, shared.size, offset, length)
            if found is not None:
                self._came_back()
                self._hit(offset, length)
                self._left_s = time.perf_counter()
                return found
        data = bytearray(length)
        self.read_into(offset, memoryview(data))
        return bytes(data)

    def _read_some(self, offset: int, into: memoryview) -> int:
        cache, shared = self.core.cache, self.shared
        self.core.check(shared)
        got = cache.read(shared.number, shared.size, offset, into)
        if got >= 0:
            self._hit(offset, got)
            return got
        self._tell_quiet()
        self.noticed(offset, len(into), missed=True, thought_s=self._thought())
        ticket = cache.enter(shared.number, shared.size, offset, len(into))
        number = errno.EAGAIN
        until = time.monotonic() + TIMEOUT_S
        while number == errno.EAGAIN and time.monotonic() < until:
            self.core.demand(self, offset, len(into))
            number = ticket.wait(TIMEOUT_S)
        if number:
            self.core.check(shared, number)
        got = ticket.collect(into)
        if got < 0:
            raise Unreachable(
                shared.name, f"the bytes from {offset} on were damaged in this machine's memory"
            )
        return got

    def _hit(self, offset: int, length: int) -> None:
        """Short reads that find everything, one after the other, are noticed as one, unless somebody watches."""
        if self.core.observer is not None:
            return self.noticed(offset, length, missed=False, thought_s=self._thought())
        start, end = self._told
        if start <= offset and offset + length <= end:  # the same again says nothing new
            self._used(length)
            return None
        start, end = self._quiet
        if offset != end:
            self._tell_quiet()
            start = offset
        self._quiet = start, offset + length
        if offset + length - start >= QUIET:
            self._tell_quiet()
        return None

    def _used(self, length: int) -> None:
        self.used_bytes += length
        self.shared.used_bytes += length

    def _tell_quiet(self) -> None:
        (start, end), self._quiet = self._quiet, (0, 0)
        if end > start:
            self._told = start, end
            self.noticed(start, end - start, missed=False, thought_s=self._thought())

    def _thought(self) -> float:
        thought_s, self._thought_s = self._thought_s, 0.0
        return thought_s

    def noticed(self, offset: int, length: int, *, missed: bool, thought_s: float) -> None:
        """Take a read into account: fetch what it waits for, and what comes next; `thought_s`: see `Policy.on_read`."""
        if missed:
            self.core.demand(self, offset, length)
        self._used(length)
        with self._lock:
            depth = self.core.depth(self.shared)
            spans = self._policy.on_read(offset, length, depth, waited=missed, thought_s=thought_s)
            for span in spans:
                self._ahead(span)
        if self.core.observer is not None:
            self.core.observer.read(self.number, offset, length, hit=not missed)

    def hint(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Say which half-open byte ranges will be read, in order."""
        if not ranges:
            return
        with self._lock:
            for span in self._policy.hint(ranges, self.core.depth(self.shared)):
                self._ahead(span)

    def _ahead(self, span: Span) -> None:
        end = self.core.ahead(self, span)
        if end < span.end:
            self._policy.fell_short(span.end, end)

    def close(self) -> None:
        """Stop reading ahead; what was fetched stays in the cache."""
        if not self.closed:
            self._tell_quiet()
            self.closed = True
            if self.core.observer is not None:
                self.core.observer.closed(self.number)
