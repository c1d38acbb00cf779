"""Executor `inline`: tasks run in this process, one after another; for debugging and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from archer.scheduler.policy import Capacity
from archer.task import Progress, Report, TaskCall
from archer.worker import execute, failure_of, worker_name


class InlineExecutor:
    """Runs a try when its result is polled for. Its exceptions are the cause of the failures it reports.

    Args:
        workers: ignored; there is one.
    """

    name: ClassVar[str] = "inline"

    def __init__(self, workers: int | None = None) -> None:
        self._waiting: deque[TaskCall] = deque()

    def capacity(self) -> Capacity:
        """One task at a time."""
        return Capacity(cpu=1)

    def submit(self, call: TaskCall) -> None:
        """Queue a try."""
        self._waiting.append(call)

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Run the next try to its end."""
        if not self._waiting:
            return ()
        return self._reports(self._waiting.popleft())

    def _reports(self, call: TaskCall) -> list[Report]:
        reports: list[Report] = []

        def report(done: int, total: int) -> None:
            reports[:] = [Report(call.ticket, Progress(done=done, total=total), worker_name())]

        try:
            result = Report(call.ticket, execute(call, report), worker_name())
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
            failure = failure_of(call, error)
            failure.__cause__ = error
            result = Report(call.ticket, failure, worker_name())
        return [*reports, result]

    def cancel(self, ticket: int) -> None:
        """Drop a try that has not begun."""
        self._waiting = deque(call for call in self._waiting if call.ticket != ticket)

    def close(self) -> None:
        """Drop everything."""
        self._waiting.clear()
