"""Errors of archer, drawn as a tree.

    CinemillError
    ├── ProcessError
    │   ├── ToolMissing(FileNotFoundError)   a program we need is not installed
    │   ├── ToolFailed(RuntimeError)         a child ended with an error
    │   ├── ToolTimeout(TimeoutError)        a child took too long            [retryable]
    │   └── Cancelled                        we were told to stop
    ├── DiskFull(OSError)                    no space left where work is kept
    ├── SpecError(ValueError)                a job spec does not fit together
    ├── StoreError
    │   ├── StoreBusy                        another process works in this folder
    │   └── BlobDamaged                      stored bytes do not match their name
    └── JobFailed                            a job ended without its outputs
        └── (TaskFailure says which task, why, and the worker's traceback)
"""

from __future__ import annotations

from collections.abc import Sequence

from cinemill_native.errors import CinemillError


class ProcessError(CinemillError):
    """Something about a child process."""


class ToolMissing(ProcessError, FileNotFoundError):
    """A program we need is not installed.

    Attributes:
        tool: its name.
        remedy: how to get it.
    """

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(tool, remedy)
        self.tool, self.remedy = tool, remedy

    def __str__(self) -> str:
        return f"{self.tool}: not found; {self.remedy}"


class ToolFailed(ProcessError, RuntimeError):
    """A child ended with an error.

    Attributes:
        argv: what was run.
        exit_code: its exit code; negative for the signal that ended it.
        stderr_tail: its last 20 lines on stderr.
    """

    def __init__(self, argv: Sequence[str], exit_code: int, stderr_tail: str) -> None:
        super().__init__(tuple(argv), exit_code, stderr_tail)
        self.argv, self.exit_code, self.stderr_tail = tuple(argv), exit_code, stderr_tail

    def __str__(self) -> str:
        tool = self.argv[0].rpartition("/")[2] if self.argv else "child"
        lines = [line.strip() for line in self.stderr_tail.splitlines() if line.strip()]
        ended = f"killed by signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        return f"{tool}: {ended}: {lines[-1] if lines else 'no message'}"


class ToolTimeout(ProcessError, TimeoutError):
    """A child took longer than it may.

    Attributes:
        argv: what was run.
        timeout_s: what it was given.
    """

    retryable = True

    def __init__(self, argv: Sequence[str], timeout_s: float) -> None:
        super().__init__(tuple(argv), timeout_s)
        self.argv, self.timeout_s = tuple(argv), timeout_s

    def __str__(self) -> str:
        tool = self.argv[0].rpartition("/")[2]
        return f"{tool}: not done within {self.timeout_s:g} s; it was stopped"


class Cancelled(ProcessError):
    """The work was told to stop."""


class DiskFull(CinemillError, OSError):
    """No space is left where work is kept.

    Attributes:
        place: the folder or file that could not be written.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: no space left on device; free some or choose another --work-dir, then run the same command"


class SpecError(CinemillError, ValueError):
    """A job spec does not fit together.

    Attributes:
        field: where, as `nodes[2].inputs.media`.
        problem: what is wrong, what was wanted.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field, self.problem = field, problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class StoreError(CinemillError):
    """Something about the stored state of jobs."""


class StoreBusy(StoreError):
    """Another process works in this folder.

    Attributes:
        folder: the work folder.
        holder: process id of the other one, 0 where it is unknown.
    """

    def __init__(self, folder: str, holder: int) -> None:
        super().__init__(folder, holder)
        self.folder, self.holder = folder, holder

    def __str__(self) -> str:
        return f"{self.folder}: in use by process {self.holder}; wait for it, stop it, or choose another --work-dir"


class BlobDamaged(StoreError):
    """Stored bytes are missing or do not match their name.

    Attributes:
        hash: the name.
        path: where it should be.
    """

    def __init__(self, hash: str, path: str) -> None:  # noqa: A002  the field's own word
        super().__init__(hash, path)
        self.hash, self.path = hash, path

    def __str__(self) -> str:
        return f"{self.path}: missing or not what {self.hash[:19]} says; remove the work folder and run again"


class TaskFailure(CinemillError):
    """What a task of a job failed of, as it crossed from its worker.

    Attributes:
        task: node and item, `encode chunk-00003/720p`.
        kind: name of the original error's type.
        message: its message.
        traceback: its traceback as text, for `debug`; empty where the worker died.
        retryable: whether trying again may help.
    """

    def __init__(self, task: str, kind: str, message: str, traceback: str = "", *, retryable: bool = False) -> None:
        super().__init__(task, kind, message, traceback)
        self.task, self.kind, self.message, self.traceback = task, kind, message, traceback
        self.retryable = retryable

    def __reduce__(self) -> tuple[object, ...]:
        return (_task_failure, (self.task, self.kind, self.message, self.traceback, self.retryable))

    def __str__(self) -> str:
        return f"{self.task}: {self.message}"


def _task_failure(task: str, kind: str, message: str, traceback: str, retryable: bool) -> TaskFailure:  # noqa: FBT001
    return TaskFailure(task, kind, message, traceback, retryable=retryable)


class JobFailed(CinemillError, RuntimeError):
    """A job ended without its outputs; what was done is kept.

    Attributes:
        failures: the tasks that failed, first first.
    """

    def __init__(self, failures: Sequence[TaskFailure]) -> None:
        super().__init__(tuple(failures))
        self.failures = tuple(failures)

    def __str__(self) -> str:
        first = self.failures[0]
        more = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
        return f"{first.message if first.kind != 'WorkerDied' else first}{more}"
