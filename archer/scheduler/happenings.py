"""What the scheduler is told: frozen data, one class per kind of event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.scheduler.policy import Capacity
from archer.stage import Item
from archer.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a task gave.

    Attributes:
        outputs: its artifacts by name.
        items: what a split gave, or what a collect asks to map next; None otherwise.
    """

    outputs: Mapping[str, Artifact]
    items: Sequence[Item] | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """The job starts; told once, first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The memo was searched, as `LookUp` asked for.

    Attributes:
        asked: the tasks of the action.
        hits: results found, by task name; the other tasks must be computed.
    """

    asked: Sequence[Task]
    hits: Mapping[str, Result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A try ended well. One whose ticket is no longer valid changes nothing.

    Attributes:
        cpu_ms: processor time that it took, counted against the budget.
    """

    ticket: int
    result: Result
    cpu_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A try failed; its worker may have died."""

    ticket: int
    failure: TaskFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """A try gave a sign of life, which prolongs its lease.

    Attributes:
        share: how much of it is done, 0 to 1; 0 for a bare heartbeat.
        started: it waited for a worker until now.
    """

    ticket: int
    share: float = 0.0
    started: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsStored:
    """The `parts@1` artifact that `StoreParts` asked for is stored."""

    node: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed: leases may have run out, delayed tasks may be due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized:
    """Workers came or went. What runs is left alone; only new tasks see the new capacity."""

    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more is to be started; what runs goes on."""


@dataclass(frozen=True, slots=True)
class Continue:
    """The job is to go on after a pause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Somebody wants the job to end now: for good (`cancelled`), or until it is resumed."""

    state: Literal["interrupted", "cancelled"] = "interrupted"


Happening = (
    Begin | Looked | Finished | Failed | Alive | PartsStored | Tick | Resized | Pause | Continue | Stop
)
