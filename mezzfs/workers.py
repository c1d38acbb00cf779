"""Threads that fetch: what somebody waits for first, reading ahead in the room that is left."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

log = logging.getLogger(__name__)
MOST_THREADS = 32


class Workers:
    """A pool of daemon threads, started as they are needed.

    Args:
        ahead: how many threads may read ahead at once, asked before each such job.
    """

    def __init__(self, ahead: Callable[[], int]) -> None:
        self._ahead = ahead
        lock = threading.Lock()
        self._changed, self._quiet = threading.Condition(lock), threading.Condition(lock)
        self._urgent: deque[Callable[[], None]] = deque()
        self._later: deque[Callable[[], None]] = deque()
        self._threads = self._idle = self._running_later = 0
        self._closed = False

    def submit(self, job: Callable[[], None], *, urgent: bool) -> None:
        """Run `job` as soon as a thread is free; it must not raise."""
        with self._changed:
            (self._urgent if urgent else self._later).append(job)
            waiting = len(self._urgent) + len(self._later)
            if self._idle < waiting and self._threads < MOST_THREADS:
                self._threads += 1
                name = f"mezzfs-fetch-{self._threads}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._changed.notify()

    def settle(self, seconds: float) -> bool:
        """Wait until every job is done; True if they are."""

        def done() -> bool:
            return not self._urgent and not self._later and self._idle == self._threads

        with self._quiet:
            return self._quiet.wait_for(done, seconds)

    def close(self) -> None:
        """Let the threads end after their present jobs; what was not begun is dropped."""
        with self._changed:
            self._closed = True
            self._urgent.clear()
            self._later.clear()
            self._changed.notify_all()

    def _next(self) -> tuple[Callable[[], None], bool] | None:
        if self._urgent:
            return self._urgent.popleft(), True
        if self._later and self._running_later < self._ahead():
            self._running_later += 1
            return self._later.popleft(), False
        return None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                found = self._next()
                if found is None and self._idle == self._threads:
                    self._quiet.notify_all()
                while found is None and not self._closed:
                    self._changed.wait()
                    found = self._next()
                self._idle -= 1
                if found is None:
                    self._threads -= 1
                    return
            job, urgent = found
            try:
                job()
            except Exception:
                log.exception("a fetch ended in an error that it should have handled")
            finally:
                del job, found
                with self._changed:
                    self._running_later -= not urgent
