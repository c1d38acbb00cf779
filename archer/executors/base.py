"""The small asynchronous interface behind which tasks run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from archer.task import Report, TaskCall


class Executor(Protocol):
    """Runs task calls somewhere. Only the scheduler's thread calls it."""

    def capacity(self) -> int:
        """Tasks that may be under way at once."""

    def submit(self, ticket: int, call: TaskCall) -> None:
        """Start a task; `ticket` names it in reports. Never blocks for the task."""

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Reports that came, waiting at most `timeout_s` for the first: progress, and exactly one result per ticket."""

    def cancel(self, ticket: int) -> None:
        """Stop a task with all its children, now; no report of it follows."""

    def close(self) -> None:
        """Stop everything and give back what is held."""
