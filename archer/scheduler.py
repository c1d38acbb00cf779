"""The scheduler as a pure state machine: state + event + now -> actions. No I/O, no clock, no threads.

    scheduler = Scheduler(plan, capacity=2)
    actions = scheduler.handle(Tick(), now=0.0)
    actions = scheduler.handle(Finished(task=task, items=...), now=12.5)

A node goes waiting -> split -> map -> collect -> done; a collect that asks for more goes back to map.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.plan import Plan, PlannedNode
from archer.stage import Input, Item, Part
from archer.task import Task
from archer.worker import collects, splits

MAX_ATTEMPTS = 3
BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Event: a task's result is committed (or was there already).

    Attributes:
        task: which.
        outputs: its artifacts by name.
        items: what a split gave, or a collect asked for; None otherwise.
    """

    task: Task
    outputs: Mapping[str, Artifact]
    items: Sequence[Item] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Event: a try of a task failed."""

    task: Task
    failure: TaskFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsStored:
    """Event: the `parts@1` artifact that `StoreParts` asked for is stored."""

    node: str
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Tick:
    """Event: time has passed; the first one starts the job."""


Happening = Finished | Failed | PartsStored | Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Action: run a task, or find its result in the memo.

    Attributes:
        task: which.
        attempt: 1 for the first try.
        inputs: resolved inputs that the task reads.
        parts: for a collect, all parts of all rounds in the order of their items.
    """

    task: Task
    attempt: int
    inputs: Mapping[str, Input | Sequence[Input]]
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreParts:
    """Action: store the parts of a node that does not collect."""

    node: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Action: tell that the items of a node are known.

    Attributes:
        items: how many; weight: the sum of their weights; round: which round of map.
    """

    node: str
    items: int
    weight: int
    round: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDone:
    """Action: tell that a node's outputs are there."""

    node: str
    outputs: Mapping[str, Artifact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """Action: tell that a task will be tried again at `at`."""

    task: Task
    failure: TaskFailure
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Action: the job is over; whatever still runs is to be cancelled."""

    state: Literal["done", "failed"]
    failures: Sequence[TaskFailure] = ()


Action = Launch | StoreParts | Planned | NodeDone | Retrying | Ended


@dataclass(slots=True)
class _Progress:
    """Where a node stands."""

    state: Literal["waiting", "busy", "done"] = "waiting"
    round: int = 0
    items: list[Item] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    open: int = 0


class Scheduler:
    """Decides what runs next: nodes as their inputs appear, heaviest items first, failed tries again with back-off.

    Args:
        plan: the job.
        capacity: tasks that may run at once.
    """

    def __init__(self, plan: Plan, *, capacity: int) -> None:
        self._plan, self._capacity = plan, capacity
        self._nodes = {node.id: _Progress() for node in plan.nodes}
        self._outputs: dict[str, Artifact] = {}
        self._ready: list[tuple[int, int, int, Task]] = []
        self._delayed: list[tuple[float, int, Task]] = []
        self._attempts: dict[str, int] = {}
        self._running = 0
        self._count = 0
        self._over = False

    @property
    def outputs(self) -> Mapping[str, Artifact]:
        """Outputs so far, as `node.output`."""
        return self._outputs

    @property
    def next_wake(self) -> float | None:
        """When a delayed task becomes ready; None where there is none."""
        return self._delayed[0][0] if self._delayed else None

    def handle(self, happening: Happening, now: float) -> list[Action]:
        """Take in what happened; returns what to do, in order. Events after the end change nothing."""
        if self._over:
            return []
        match happening:
            case Finished():
                self._running -= 1
                actions = list(self._finished(happening))
            case Failed():
                self._running -= 1
                actions = list(self._failed(happening, now))
            case PartsStored():
                actions = list(self._node_done(happening.node, {"parts": happening.artifact}))
            case Tick():
                actions = list(self._begin_nodes())
        return actions if self._over else [*actions, *self._launch(now)]

    def _begin_nodes(self) -> Iterator[Action]:
        for place, node in enumerate(self._plan.nodes):
            progress = self._nodes[node.id]
            if progress.state == "waiting" and all(self._nodes[need].state == "done" for need in node.needs):
                progress.state = "busy"
                if splits(node.stage):
                    self._enqueue(Task(node=node.id, phase="split"), place)
                else:
                    yield from self._map(node, [Item()])

    def _map(self, node: PlannedNode, items: Sequence[Item]) -> Iterator[Action]:
        progress = self._nodes[node.id]
        progress.items += items
        progress.open = len(items)
        yield Planned(node=node.id, items=len(items), weight=sum(item.weight for item in items), round=progress.round)
        for item in items:
            self._enqueue(Task(node=node.id, phase="map", item=item, round=progress.round), self._place(node.id))
        if not items:
            yield from self._mapped(node)

    def _mapped(self, node: PlannedNode) -> Iterator[Action]:
        progress = self._nodes[node.id]
        parts = list(progress.parts.values())
        if collects(node.stage):
            self._enqueue(Task(node=node.id, phase="collect", round=progress.round), self._place(node.id))
        elif node.stage.parts:
            yield StoreParts(node=node.id, parts=parts)
        else:
            yield from self._node_done(node.id, parts[0].outputs)

    def _finished(self, event: Finished) -> Iterator[Action]:
        node, task = self._plan.by_id[event.task.node], event.task
        progress = self._nodes[node.id]
        if task.phase == "split":
            yield from self._map(node, event.items or ())
        elif task.phase == "map":
            progress.parts[task.name] = Part(item=task.item, outputs=event.outputs)
            progress.open -= 1
            if progress.open == 0:
                order = {item.label: place for place, item in enumerate(progress.items)}
                progress.parts = dict(sorted(progress.parts.items(), key=lambda entry: order[entry[1].item.label]))
                yield from self._mapped(node)
        elif event.items is not None:
            progress.round += 1
            yield from self._map(node, event.items)
        else:
            yield from self._node_done(node.id, event.outputs)

    def _failed(self, event: Failed, now: float) -> Iterator[Action]:
        tries = self._attempts[event.task.name]
        if event.failure.retryable and tries < MAX_ATTEMPTS:
            at = now + BACKOFF_S * 2.0 ** (tries - 1)
            self._count += 1
            heapq.heappush(self._delayed, (at, self._count, event.task))
            yield Retrying(task=event.task, failure=event.failure, at=at)
        else:
            self._over = True
            yield Ended(state="failed", failures=(event.failure,))

    def _node_done(self, node: str, outputs: Mapping[str, Artifact]) -> Iterator[Action]:
        self._nodes[node].state = "done"
        self._outputs.update({f"{node}.{name}": artifact for name, artifact in outputs.items()})
        yield NodeDone(node=node, outputs=outputs)
        yield from self._begin_nodes()
        if all(progress.state == "done" for progress in self._nodes.values()):
            self._over = True
            yield Ended(state="done")

    def _launch(self, now: float) -> Iterator[Action]:
        while self._delayed and self._delayed[0][0] <= now:
            task = heapq.heappop(self._delayed)[2]
            self._enqueue(task, self._place(task.node))
        while self._ready and self._running < self._capacity:
            task = heapq.heappop(self._ready)[3]
            self._running += 1
            self._attempts[task.name] = self._attempts.get(task.name, 0) + 1
            yield Launch(
                task=task,
                attempt=self._attempts[task.name],
                inputs=self._inputs(task),
                parts=list(self._nodes[task.node].parts.values()) if task.phase == "collect" else (),
            )

    def _inputs(self, task: Task) -> Mapping[str, Input | Sequence[Input]]:
        if task.phase == "map" and task.item.uses is not None:
            return task.item.uses
        node = self._plan.by_id[task.node]
        return {
            name: self._outputs[source] if isinstance(source, str) else source for name, source in node.inputs.items()
        }

    def _place(self, node: str) -> int:
        return next(place for place, planned in enumerate(self._plan.nodes) if planned.id == node)

    def _enqueue(self, task: Task, place: int) -> None:
        """Earlier nodes first, within a node the heaviest item first (longest-first keeps the tail short)."""
        self._count += 1
        heapq.heappush(self._ready, (place, -task.item.weight, self._count, task))
