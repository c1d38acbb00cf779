"""What the scheduler asks for: frozen data, to be carried out in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.scheduler.happenings import Result
from archer.stage import Part, Resources
from archer.task import Inputs, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Keep these map tasks: the items of a node's round are known.

    Attributes:
        weight: sum of the weights of the tasks, in the stage's unit.
    """

    node: str
    round: int
    tasks: Sequence[Task]
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Search the memo for results, and answer with `Looked`.

    Attributes:
        tasks: of one node and phase.
        inputs: resolved inputs of the node.
        parts: for a collect, what it joins.
    """

    tasks: Sequence[Task]
    inputs: Inputs
    parts: Artifact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A result was found: the task is done."""

    task: Task
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Lease a task and give it to the executor.

    Attributes:
        ticket: fencing token of this try; greater than any before in this store.
        attempt: 1 for the first try.
        until: when the lease runs out without a sign of life.
        inputs: what the task may read: what its item uses, or the inputs of its node.
        resources: what the task gets; more than its stage asked for where that was not enough.
        copy_of: ticket of the try that this one runs beside, on another machine if there is one; 0 for the only try.
    """

    task: Task
    ticket: int
    attempt: int
    until: float
    inputs: Inputs
    resources: Resources
    parts: Artifact | None = None
    copy_of: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Keep a lease's new end."""

    task: Task
    ticket: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Make a result visible, exactly once: the store refuses it where the ticket is no longer the task's."""

    task: Task
    ticket: int
    attempt: int
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Keep that a try failed and that the task is tried again at `at`."""

    task: Task
    ticket: int
    attempt: int
    failure: TaskFailure
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """Keep that a task failed for good. Ticket and attempt are 0 where it never ran."""

    task: Task
    ticket: int
    attempt: int
    failure: TaskFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Abandon:
    """Cancel a try in the executor; with `final`, keep that the task is cancelled."""

    task: Task
    ticket: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Keep that one of several tries of a task ended, while another goes on or has won.

    Attributes:
        failure: why; None where it was only slower.
    """

    task: Task
    ticket: int
    attempt: int
    failure: TaskFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Keep that the job is paused, or goes on."""

    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreParts:
    """Store the parts of a node as one `parts@1` artifact, and answer with `PartsStored`."""

    node: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDone:
    """Keep the outputs of a node."""

    node: str
    outputs: Mapping[str, Artifact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The job is over; nothing runs any more.

    Attributes:
        state: `partial` where all nodes gave their outputs, some of them without a few of their items.
    """

    state: Literal["done", "partial", "failed", "interrupted", "cancelled"]
    failures: Sequence[TaskFailure] = ()


Action = (
    Planned
    | LookUp
    | Recall
    | Launch
    | Renew
    | Commit
    | Retry
    | Poison
    | Abandon
    | Dropped
    | Paused
    | StoreParts
    | NodeDone
    | Ended
)
