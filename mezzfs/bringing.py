"""Fetches: claimed ranges of files on their way from their stores into the cache."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mezzfs.crypt import opened
from mezzfs.disk import through
from mezzfs.errors import ChangedObject, MezzError, NotFound, Unreachable, errno_of
from mezzfs.fetch import Fetch, Measured, Retries
from mezzfs.handle import Handle
from mezzfs.objects import Part
from mezzfs.pace import Pace
from mezzfs.policy import Span
from mezzfs.stores import store_for
from mezzfs.stores.base import CHUNK, Bytes, Sealed
from mezzfs.workers import Workers

if TYPE_CHECKING:
    from mezzfs.core import Core

BLOCK = 32 << 10
"""Fetches begin at multiples of this, as the cache claims whole blocks."""
LEAST = 128 << 10
"""Free memory in the cache is read into directly where so much lies in one piece; shorter ones cost more calls than copies."""
LOOK_S = 0.05
"""How often fetches that a reader waits for are looked at."""
AHEAD = Retries(attempts=1)
"""Read-ahead is not tried again: a reader that comes to the place does that, with the patience that it has."""
log = logging.getLogger(__name__)


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


class Bringing:
    """Brings claimed ranges into the cache of an engine: each in a thread, and twice where its store is late."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.workers = Workers(core.connections)
        self._pressing: set[Task] = set()
        self._pressed = threading.Event()
        self._lock, self._watching = threading.Lock(), False

    def begin(self, handle: Handle, runs: Sequence[tuple[int, int]], *, urgent: bool) -> None:
        """Fetch ranges that were claimed, in pieces; `urgent`: a reader waits for them."""
        total = sum(length for _, length in runs)
        piece = self.core.pace(handle.shared).piece(total, urgent=urgent) if runs else 0
        piece = -(-piece // BLOCK) * BLOCK
        for offset, length in runs:
            for start in range(offset, offset + length, piece):
                span = Span(start, min(piece, offset + length - start))
                task = Task(handle, span, urgent)
                if urgent:
                    self._press(task)
                self.workers.submit(lambda task=task: self._run(task), urgent=urgent)  # type: ignore[misc]

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
            if self.core.watch is not None:
                with suppress(OSError):  # a log on a full disk holds up no reader
                    self.core.watch.look()
        if done < task.span.length:  # nobody wants it any more
            self.core.cache.fail(
                shared.number, task.span.offset + done, task.span.length - done, errno.EAGAIN
            )

    def _bring(self, task: Task, part: Part, at: int, me: object) -> int:
        """Fetch one part to file offset `at`; returns how many bytes arrived."""
        shared, extent = task.handle.shared, part.extent
        pace = self.core.pace_at(extent.url)

        def alive() -> bool:
            return task.urgent or not task.handle.closed

        def sink(offset: int, data: Bytes) -> bool:
            self.core.counters.fetched_bytes += len(data)
            shared.fetched_bytes += len(data)
            place = at + offset - part.offset
            return self.core.cache.fill(shared.number, shared.size, place, data, isinstance(data, Sealed))

        def room(offset: int, left: int) -> memoryview | None:
            place = at + offset - extent.offset - part.offset
            return self.core.cache.room(shared.number, shared.size, place, min(left, CHUNK), min(left, LEAST))

        def found(start: int, length: int) -> None:
            if self.core.observer is not None:
                place = part.start + start - extent.offset
                self.core.observer.kept(task.handle.number, place, length, urgent=task.urgent)

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
                retries=self.core.retries if task.urgent else AHEAD,
                note=lambda got: self._note(task, pace, got, part.start - extent.offset),
            )
            try:
                return fetch.run(start, length)
            finally:
                self.core.counters.requests += fetch.requests
                shared.requests += fetch.requests

        kept = through(self.core.disk, f"{extent.url}|{stat.version}", ask, found)
        return opened(extent, part.offset, part.length, kept, sink)

    def _note(self, task: Task, pace: Pace, got: Measured, shift: int) -> None:
        """Take in one request; `shift`: from offsets in the object to those in the file."""
        if got.whole:
            pace.measured(got.first_byte_s, got.body_s, got.length)
        if self.core.observer is not None:
            now, handle = time.monotonic(), task.handle.number
            began = now - got.first_byte_s - got.body_s
            start = max(0, got.offset + shift)
            self.core.observer.fetched(
                handle, start, got.length, urgent=task.urgent, began_s=began, ended_s=now
            )

    def _failed(self, task: Task, done: int, error: MezzError) -> None:
        shared = task.handle.shared
        final = task.urgent or isinstance(error, ChangedObject | NotFound)
        if isinstance(error, NotFound):  # it was there when it was opened
            error = ChangedObject(error.url, "the object was removed while it was read")
        number = errno_of(error) if final else errno.EAGAIN
        if final:
            shared.error = error
            self.core.counters.failures += 1
            if self.core.observer is not None:
                self.core.observer.failed(task.handle.number, task.span.offset + done, number)
        if isinstance(error, ChangedObject) and self.core.on_stale is not None:
            self.core.on_stale(shared)
        self.core.cache.fail(shared.number, task.span.offset + done, task.span.length - done, number)

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
            time.sleep(LOOK_S)
            now = time.monotonic()
            for task in list(self._pressing):
                late = task.began_s and now - task.began_s > self.core.pace(task.handle.shared).late_s
                if late and task.owner is None and not task.hedged:
                    task.hedged = True
                    self.core.counters.hedges += 1
                    self.workers.submit(lambda task=task: self._run(task, twin=True), urgent=True)  # type: ignore[misc]


def _no_room(*_: int) -> None:
    return None
