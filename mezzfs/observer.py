"""Who sees what an engine does: the protocol, and what tells it of the cache. See `mezzfs.replay`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cinemill_native._mount import BlockCache

EVERY_S = 1.0
"""Between two statistics."""
STATISTICS = ("requests", "fetched_bytes", "failures", "hedges", "hits", "misses", "ready", "loading")
"""Counters of the engine (see `mezzfs.core.Counters`), then of the cache: reads, and blocks."""


class Observer(Protocol):
    """Sees what happens, in the order of its happening; called from many threads."""

    def opened(self, handle: int, name: str, size: int) -> None:
        """A file was opened."""

    def read(self, handle: int, offset: int, length: int, *, hit: bool) -> None:
        """A reader asked for bytes; `hit`: they were there."""

    def fetched(
        self, handle: int, offset: int, length: int, *, urgent: bool, began_s: float, ended_s: float
    ) -> None:
        """Bytes came from a store; times as of `time.monotonic`."""

    def kept(self, handle: int, offset: int, length: int, *, urgent: bool) -> None:
        """Bytes came from the disk cache."""

    def evicted(self, handle: int, offset: int, length: int, *, used: bool) -> None:
        """Bytes left the cache in memory; `used`: a reader had got them."""

    def counted(self, numbers: tuple[int, ...]) -> None:
        """The counters named in `STATISTICS`."""

    def failed(self, handle: int, offset: int, number: int) -> None:
        """A fetch failed for good, with this errno."""

    def closed(self, handle: int) -> None:
        """A file was closed."""

    def close(self) -> None:
        """Nothing more will happen."""


class Watch:
    """Tells an observer what happens in a cache, whose files have numbers of their own. Thread-safe.

    Args:
        observer: is told.
        cache: is asked.
        counters: the first numbers of `STATISTICS`, now.
    """

    def __init__(
        self, observer: Observer, cache: BlockCache, counters: Callable[[], tuple[int, ...]]
    ) -> None:
        self._observer, self._cache, self._counters = observer, cache, counters
        self._handles: dict[int, int] = {}
        self._lock = threading.Lock()
        self._counted_s = 0.0
        cache.watch()

    def opened(self, file: int, handle: int) -> None:
        """Blocks of `file` are told of as those of its last opening."""
        self._handles[file] = handle

    def look(self, *, last: bool = False) -> None:
        """Tell what has been evicted, and the statistics where the last ones are old, or these are the last."""
        with self._lock:
            for file, offset, length, used in self._cache.evicted():
                self._observer.evicted(self._handles.get(file, 0), offset, length, used=used)
            now = time.monotonic()
            if not last and now - self._counted_s < EVERY_S:
                return
            self._counted_s, cache = now, self._cache.stats()
            self._observer.counted((*self._counters(), *(cache[name] for name in STATISTICS[4:])))
