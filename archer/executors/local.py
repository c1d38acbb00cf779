"""Executor `local`: tasks run in worker processes on this machine, which die with us and are used again."""

from __future__ import annotations

import logging
import os
import pickle
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection, wait
from typing import Any, ClassVar

from archer.errors import SpecError, TaskFailure
from archer.executors.forkserver import received, send
from archer.media.asset import Asset
from archer.process import Child, Limits
from archer.scheduler.policy import Capacity
from archer.task import Progress, Report, TaskCall
from archer.worker import worker_name

BEAT_S = 10.0
OBITUARY_S = 2.0
LAST_WORDS = 12
MEDIA = ("av", "numpy", "archer.media.reader", "archer.media.convert")
"""What every task needs that reads a title; imported once for all workers of a job that has one."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Asks glibc (2.35 and later; others take no notice) to ask for huge pages where the system gives them on request: pictures are
megabytes, and x264 alone touches 100 MB before its first picture comes out."""
log = logging.getLogger(__name__)


class Worker:
    """One worker process and the try it has.

    Attributes:
        connection: our end of its pipe.
        pid: its process id; 0 until the template has told.
        call: the try it runs; None while it is idle.
        condemned: it is to be killed as soon as its process id is known.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.pid = 0
        self.exit_code: int | None = None
        self.call: TaskCall | None = None
        self.condemned = False

    @property
    def name(self) -> str:
        """What it is called in reports; empty until its process id is known."""
        return worker_name(self.pid) if self.pid else ""

    def give(self, call: TaskCall) -> None:
        """Hand it a try. A worker that is dead by now is noticed by the next `take`."""
        self.call = call
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((call.ticket, main_of(call), pickle.dumps(call)))

    def take(self) -> Iterator[Report]:
        """What came through its pipe of the try it has. Raises EOFError where it is dead."""
        try:
            while self.connection.poll():
                report: Report = self.connection.recv()
                if self.call is not None and report.ticket == self.call.ticket:
                    yield report
                    if not isinstance(report.what, Progress):
                        self.call = None
        except ConnectionResetError as error:
            raise EOFError from error


class Template:
    """The process that forks workers; see `archer.executors.forkserver`. Started by the first worker wanted.

    Args:
        modules: what it imports before it forks any.
    """

    def __init__(self, modules: Sequence[str] = ()) -> None:
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._names = count()
        self._workers: dict[int, Worker] = {}
        with theirs:
            argv = [sys.executable, "-P", "-m", "archer.executors.forkserver", str(theirs.fileno()), *modules]
            self._child = Child(
                argv,
                limits=Limits(memory_mb=None),
                env=_environment(),
                pass_fds=[theirs.fileno()],
                on_stderr_line=self._hear,
            )

    def fork(self) -> Worker:
        """A new worker. Its process id comes later, by `listen`."""
        ours, theirs = socket.socketpair()
        with theirs:
            worker, name = Worker(Connection(ours.detach())), next(self._names)
            self._workers[name] = worker
            with suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self.control, [pickle.dumps(("fork", name))], [theirs.fileno()])
        return worker

    def listen(self, timeout_s: float = 0.0) -> bool:
        """Take in what it says of its workers; False where it is gone."""
        while wait([self.control], timeout_s):
            try:
                message, _ = received(self.control)
            except (EOFError, ConnectionError):
                return False
            match message:
                case ("forked", name, pid):
                    self._workers[name].pid = pid
                    if self._workers[name].condemned:
                        self._kill(pid)
                case ("ended", pid, code):
                    name = next(name for name, worker in self._workers.items() if worker.pid == pid)
                    self._workers.pop(name).exit_code = code
            timeout_s = 0.0
        return True

    def kill(self, worker: Worker) -> None:
        """Kill a worker with its process group; one that is not forked yet, as soon as it is."""
        if worker.pid:
            self._kill(worker.pid)
        worker.condemned = True
        worker.connection.close()

    def _kill(self, pid: int) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            send(self.control, "kill", pid)

    def await_news(self, enough: Any) -> None:
        """Listen until `enough()`, or until nothing more is to be hoped for."""
        deadline = time.monotonic() + OBITUARY_S
        while not enough() and time.monotonic() < deadline and self.listen(0.05):
            pass

    def close(self) -> None:
        """Kill all workers and the template."""
        for worker in list(self._workers.values()):
            self.kill(worker)
        self.await_news(lambda: not any(worker.pid for worker in self._workers.values()))
        self._child.kill()
        self.control.close()

    def _hear(self, line: str) -> None:
        self.last_words.append(line)
        log.info("%s", line)


class LocalExecutor:
    """Worker processes, forked when they are first needed, each with one task at a time.

    Args:
        workers: how many; None for the cores this process may use.
    """

    name: ClassVar[str] = "local"

    def __init__(self, workers: int | None = None) -> None:
        self._count = workers or len(os.sched_getaffinity(0))
        self._template: Template | None = None
        self._workers: list[Worker] = []
        self._next_beat = 0.0

    def prepare(self, assets: Sequence[Asset]) -> None:
        """Start what forks workers: it imports what they need while the scheduler gets ready."""
        self._started(assets)

    def capacity(self) -> Capacity:
        """A core per worker, and the memory of the machine."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Capacity(cpu=self._count, memory_mb=memory >> 20)

    def submit(self, call: TaskCall) -> None:
        """Give a try to an idle worker, forking one if need be."""
        main_of(call)  # refuses what no worker can import before one is asked
        worker = next((worker for worker in self._workers if worker.call is None), None)
        if worker is None:
            worker = self._started(call.assets).fork()
            self._workers.append(worker)
        worker.give(call)

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Reports of all workers; a dead one is a failure that may be tried again."""
        if self._template is None:
            return ()
        ends = [worker.connection for worker in self._workers]
        ready = wait([*ends, self._template.control], min(timeout_s, BEAT_S))
        reports = list(self._beats())
        if self._template.control in ready and not self._template.listen():
            return [*reports, *self._all_dead()]
        for worker in [worker for worker in self._workers if worker.connection in ready]:
            try:
                reports.extend(worker.take())
            except EOFError:
                self._workers.remove(worker)
                reports.extend(self._obituary(self._template, worker))
        return reports

    def cancel(self, ticket: int) -> None:
        """Kill the worker that has the try; its children die with it."""
        for worker in [worker for worker in self._workers if worker.call and worker.call.ticket == ticket]:
            self._workers.remove(worker)
            if self._template is not None:
                self._template.kill(worker)

    def close(self) -> None:
        """Kill all workers."""
        if self._template is not None:
            self._template.close()
        self._workers, self._template = [], None

    def _started(self, assets: Sequence[Asset]) -> Template:
        self._template = self._template or Template(MEDIA if assets else ())
        return self._template

    def _beats(self) -> Iterator[Report]:
        """Signs of life: a worker whose pipe is open is alive."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_S
            yield from (
                Report(worker.call.ticket, Progress(), worker.name) for worker in self._workers if worker.call
            )

    def _obituary(self, template: Template, worker: Worker) -> Iterator[Report]:
        template.await_news(lambda: worker.exit_code is not None)
        worker.connection.close()
        if worker.call is not None:
            death = _death(worker.call, worker.exit_code, template.last_words)
            yield Report(worker.call.ticket, death, worker.name)

    def _all_dead(self) -> Iterator[Report]:
        """The template was killed, and its workers with it; the next try starts another."""
        for worker in self._workers:
            worker.connection.close()
            if worker.call is not None:
                yield Report(worker.call.ticket, _death(worker.call, -9, ()), worker.name)
        self.close()


def _death(call: TaskCall, code: int | None, last_words: Sequence[str]) -> TaskFailure:
    if code == -9:
        why = "the worker was killed (out of memory, or by someone); free memory or use fewer workers"
    elif code is not None and code < 0:
        why = f"the worker crashed with signal {-code}; the input may be damaged in a way that breaks the decoder"
    else:
        why = f"the worker ended with exit code {code}"
    return TaskFailure(call.task.title, "WorkerDied", why, "\n".join(last_words), category="death")


def main_of(call: TaskCall) -> str | None:
    """Path of the script that defines the stage or its settings, where that is the one we were started with.

    Raises:
        SpecError: they are defined in an interactive session.
    """
    if "__main__" not in (type(call.stage).__module__, type(call.params).__module__):
        return None
    path: str | None = getattr(sys.modules["__main__"], "__file__", None)
    if path is None:
        problem = (
            f"{type(call.stage).__name__} is defined in an interactive session, which workers cannot import"
        )
        raise SpecError("stage", f"{problem}; move it to a module, or use executor='inline'")
    return os.path.abspath(path)  # noqa: PTH100  resolve() would follow links


def _environment() -> dict[str, str]:
    """Ours, with our import path, one thread for every numeric library (workers fill the cores by themselves), and huge pages."""
    one = {name: os.environ.get(name, "1") for name in ONE_THREAD}
    return {
        **HUGE_PAGES,
        **os.environ,
        **one,
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
    }
