"""The template of worker processes: a small process without threads that forks workers when it is asked to.

    python -m archer.executors.forkserver DESCRIPTOR [MODULE ...]

The descriptor is a SOCK_SEQPACKET socket. In: ("fork", name) with the worker's pipe as a passed descriptor,
("kill", pid). Out: ("forked", name, pid), ("ended", pid, exit code). A fork of this process takes milliseconds, where
a new interpreter takes a quarter of a second, and half of one with the MODULEs that read media, which are imported once,
before the first fork. It never imports anything of the user's, nor starts a thread, so forking it is safe. It dies with
the scheduler, the workers die with it, their children with them.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import pickle
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, NoReturn

MESSAGE_BYTES = 4096
PR_SET_PDEATHSIG = 1


def send(control: socket.socket, *message: Any) -> None:
    """Send one message."""
    control.send(pickle.dumps(message))


def received(control: socket.socket) -> tuple[tuple[Any, ...], list[int]]:
    """One message with the descriptors passed along.

    Raises:
        EOFError: the other end is gone.
    """
    data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
    if not data:
        raise EOFError
    return pickle.loads(data), descriptors  # noqa: S301  it comes from our own other half


class Template:
    """Forks workers and tells how they end.

    Args:
        control: the scheduler's socket.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._alive: set[int] = set()
        reader, writer = socket.socketpair()
        reader.setblocking(False)  # noqa: FBT003  the signature is the standard library's
        writer.setblocking(False)  # noqa: FBT003
        self._wakeups = (reader, writer)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> None:
        """Do as asked until the scheduler is gone."""
        import select

        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(self._wakeups[0], select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in waiting.poll()}
            if self._wakeups[0].fileno() in ready:
                self._bury()
            if self._control.fileno() in ready:
                try:
                    message, descriptors = received(self._control)
                except (EOFError, ConnectionError):
                    return
                self._obey(message, descriptors)

    def _obey(self, message: tuple[Any, ...], descriptors: list[int]) -> None:
        match message:
            case ("fork", name):
                pid = self._fork(descriptors[0])
                os.close(descriptors[0])
                self._alive.add(pid)
                send(self._control, "forked", name, pid)
            case ("kill", pid) if pid in self._alive:  # not buried yet, so the number is still its own
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)

    def _bury(self) -> None:
        with suppress(BlockingIOError):
            while self._wakeups[0].recv(4096):
                pass
        while self._alive:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._alive.discard(pid)
            send(self._control, "ended", pid, os.waitstatus_to_exitcode(status))

    def _fork(self, descriptor: int) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become_worker(parent, descriptor)
        with suppress(PermissionError, ProcessLookupError):  # the child does it too; whoever comes first
            os.setpgid(pid, pid)
        return pid

    def _become_worker(self, parent: int, descriptor: int) -> NoReturn:
        try:
            os.setpgid(0, 0)
            die_with(parent)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for end in self._wakeups:
                end.close()
            os.set_inheritable(descriptor, False)  # noqa: FBT003
            from archer.worker import serve

            serve(Connection(descriptor))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the scheduler is gone: nobody wants the rest
        except BaseException:  # noqa: BLE001  told on stderr, which the scheduler keeps
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)


def _wake(*_: object) -> None:
    """Let the interpreter write to the wakeup pipe, which a default action does not."""


def die_with(parent: int) -> None:
    """Be killed when the process `parent`, which must be ours, ends."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    """Entry point."""
    gc.disable()  # nothing of what is imported is garbage
    for name in ("archer.worker", *sys.argv[2:]):
        import_module(name)  # what every worker needs is imported once
    gc.freeze()  # collections in workers leave these pages shared
    gc.enable()
    os.dup2(2, 1)  # prints of stages go where the scheduler looks for last words, never to its own output
    faulthandler.enable()
    Template(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
