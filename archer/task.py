"""Tasks: what the scheduler hands out, and what crosses to a worker and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.stage import Input, Item, Part

Phase = Literal["split", "map", "collect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work: a phase of a node, on an item where the phase is `map`.

    Attributes:
        node: id of the node.
        phase: `split`, `map` or `collect`.
        item: what to map; the default item otherwise.
        round: 0, or how many times a collect has asked for more before.
    """

    node: str
    phase: Phase
    item: Item = field(default_factory=Item)
    round: int = 0

    @property
    def label(self) -> str:
        """The item's label for a map task, the phase otherwise; with the round where there was more than one."""
        text = self.item.label if self.phase == "map" else f"({self.phase})"
        return f"{text}#{self.round}" if self.round else text

    @property
    def name(self) -> str:
        """Unique within the job."""
        return f"{self.node}/{self.phase}/{self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """Everything a worker needs to run a task; pickles.

    Attributes:
        root: the work folder.
        stage: name to load the stage by.
        params: the stage's settings.
        task: what to do.
        inputs: resolved inputs of the node (for a map, those its item uses).
        parts: for a collect, all parts of all rounds.
        threads: threads of its children.
    """

    root: Path
    stage: str
    params: Any
    task: Task
    inputs: Mapping[str, Input | Sequence[Input]]
    parts: Sequence[Part] = ()
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """A worker's result: outputs by name (`items` for a split, `emit` for a collect that asks for more)."""

    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A worker's sign of life; `total` 0 for a bare heartbeat."""

    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What an executor says of a task."""

    ticket: int
    what: TaskDone | TaskFailure | Progress
