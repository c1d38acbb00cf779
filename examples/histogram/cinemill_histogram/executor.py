"""Executor `threads`: tasks in threads of this process, for stages that spend their time in native code or in children."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Sequence
from typing import ClassVar

from archer.scheduler import Capacity
from archer.task import Progress, Report, TaskCall
from archer.worker import execute, failure_of


class ThreadExecutor:
    """One thread per try; the scheduler keeps their number to the capacity. A thread cannot be killed: what is cancelled runs on.

    Args:
        workers: how many at once; None for the cores this process may use.
    """

    name: ClassVar[str] = "threads"

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or len(os.sched_getaffinity(0))
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._wanted: set[int] = set()

    def capacity(self) -> Capacity:
        """A core per worker."""
        return Capacity(cpu=self._workers)

    def submit(self, call: TaskCall) -> None:
        """Start a thread."""
        self._wanted.add(call.ticket)
        threading.Thread(target=self._run, args=[call], daemon=True).start()

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """What threads have reported of tries that are still wanted, and signs of life of the others."""
        came: list[Report] = []
        try:
            came.append(self._reports.get(timeout=min(timeout_s, 10.0)))
            while True:
                came.append(self._reports.get_nowait())
        except queue.Empty:
            pass
        wanted = [report for report in came if report.ticket in self._wanted]
        self._wanted -= {report.ticket for report in wanted if not isinstance(report.what, Progress)}
        return [*wanted, *(Report(ticket, Progress()) for ticket in self._wanted)]

    def cancel(self, ticket: int) -> None:
        """Forget a try."""
        self._wanted.discard(ticket)

    def close(self) -> None:
        """Forget all."""
        self._wanted.clear()

    def _run(self, call: TaskCall) -> None:
        def report(done: int, total: int) -> None:
            self._reports.put(Report(call.ticket, Progress(done=done, total=total)))

        try:
            self._reports.put(Report(call.ticket, execute(call, report)))
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
            self._reports.put(Report(call.ticket, failure_of(call, error)))
