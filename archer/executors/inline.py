"""Executor `inline`: tasks run in this process, one after another; for debugging and tests."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from archer.task import Progress, Report, TaskCall
from archer.worker import execute, failure_of


class InlineExecutor:
    """Runs a task when its result is polled for.

    Args:
        workers: ignored; there is one.
    """

    def __init__(self, workers: int | None = None) -> None:  # noqa: ARG002  executors are made alike
        self._waiting: deque[tuple[int, TaskCall]] = deque()

    def capacity(self) -> int:
        """One."""
        return 1

    def submit(self, ticket: int, call: TaskCall) -> None:
        """Queue a task."""
        self._waiting.append((ticket, call))

    def poll(self, timeout_s: float) -> Sequence[Report]:  # noqa: ARG002  there is nothing to wait for
        """Run the next task to its end."""
        if not self._waiting:
            return ()
        ticket, call = self._waiting.popleft()
        reports: list[Report] = []

        def report(done: int, total: int) -> None:
            reports[:] = [Report(ticket, Progress(done=done, total=total))]

        try:
            result = Report(ticket, execute(call, report))
        except Exception as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
            result = Report(ticket, failure_of(call, error))
        return [*reports, result]

    def cancel(self, ticket: int) -> None:
        """Drop a task that has not started."""
        self._waiting = deque(entry for entry in self._waiting if entry[0] != ticket)

    def close(self) -> None:
        """Drop everything."""
        self._waiting.clear()
