"""The one engine under both faces: object maps, read-ahead, the block cache, verified fetches.

A read looks into the cache (native, without the GIL). What is missing is claimed there, so that no two fetches bring the same
block, and fetched at once; what the policy foresees is claimed with what room is left, and fetched by the remaining threads.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mezzfs.crypt import opened
from mezzfs.disk import DiskCache, through
from mezzfs.errors import ChangedObject, MezzError, NotFound, Unreachable, errno_of, shown
from mezzfs.fetch import Fetch, Measured, Retries
from mezzfs.objects import ObjectMap, Part, Stat, whole
from mezzfs.observer import STATISTICS, Observer, Watch
from mezzfs.pace import Pace
from mezzfs.policy import Depth, Policy, Span
from mezzfs.stores import store_for
from mezzfs.stores.base import CHUNK, Bytes, Sealed
from mezzfs.workers import Workers

if TYPE_CHECKING:
    from cinemill_native._mount import BlockCache

BUDGET = 256 << 20
"""Bytes of the block cache, unless CINEMILL_MEZZFS_MEMORY says otherwise (in bytes)."""
TIMEOUT_S = 120.0
"""Longest wait of a read; retries give up much earlier."""
WAIT_S = 0.5
BLOCK = 32 << 10
"""Fetches begin at multiples of this, as the cache claims whole blocks."""
MOST_READ = 1 << 20
"""Bytes that the cache hands over at once."""
QUIET = 128 << 10
"""Bytes read without waiting before read-ahead looks at them."""
LEAST = 128 << 10
"""Free memory in the cache is read into directly where so much lies in one piece; shorter ones cost more calls than copies."""
log = logging.getLogger(__name__)
AHEAD = Retries(attempts=1)
"""Read-ahead is not tried again: a reader that comes to the place does that, with the patience that it has."""


@dataclass(slots=True)
class Counters:
    """What happened since the start."""

    requests: int = 0
    fetched_bytes: int = 0
    failures: int = 0
    hedges: int = 0
    opens: int = 0


class Shared:
    """One version of one file, shared by its open handles."""

    def __init__(self, number: int, name: str, layout: ObjectMap, stats: dict[str, Stat]) -> None:
        self.number, self.name, self.layout = number, name, layout
        self.size = layout.size
        self.opens = self.requests = self.used_bytes = self.fetched_bytes = 0
        self.error: MezzError | None = None
        self.place = _place(layout.extents[0].url if layout.extents else name)
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


@dataclass(slots=True, eq=False)
class Task:
    """One claimed range on its way into the cache; `owner` decides between it and a second, hedged try."""

    handle: Handle
    span: Span
    urgent: bool
    began_s: float = 0.0
    hedged: bool = False
    owner: object = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def won(self, who: object) -> bool:
        """True for whoever asks first, and for nobody else."""
        with self.lock:
            if self.owner is None:
                self.owner = who
            return self.owner is who


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
        self._watch_on = Watch(observer, self.cache, self._counted) if observer is not None else None
        self.retries = Retries()
        self.on_stale: Callable[[Shared], None] | None = None
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}
        self._shared: dict[tuple[ObjectMap, str], Shared] = {}
        self._numbers, self._handles = count(1), count(1)
        self._workers = Workers(self._connections)
        self._pressing: set[Task] = set()
        self._pressed = threading.Event()
        self._watching = False

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
        if self.observer is not None and self._watch_on is not None:
            self.observer.opened(handle.number, name, shared.size)
            self._watch_on.opened(shared.number, handle.number)
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

    def _pace(self, place: str) -> Pace:
        found = self._paces.get(place)
        return found if found is not None else self._paces.setdefault(place, Pace(split=self.split))

    def _connections(self) -> int:
        return max((pace.connections for pace in list(self._paces.values())), default=4)

    def demand(self, handle: Handle, offset: int, length: int) -> None:
        """Fetch what nobody fetches yet of a range that a reader waits for."""
        shared, complete = handle.shared, False
        while not complete and not handle.closed:
            runs, complete = self.cache.claim(
                shared.number, shared.size, offset, length, spare=False, wait_s=WAIT_S
            )
            self._schedule(handle, runs, urgent=True)

    def ahead(self, handle: Handle, span: Span) -> int:
        """Fetch a range that a reader will want, as far as there is room; returns up to where."""
        shared = handle.shared
        runs, complete = self.cache.claim(
            shared.number, shared.size, span.offset, span.length, spare=True, wait_s=0
        )
        self._schedule(handle, runs, urgent=False)
        if complete:
            return span.end
        return runs[-1][0] + runs[-1][1] if runs else span.offset

    def _schedule(self, handle: Handle, runs: Sequence[tuple[int, int]], *, urgent: bool) -> None:
        total = sum(length for _, length in runs)
        piece = self.pace(handle.shared).piece(total, urgent=urgent) if runs else 0
        piece = -(-piece // BLOCK) * BLOCK
        for offset, length in runs:
            for start in range(offset, offset + length, piece):
                span = Span(start, min(piece, offset + length - start))
                task = Task(handle, span, urgent)
                if urgent:
                    self._press(task)
                self._workers.submit(lambda task=task: self._run(task), urgent=urgent)  # type: ignore[misc]

    def _run(self, task: Task, *, twin: bool = False) -> None:
        me, shared = object(), task.handle.shared
        task.began_s = task.began_s or time.monotonic()
        done = 0
        try:
            for part in shared.layout.parts(*task.span):
                done += self._bring(task, part, task.span.offset + done, me)
                if task.owner not in (None, me):  # a twin brings it
                    return
        except MezzError as error:
            if (twin or task.hedged) and not task.won(me):
                return
            self._failed(task, done, error)
            return
        except Exception as error:  # a reader waits: it gets an error, not a hang
            log.exception("%s: a store failed in a way that it should not", shared.name)
            self._failed(task, done, Unreachable(shared.name, f"cannot be read: {type(error).__name__}"))
            return
        finally:
            self._pressing.discard(task)
            if self._watch_on is not None:
                with suppress(OSError):  # a log on a full disk holds up no reader
                    self._watch_on.look()
        if done < task.span.length:  # nobody wants it any more
            self.cache.fail(shared.number, task.span.offset + done, task.span.length - done, errno.EAGAIN)

    def _bring(self, task: Task, part: Part, at: int, me: object) -> int:
        """Fetch one part to file offset `at`; returns how many bytes arrived."""
        shared, extent = task.handle.shared, part.extent
        pace = self._pace(_place(extent.url))

        def alive() -> bool:
            return task.urgent or not task.handle.closed

        def sink(offset: int, data: Bytes) -> bool:
            self.counters.fetched_bytes += len(data)
            shared.fetched_bytes += len(data)
            place = at + offset - part.offset
            return self.cache.fill(shared.number, shared.size, place, data, isinstance(data, Sealed))

        def room(offset: int, left: int) -> memoryview | None:
            place = at + offset - extent.offset - part.offset
            return self.cache.room(shared.number, shared.size, place, min(left, CHUNK), min(left, LEAST))

        def found(start: int, length: int) -> None:
            if self.observer is not None:
                place = part.start + start - extent.offset
                self.observer.kept(task.handle.number, place, length, urgent=task.urgent)

        stat = shared.stat(extent.url)

        def ask(start: int, length: int, take: Callable[[int, Bytes], bool]) -> int:
            fetch = Fetch(
                store_for(extent.url),
                extent.url,
                stat,
                sink=take,
                alive=alive,
                room=room if extent.key is None and not extent.whole else _no_room,
                first=lambda: task.won(me),
                retries=self.retries if task.urgent else AHEAD,
                note=lambda got: self._note(task, pace, got, part.start - extent.offset),
            )
            try:
                return fetch.run(start, length)
            finally:
                self.counters.requests += fetch.requests
                shared.requests += fetch.requests

        kept = through(self.disk, f"{extent.url}|{stat.version}", ask, found)
        return opened(extent, part.offset, part.length, kept, sink)

    def _note(self, task: Task, pace: Pace, got: Measured, shift: int) -> None:
        """Take in one request; `shift`: from offsets in the object to those in the file."""
        if got.whole:
            pace.measured(got.first_byte_s, got.body_s, got.length)
        if self.observer is not None:
            now, handle = time.monotonic(), task.handle.number
            began = now - got.first_byte_s - got.body_s
            start = max(0, got.offset + shift)
            self.observer.fetched(handle, start, got.length, urgent=task.urgent, began_s=began, ended_s=now)

    def _failed(self, task: Task, done: int, error: MezzError) -> None:
        shared = task.handle.shared
        final = task.urgent or isinstance(error, ChangedObject | NotFound)
        if isinstance(error, NotFound):  # it was there when it was opened
            error = ChangedObject(error.url, "the object was removed while it was read")
        number = errno_of(error) if final else errno.EAGAIN
        if final:
            shared.error = error
            self.counters.failures += 1
            if self.observer is not None:
                self.observer.failed(task.handle.number, task.span.offset + done, number)
        if isinstance(error, ChangedObject) and self.on_stale is not None:
            self.on_stale(shared)
        self.cache.fail(shared.number, task.span.offset + done, task.span.length - done, number)

    def _press(self, task: Task) -> None:
        """Watch an urgent fetch: where its first byte is late, a second one is sent, and the faster one counts."""
        self._pressing.add(task)
        self._pressed.set()
        if not self._watching:
            with self._lock:
                started, self._watching = self._watching, True
            if not started:
                threading.Thread(target=self._watch, name="mezzfs-hedge", daemon=True).start()

    def _watch(self) -> None:
        while True:
            self._pressed.wait()
            if not self._pressing:
                self._pressed.clear()
                continue
            time.sleep(0.05)
            now = time.monotonic()
            for task in list(self._pressing):
                late = task.began_s and now - task.began_s > self.pace(task.handle.shared).late_s
                if late and task.owner is None and not task.hedged:
                    task.hedged = True
                    self.counters.hedges += 1
                    self._workers.submit(lambda task=task: self._run(task, twin=True), urgent=True)  # type: ignore[misc]

    def files(self, most: int = 50) -> list[dict[str, Any]]:
        """What each file cost, those that fetched most first: opens, requests, bytes that readers used and that came."""
        with self._lock:
            found = sorted(self._shared.values(), key=lambda one: one.fetched_bytes, reverse=True)[:most]
        return [one.costs() for one in found]

    def settle(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is being fetched; True if it is so."""
        return self._workers.settle(seconds)

    def close(self) -> None:
        """Stop fetching. Files that are still open fail."""
        self._workers.close()
        if self._watch_on is not None:
            self._watch_on.look(last=True)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _no_room(*_: int) -> None:
    return None


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
