"""The one engine under both faces: object maps, read-ahead, the block cache, verified fetches.

A read looks into the cache (native, without the GIL). What is missing is claimed there, so that no two fetches bring the same
block, and fetched at once; what the policy foresees is claimed with what room is left, and fetched by the remaining threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from mezzfs.bringing import Bringing
from mezzfs.disk import DiskCache
from mezzfs.errors import ChangedObject, MezzError, Unreachable
from mezzfs.fetch import Retries
from mezzfs.handle import Handle, Shared
from mezzfs.objects import ObjectMap, Stat, whole
from mezzfs.observer import STATISTICS, Observer, Watch
from mezzfs.pace import Pace, place_of
from mezzfs.policy import Depth, Span
from mezzfs.stores import store_for

if TYPE_CHECKING:
    from cinemill_native._mount import BlockCache

BUDGET = 256 << 20
"""Bytes of the block cache, unless CINEMILL_MEZZFS_MEMORY says otherwise (in bytes)."""
WAIT_S = 0.5
"""Longest wait for room in the cache before a reader looks whether its file is still open."""


@dataclass(slots=True)
class Counters:
    """What happened since the start."""

    requests: int = 0
    fetched_bytes: int = 0
    failures: int = 0
    hedges: int = 0
    opens: int = 0


class Core:
    """Cache, threads and open files of one process.

    Args:
        budget: bytes of the cache; everything fetched is kept there and nowhere else.
        observer: sees what happens.
        touch: make the whole cache resident now, not as it is used.
        disk: where bytes from stores are kept for later processes.
        split: ask a far store for parts of what a reader waits for at once; False costs one request where that costs four.
    """

    def __init__(
        self,
        *,
        budget: int = BUDGET,
        observer: Observer | None = None,
        touch: bool = False,
        disk: DiskCache | None = None,
        split: bool = True,
    ) -> None:
        from cinemill_native._mount import BlockCache

        self.cache: BlockCache = BlockCache(budget)
        self.budget, self.observer, self.disk, self.split = budget, observer, disk, split
        if touch:
            self.cache.touch()
        self.counters = Counters()
        self.watch = Watch(observer, self.cache, self._counted) if observer is not None else None
        self.retries = Retries()
        self.on_stale: Callable[[Shared], None] | None = None
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}
        self._shared: dict[tuple[ObjectMap, str], Shared] = {}
        self._numbers, self._handles = count(1), count(1)
        self._bringing = Bringing(self)

    def open(self, url: str) -> Handle:
        """Open one whole object.

        Raises:
            MezzError: it is not there, or cannot be read.
        """
        found = self.patiently(lambda: store_for(url).stat(url))
        return self.open_map(whole(url, found.size), name=url, stats={url: found})

    def open_map(self, layout: ObjectMap, *, name: str, stats: dict[str, Stat] | None = None) -> Handle:
        """Open a file made of pieces; `stats`: the versions of its objects, where they are known already."""
        stats = stats or {}
        version = "|".join(stats[url].version for url in sorted(stats))
        with self._lock:
            key = layout, version
            shared = self._shared.pop(key, None)
            if shared is None or shared.error is not None:
                shared = Shared(next(self._numbers), name, layout, dict(stats))
            self._shared[key] = shared  # most recently used last
            if len(self._shared) > 4096:
                old = self._shared.pop(next(iter(self._shared)))
                self.cache.forget(old.number)
            handle = Handle(self, shared, next(self._handles))
            shared.opens += 1
            self.counters.opens += 1
        if self.observer is not None and self.watch is not None:
            self.observer.opened(handle.number, name, shared.size)
            self.watch.opened(shared.number, handle.number)
        return handle

    def _counted(self) -> tuple[int, ...]:
        return tuple(getattr(self.counters, name) for name in STATISTICS[:4])

    def patiently(self, ask: Callable[[], Stat]) -> Stat:
        """Ask a store until it answers, as often as fetches are tried."""
        for failures in range(1, self.retries.attempts + 1):
            try:
                return ask()
            except MezzError as error:
                if not error.retryable or failures == self.retries.attempts:
                    raise
                time.sleep(self.retries.pause_s(failures))
        raise AssertionError("not reached")

    def check(self, shared: Shared, number: int = 0) -> None:
        """Raise what makes a file unreadable: it has changed, or its last fetch failed with `number`."""
        error = shared.error
        if error is not None and (number or isinstance(error, ChangedObject)):
            raise type(error)(error.url, error.reason) from error
        if number:
            raise Unreachable(shared.name, f"no answer in time ({os.strerror(number)})")

    def depth(self, shared: Shared) -> Depth:
        """How far to read ahead of a file."""
        return self.pace(shared).depth(self.budget)

    def pace(self, shared: Shared) -> Pace:
        """What is known of the speed of a file's first store."""
        return self._pace(shared.place)

    def pace_at(self, url: str) -> Pace:
        """What is known of the speed of the store of an object."""
        return self._pace(place_of(url))

    def _pace(self, place: str) -> Pace:
        found = self._paces.get(place)
        return found if found is not None else self._paces.setdefault(place, Pace(split=self.split))

    def connections(self) -> int:
        """How many threads may read ahead at once, over all stores."""
        return max((pace.connections for pace in list(self._paces.values())), default=4)

    def demand(self, handle: Handle, offset: int, length: int) -> None:
        """Fetch what nobody fetches yet of a range that a reader waits for."""
        shared, complete = handle.shared, False
        while not complete and not handle.closed:
            runs, complete = self.cache.claim(
                shared.number, shared.size, offset, length, spare=False, wait_s=WAIT_S
            )
            self._bringing.begin(handle, runs, urgent=True)

    def ahead(self, handle: Handle, span: Span) -> int:
        """Fetch a range that a reader will want, as far as there is room; returns up to where."""
        shared = handle.shared
        runs, complete = self.cache.claim(
            shared.number, shared.size, span.offset, span.length, spare=True, wait_s=0
        )
        self._bringing.begin(handle, runs, urgent=False)
        if complete:
            return span.end
        return runs[-1][0] + runs[-1][1] if runs else span.offset

    def files(self, most: int = 50) -> list[dict[str, Any]]:
        """What each file cost, those that fetched most first: opens, requests, bytes that readers used and that came."""
        with self._lock:
            found = sorted(self._shared.values(), key=lambda one: one.fetched_bytes, reverse=True)[:most]
        return [one.costs() for one in found]

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is being fetched; True if it is so."""
        return self._bringing.workers.settle(seconds)

    def close(self) -> None:
        """Stop fetching. Files that are still open fail."""
        self._bringing.workers.close()
        if self.watch is not None:
            self.watch.look(last=True)


_core: Core | None = None
_core_lock = threading.Lock()


def core() -> Core:
    """The engine of this process, made on first use."""
    global _core
    with _core_lock:
        if _core is None:
            _core = Core(budget=int(os.environ.get("CINEMILL_MEZZFS_MEMORY", BUDGET)))
        return _core


def _forget() -> None:  # threads do not survive a fork
    global _core, _core_lock
    _core, _core_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
