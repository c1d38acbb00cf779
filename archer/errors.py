"""Errors of archer, drawn as a tree.

CinemillError
├── ProcessError
│   ├── ToolMissing(FileNotFoundError)   a program we need is not installed
│   ├── ToolFailed(RuntimeError)         a child ended with an error     [retryable where it was killed]
│   ├── ToolTimeout(TimeoutError)        a child took too long           [retryable]
│   └── Cancelled                        we were told to stop
├── DiskFull(OSError)                    no space left where work is kept
├── SpecError(ValueError)                a job spec does not fit together
├── PlaceRefused(PermissionError)        a service may not read or write there for others
├── OpenServer(PermissionError)          a server would be open to the network without any key
├── CannotListen(OSError)                a server's address is taken, or not of this machine
├── ServerRefused(RuntimeError)          a server refused what a client asked
├── ServerUnreachable(ConnectionError)   a server does not answer a client                [retryable]
├── NotCanonical(TypeError)              a value that has no one text, so it cannot name a result
├── StageError(RuntimeError)             a stage does not do what it declares
├── StoreError
│   ├── StoreBusy                        another process works in this folder
│   ├── StoreTooNew                      the folder was written by a newer version
│   ├── LeaseLost                        a result came whose task had been given to another
│   ├── StateDamaged                     the job state cannot be read
│   ├── StateUnusable                    the database refuses what we ask
│   ├── StoreUnreachable                 there is no connection to the database      [retryable]
│   ├── UnknownJob(LookupError)          no submitted job has this id
│   ├── IdempotencyConflict              an idempotency key was used for something else
│   ├── IllegalTransition                a job in this state cannot do what is asked of it
│   └── BlobDamaged                      stored bytes do not match their name
├── TaskFailure                          why a task failed, as data that crosses processes
└── JobFailed(RuntimeError)              a job ended without its outputs
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from cinemill_native.errors import CinemillError

Category = Literal["user", "disk", "transient", "death", "memory", "timeout", "preempted"]
"""Why a task failed, as far as trying again goes: `user` and `disk` are never tried again by themselves."""


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
        retryable: True where something killed it (memory, mostly): that is no word about the input.
    """

    def __init__(self, argv: Sequence[str], exit_code: int, stderr_tail: str) -> None:
        super().__init__(tuple(argv), exit_code, stderr_tail)
        self.argv, self.exit_code, self.stderr_tail = tuple(argv), exit_code, stderr_tail
        self.retryable = exit_code == -9

    def __str__(self) -> str:
        tool = self.argv[0].rpartition("/")[2] if self.argv else "child"
        ended = f"killed by signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        return f"{tool}: {ended}: {_cause(self.stderr_tail)}"


SPEAKER = re.compile(r"^(\[[^]]* @ 0x[0-9a-f]+\] )+")
"""The part of ffmpeg that speaks, with its address in memory."""

CONSEQUENCE = re.compile(
    r"Error (opening (in|out)put|selecting an encoder|initializing|applying|splitting|while|sending|processing packet)"
    r"|Task finished|Terminating thread|Could not open encoder|Nothing was written|Conversion failed"
)
"""What ffmpeg says after it said what is wrong."""


def _cause(tail: str) -> str:
    """The line of a tool's last words that says most: the last one that is not only a consequence."""
    lines = [SPEAKER.sub("", line.strip()) for line in tail.splitlines() if line.strip()]
    causes = [line for line in lines if not CONSEQUENCE.match(line)]
    return (causes[-1:] or lines[:1] or ["no message"])[0]


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
        remedy = "free some or choose another --work-dir, then run the same command"
        return f"{self.place}: no space left on device; {remedy}"


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


class PlaceRefused(CinemillError, PermissionError):
    """A service may not read or write there for others.

    Attributes:
        url: what was named. reason: why not, and what is wanted.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


class OpenServer(CinemillError, PermissionError):
    """A server would be open to the network without any key.

    Attributes:
        host: where it was to listen.
    """

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host

    def __str__(self) -> str:
        remedy = "make a key first (cinemill serve keys add NAME), or listen on 127.0.0.1"
        return f"{self.host}: others can reach it, and there is no key; {remedy}"


class CannotListen(CinemillError, OSError):
    """A server's address is taken, or not of this machine.

    Attributes:
        place: host and port. reason: in the words of the system.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: cannot be listened on: {self.reason}; choose another --port or --host (port 0: any that is free)"


class ServerRefused(CinemillError, RuntimeError):
    """A server refused what a client asked.

    Attributes:
        status: HTTP status.
        problem: name of the kind of problem, as `job-not-found`.
        detail: what was wrong.
    """

    def __init__(self, status: int, problem: str, detail: str) -> None:
        super().__init__(status, problem, detail)
        self.status, self.problem, self.detail = status, problem, detail

    def __str__(self) -> str:
        remedy = "; give one by --key, $CINEMILL_KEY or Client(key=...)" if self.status == 401 else ""
        return f"{self.detail} ({self.problem}, HTTP {self.status}){remedy}"


class ServerUnreachable(CinemillError, ConnectionError):
    """A server does not answer a client.

    Attributes:
        url: of the server. reason: in the words of the connection.
    """

    retryable = True

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url}: does not answer: {self.reason}; start it with: cinemill serve"


class NotCanonical(CinemillError, TypeError):
    """A value that has no one text, so that it cannot be part of a name: a float, an open file.

    Attributes:
        where: which value.
        type_name: its type.
    """

    def __init__(self, where: str, type_name: str) -> None:
        super().__init__(where, type_name)
        self.where, self.type_name = where, type_name

    def __str__(self) -> str:
        wanted = "wanted text, int, bool, Decimal, Fraction, or a dataclass, mapping or list of them"
        return f"{self.where}: {self.type_name} has no canonical text; {wanted}"


class StageError(CinemillError, RuntimeError):
    """A stage does not do what it declares; the fault is in its code, not in the input."""


class StoreError(CinemillError):
    """Something about the stored state of jobs."""


class StoreBusy(StoreError):
    """Another process works in this folder.

    Attributes:
        folder: the work folder.
        holder: process id of the other one, 0 where it is unknown; or the name of a scheduler.
    """

    def __init__(self, folder: str, holder: int | str) -> None:
        super().__init__(folder, holder)
        self.folder, self.holder = folder, holder

    def __str__(self) -> str:
        remedy = "wait for it, stop it, or choose another --work-dir"
        who = self.holder if isinstance(self.holder, str) else f"process {self.holder or 'unknown'}"
        return f"{self.folder}: in use by {who}; {remedy}"


class StoreTooNew(StoreError):
    """The state in a folder was written by a newer version of the program.

    Attributes:
        folder: the work folder.
        found, known: schema version there, and the newest that this program reads.
    """

    def __init__(self, folder: str, found: int, known: int) -> None:
        super().__init__(folder, found, known)
        self.folder, self.found, self.known = folder, found, known

    def __str__(self) -> str:
        remedy = "upgrade cinemill, or choose another --work-dir"
        return f"{self.folder}: state of schema {self.found}, this version reads up to {self.known}; {remedy}"


class LeaseLost(StoreError):
    """A result was to be committed whose task is no longer leased to who made it; nothing of it was stored.

    Attributes:
        tasks: names of the tasks of the refused transaction.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tuple(tasks))
        self.tasks = tuple(tasks)

    def __str__(self) -> str:
        return f"{', '.join(self.tasks)}: another scheduler took over; this one must stop"


class StateDamaged(StoreError):
    """The file that holds the job state is damaged.

    Attributes:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: damaged; remove its folder and run the same command"


class StateUnusable(StoreError):
    """The database of the job state refuses what we ask: not writable, locked, of another make.

    Attributes:
        path: the file.
        reason: in the database's words.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        afar = "://" in self.path
        remedy = (
            "check the URL and its user" if afar else "make the folder writable, or choose another --work-dir"
        )
        return f"{self.path}: {self.reason}; {remedy}"


class StoreUnreachable(StoreError):
    """The database of the job state did not answer for a while.

    Attributes:
        place: its URL without the password.
        reason: in the driver's words.
    """

    retryable = True

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: cannot be reached: {self.reason}; start it or check the URL, nothing was lost"


class UnknownJob(StoreError, LookupError):
    """No submitted job has this id.

    Attributes:
        job: what was asked for.
    """

    def __init__(self, job: str) -> None:
        super().__init__(job)
        self.job = job

    def __str__(self) -> str:
        return f"{self.job}: no such job was submitted here"


class IdempotencyConflict(StoreError, ValueError):
    """An idempotency key came again with another order.

    Attributes:
        key: the key.
        job: what it stands for.
    """

    def __init__(self, key: str, job: str) -> None:
        super().__init__(key, job)
        self.key, self.job = key, job

    def __str__(self) -> str:
        return f"idempotency key {self.key!r} stands for job {self.job} with another order; use a new key"


class IllegalTransition(StoreError, ValueError):
    """A job cannot do what is asked of it.

    Attributes:
        job: its id. state: where it stands. action: what was asked.
    """

    def __init__(self, job: str, state: str, action: str) -> None:
        super().__init__(job, state, action)
        self.job, self.state, self.action = job, state, action

    def __str__(self) -> str:
        return f"job {self.job} is {self.state}: it cannot {self.action}"


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
        return f"{self.path}: missing or not what {self.hash[:19]} says; remove it and run the same command"


class TaskFailure(CinemillError):
    """Why a task of a job failed, as data that crosses from its worker.

    Attributes:
        task: node and item, `encode chunk-00003/720p`; only the node where it has but one item.
        kind: name of the original error's type.
        message: its message.
        traceback: its traceback as text, for debugging; empty where the worker died.
        category: what trying again may do; see `Category`.
        retryable: False for `user` and `disk`.
    """

    def __init__(
        self, task: str, kind: str, message: str, traceback: str = "", *, category: Category = "user"
    ) -> None:
        super().__init__(task, kind, message, traceback)
        self.task, self.kind, self.message, self.traceback = task, kind, message, traceback
        self.category: Category = category
        self.retryable = category not in ("user", "disk")

    def __str__(self) -> str:
        named = " " in self.task or self.category == "death"
        return f"{self.message} (in {self.task})" if named else self.message


class JobFailed(CinemillError, RuntimeError):
    """A job ended without its outputs; what was done is kept.

    Attributes:
        failures: the tasks that failed, first first; empty where the job was cancelled.
    """

    def __init__(self, failures: Sequence[TaskFailure]) -> None:
        super().__init__(tuple(failures))
        self.failures = tuple(failures)

    def __str__(self) -> str:
        if not self.failures:
            return "cancelled; what was done is kept, run the same command to go on"
        more = f" (and {len(self.failures) - 1} more)" if len(self.failures) > 1 else ""
        return f"{self.failures[0]}{more}"
