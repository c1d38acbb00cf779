"""Executor `local`: tasks run in worker processes on this machine, which die with us and are used again and again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait

from archer.errors import TaskFailure
from archer.process import Limits, Peer
from archer.task import Progress, Report, TaskCall
from archer.worker import failure_of

WORKER_LIMITS = Limits(memory_mb=16384)


class WorkerDied(RuntimeError):
    """A worker process ended in the middle of a task."""

    retryable = True


class _Worker:
    """One worker process and the task it has."""

    def __init__(self) -> None:
        self.peer = Peer.python("archer.worker", limits=WORKER_LIMITS)
        self.ticket: int | None = None
        self.call: TaskCall | None = None

    @property
    def connection(self) -> Connection:
        return self.peer.connection

    def give(self, ticket: int, call: TaskCall) -> None:
        self.ticket, self.call = ticket, call
        self.connection.send(call)

    def take(self) -> list[Report]:
        """What came through the pipe; a broken pipe is the worker's death."""
        reports = []
        try:
            while self.ticket is not None and self.connection.poll():
                message = self.connection.recv()
                reports.append(Report(self.ticket, message))
                if not isinstance(message, Progress):
                    self.ticket = self.call = None
            if self.ticket is None:
                while self.connection.poll():
                    self.connection.recv()  # a heartbeat that crossed the result
        except (EOFError, OSError):
            reports += self._obituary()
        return reports

    def _obituary(self) -> list[Report]:
        code = self.peer.kill()
        if self.ticket is None or self.call is None:
            return []
        failure: TaskFailure = failure_of(self.call, WorkerDied(_cause(code)))
        return [Report(self.ticket, TaskFailure(failure.task, "WorkerDied", failure.message, retryable=True))]


class LocalExecutor:
    """Worker processes, started when they are first needed.

    Args:
        workers: how many; None for the cores this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._count = workers or len(os.sched_getaffinity(0))
        self._workers: list[_Worker] = []

    def capacity(self) -> int:
        """Number of workers."""
        return self._count

    def submit(self, ticket: int, call: TaskCall) -> None:
        """Give a task to an idle worker, starting one if need be."""
        worker = next((worker for worker in self._workers if worker.ticket is None), None)
        if worker is None:
            if len(self._workers) >= self._count:
                raise RuntimeError(f"submit: all {self._count} workers are busy; ask capacity() first")
            worker = _Worker()
            self._workers.append(worker)
        worker.give(ticket, call)

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Reports of all workers; a dead one is reported as a failure that may be tried again."""
        ready = wait([worker.connection for worker in self._workers], timeout_s) if self._workers else []
        reports: list[Report] = []
        for worker in [worker for worker in self._workers if worker.connection in ready]:
            reports += worker.take()
            if not worker.peer.alive:
                self._workers.remove(worker)
        return reports

    def cancel(self, ticket: int) -> None:
        """Kill the worker that has the task; its children die with it."""
        for worker in [worker for worker in self._workers if worker.ticket == ticket]:
            worker.peer.kill()
            self._workers.remove(worker)

    def close(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.peer.kill()
        self._workers.clear()


def _cause(code: int) -> str:
    if code == -9:
        return "the worker was killed (out of memory, or by someone); free memory or use fewer --workers"
    if code < 0:
        return f"the worker crashed with signal {-code}; the input may be damaged in a way that breaks the decoder"
    return f"the worker ended with exit code {code}"
