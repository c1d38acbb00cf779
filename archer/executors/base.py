"""The small asynchronous interface behind which tasks run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from archer.scheduler.policy import Capacity
from archer.task import Report, TaskCall


class Executor(Protocol):
    """Runs task calls somewhere. One thread calls it; nothing but `poll` waits.

    An implementation is installed by entry point group `cinemill.executors`, and is made with the number of workers
    asked for (None: as many as make sense). tests/conformance/test_executors.py says what it must do. One that lives
    in a time of its own has a method `clock` too: seconds that never go back. One that takes a while until it can begin has a
    method `prepare`, which gets the assets of the job, and is called before the job's state is opened.
    """

    name: ClassVar[str]

    def capacity(self) -> Capacity:
        """What may be under way at once; it may change."""

    def submit(self, call: TaskCall) -> None:
        """Start a try. Its ticket names it in reports."""

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """What came, waiting at most `timeout_s` for the first of it.

        For each try any number of `Progress` (a sign of life at least every 20 s while it runs), then exactly one
        `TaskDone` or `TaskFailure`; a worker that dies is a failure of category `death` or `memory`.
        """

    def cancel(self, ticket: int) -> None:
        """Stop a try with all its children, now; no report of it follows. An unknown ticket changes nothing."""

    def close(self) -> None:
        """Stop everything and give back what is held. A second call does nothing."""
