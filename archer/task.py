"""Tasks: what the scheduler hands out, what crosses to a worker, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.media.asset import Asset
from archer.stage import Input, Item, Resources, Stage

Phase = Literal["split", "map", "collect"]
Inputs = Mapping[str, Input | Sequence[Input]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One piece of work: a phase of a node, on an item where the phase is `map`.

    Attributes:
        node: id of the node.
        phase: `split`, `map` or `collect`.
        item: what to map; the default item otherwise.
        round: 0, or how many times a collect has asked for more before.
        place: position of a map task among all of its node, over all rounds.
        label: the item's label for a map task, with the round where it is not the first; empty otherwise.
        name: unique within the job.
    """

    node: str
    phase: Phase
    item: Item = field(default_factory=Item)
    round: int = 0
    place: int = 0
    label: str = field(init=False, compare=False, repr=False)
    name: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Both names are asked for many times per task."""
        label = self.item.label if self.phase == "map" else ""
        label = f"{label}#{self.round}" if label and self.round else label
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "name", f"{self.node}/{self.phase}/{label or self.round}")

    @property
    def title(self) -> str:
        """For people: `encode chunk-00003/720p`, `encode (split)`; only the node where it has but one item."""
        if self.phase != "map":
            return f"{self.node} ({self.phase})"
        return self.node if self.label == "all" else f"{self.node} {self.label}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCall:
    """Everything a worker needs to run one try of a task; pickles.

    Attributes:
        ticket: names this try; no other of the same job store has it.
        root: the work folder.
        stage, params: what computes, and its settings.
        task: what to do.
        inputs: resolved inputs of the node; for a map with `uses`, those and nothing else.
        parts: for a collect, the `parts@1` artifact of all parts of all rounds.
        assets: all assets of the job, so that stored items find theirs.
        resources: what the task may use.
        copy_of: ticket of the try that this one runs beside, better on another machine; 0 for the only one.
        remote: URL where artifacts go too; see `ArtifactStore`.
    """

    ticket: int
    root: Path
    stage: Stage[Any]
    params: Any
    task: Task
    inputs: Inputs
    parts: Artifact | None = None
    assets: Sequence[Asset] = ()
    resources: Resources = field(default_factory=Resources)
    copy_of: int = 0
    remote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """A worker's result.

    Attributes:
        outputs: artifacts by name; `items` alone, of kind `items@1`, for a split and a collect that asks for more.
        log: lines the task logged.
        cpu_ms: processor time of the task and its children, measured. wall_ms: how long it ran, without waiting
            for a worker; 0 where only the scheduler can tell.
        cards: what the task shows of itself, by name; never read by another task.
    """

    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    cpu_ms: int = 0
    wall_ms: int = 0
    cards: Mapping[str, Artifact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A sign of life; `total` 0 for a bare heartbeat; `started` where the try waited for a worker until now."""

    done: int = 0
    total: int = 0
    started: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an executor says of a try; `worker` is where it runs (`host/pid`), as far as that is known by then."""

    ticket: int
    what: TaskDone | TaskFailure | Progress
    worker: str = ""


ITEMS = "items@1"
"""Kind of the artifact that holds the items of a split, or those a collect asks for."""
PARTS = "parts@1"
"""Kind of the artifact that holds the parts of a node: items and their outputs."""
