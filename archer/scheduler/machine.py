"""The state machine: nodes go waiting -> split -> map -> collect -> done, a collect may go back to map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.plan import Plan, PlannedNode
from archer.scheduler.actions import (
    Abandon,
    Action,
    Commit,
    Ended,
    Launch,
    LookUp,
    NodeDone,
    Planned,
    Poison,
    Recall,
    Renew,
    Retry,
    StoreParts,
)
from archer.scheduler.happenings import (
    Alive,
    Begin,
    Failed,
    Finished,
    Happening,
    Looked,
    PartsStored,
    Resized,
    Result,
    Stop,
    Tick,
)
from archer.scheduler.leases import Lease, Leases
from archer.scheduler.policy import Capacity, Policy
from archer.scheduler.queue import DelayedQueue, ReadyQueue
from archer.stage import Item, Part
from archer.task import Inputs, Task


@dataclass(slots=True)
class _Node:
    """Where a node stands.

    Attributes:
        parts: of all mapped items of all rounds in the order of the items; None where an item is not done.
        open: items that are not done.
        stored: the `parts@1` artifact that a collect joins.
    """

    plan: PlannedNode
    place: int
    begun: bool = False
    done: bool = False
    round: int = 0
    parts: list[Part | None] = field(default_factory=list)
    open: int = 0
    inputs: Inputs = field(default_factory=dict)
    stored: Artifact | None = None


class Scheduler:
    """Decides what runs next: nodes as their inputs appear, heaviest items first, failed tries with back-off.

    A task is leased under a ticket, and only the holder of the ticket can end it: a result that comes late, from
    a worker that was given up, changes nothing. One task that fails for good ends the job; what runs then is
    abandoned, what is committed stays.

    Args:
        plan: the job.
        capacity: what may run at once.
        policy: when to try again.
        first_ticket: the first ticket to give; greater than any that the store has seen.
    """

    def __init__(
        self, plan: Plan, *, capacity: Capacity, policy: Policy | None = None, first_ticket: int = 1
    ) -> None:
        self._capacity = self._free = capacity
        self._policy = policy or Policy()
        self._nodes = {node.id: _Node(plan=node, place=place) for place, node in enumerate(plan.nodes)}
        self._waiting = list(self._nodes.values())
        self._outputs: dict[str, Artifact] = {}
        self._ready, self._delayed = ReadyQueue(), DelayedQueue()
        self._leases = Leases(first_ticket, self._policy.lease_s)
        self._tried: dict[str, int] = {}
        self._over = False

    @property
    def outputs(self) -> Mapping[str, Artifact]:
        """Outputs of the nodes that are done, as `node.output`."""
        return self._outputs

    @property
    def over(self) -> bool:
        """True once `Ended` was given."""
        return self._over

    @property
    def next_wake(self) -> float | None:
        """When the next `Tick` is due at the latest; None where nothing waits for time to pass."""
        times = [time for time in (self._delayed.next, self._leases.next) if time is not None]
        return min(times, default=None)

    def handle(self, happening: Happening, now: float) -> list[Action]:
        """Take in what happened; returns what to do, in order. After the end nothing changes any more.

        Args:
            happening: what happened.
            now: seconds on any clock that never goes back.
        """
        if self._over:
            return []
        actions = list(self._react(happening, now))
        return actions if self._over else [*actions, *self._launch(now)]

    def _react(self, happening: Happening, now: float) -> Iterator[Action]:  # noqa: C901  one case per kind
        match happening:
            case Begin():
                yield from self._begin_nodes()
            case Looked():
                yield from self._looked(happening)
            case Finished():
                yield from self._finished(happening)
            case Failed():
                lease = self._end(happening.ticket)
                if lease is not None:
                    yield from self._failed(lease, happening.failure, now)
            case Alive():
                lease = self._leases.prolong(happening.ticket, now)
                if lease is not None:
                    yield Renew(task=lease.task, ticket=lease.ticket, until=lease.until)
            case PartsStored():
                yield from self._parts_stored(happening)
            case Tick():
                yield from self._expire(now)
            case Resized():
                self._resize(happening.capacity)
            case Stop():
                yield from self._give_up(Ended(state="interrupted"))
            case _:
                assert_never(happening)

    # Nodes: what happens when inputs appear, items are known, items are mapped.

    def _begin_nodes(self) -> Iterator[Action]:
        begun = [node for node in self._waiting if all(self._nodes[need].done for need in node.plan.needs)]
        self._waiting = [node for node in self._waiting if node not in begun]
        for node in begun:
            lacking = [source for source in node.plan.inputs.values() if self._lacks(source)]
            if lacking:
                yield from self._refuse(
                    node, f"{', '.join(map(str, lacking))}: the node before did not give it"
                )
                return
            node.inputs = {
                name: self._outputs[source] if isinstance(source, str) else source
                for name, source in node.plan.inputs.items()
            }
            if node.plan.splits:
                yield LookUp(tasks=(Task(node=node.plan.id, phase="split"),), inputs=node.inputs)
            else:
                yield from self._map(node, (Item(),))
            if self._over:
                return

    def _lacks(self, source: object) -> bool:
        return isinstance(source, str) and source not in self._outputs

    def _map(self, node: _Node, items: Sequence[Item]) -> Iterator[Action]:
        first = len(node.parts)
        tasks = tuple(
            Task(node=node.plan.id, phase="map", item=item, round=node.round, place=first + place)
            for place, item in enumerate(items)
        )
        node.parts += [None] * len(tasks)
        node.open = len(tasks)
        weight = sum(item.weight for item in items)
        yield Planned(node=node.plan.id, round=node.round, tasks=tasks, weight=weight)
        if tasks:
            yield LookUp(tasks=tasks, inputs=node.inputs)
        else:
            yield from self._mapped(node)

    def _mapped(self, node: _Node) -> Iterator[Action]:
        parts = [part for part in node.parts if part is not None]
        if node.plan.collects or node.plan.hands_on or len(parts) != 1:
            yield StoreParts(node=node.plan.id, parts=parts)
        else:
            yield from self._node_done(node, parts[0].outputs)

    def _parts_stored(self, happening: PartsStored) -> Iterator[Action]:
        node = self._nodes[happening.node]
        node.stored = happening.artifact
        if node.plan.collects:
            task = Task(node=node.plan.id, phase="collect", round=node.round)
            yield LookUp(tasks=(task,), inputs=node.inputs, parts=node.stored)
        else:
            yield from self._node_done(node, {"parts": happening.artifact})

    def _node_done(self, node: _Node, outputs: Mapping[str, Artifact]) -> Iterator[Action]:
        node.done = True
        self._outputs.update({f"{node.plan.id}.{name}": artifact for name, artifact in outputs.items()})
        yield NodeDone(node=node.plan.id, outputs=outputs)
        if all(each.done for each in self._nodes.values()):
            self._over = True
            yield Ended(state="done")
        else:
            yield from self._begin_nodes()

    # Tasks: found in the memo, leased, ended, failed.

    def _looked(self, happening: Looked) -> Iterator[Action]:
        for task in happening.asked:
            result = happening.hits.get(task.name)
            if result is None:
                node = self._nodes[task.node]
                need = node.plan.resources
                if need.gpu > self._capacity.gpu:
                    yield from self._refuse(
                        node, f"it needs {need.gpu} GPU, the executor has {self._capacity.gpu}"
                    )
                    return
                self._ready.push(task, need, node.place)
            else:
                yield Recall(task=task, result=result)
                yield from self._absorb(task, result)

    def _finished(self, happening: Finished) -> Iterator[Action]:
        lease = self._end(happening.ticket)
        if lease is not None:
            yield Commit(task=lease.task, ticket=lease.ticket, attempt=lease.attempt, result=happening.result)
            self._tried.pop(lease.task.name, None)
            yield from self._absorb(lease.task, happening.result)

    def _absorb(self, task: Task, result: Result) -> Iterator[Action]:
        node = self._nodes[task.node]
        match task.phase:
            case "split":
                yield from self._map(node, result.items or ())
            case "map":
                node.parts[task.place] = Part(item=task.item, outputs=result.outputs)
                node.open -= 1
                if node.open == 0:
                    yield from self._mapped(node)
            case "collect" if result.items is not None:
                node.round += 1
                yield from self._map(node, result.items)
            case "collect":
                yield from self._node_done(node, result.outputs)

    def _failed(self, lease: Lease, failure: TaskFailure, now: float) -> Iterator[Action]:
        tried = self._tried[lease.task.name] = lease.attempt
        wait = self._policy.wait_s(failure.category, tried)
        task, ticket, at = lease.task, lease.ticket, now + (wait or 0.0)
        if wait is None:
            yield Poison(task=task, ticket=ticket, attempt=tried, failure=failure)
            yield from self._give_up(Ended(state="failed", failures=(failure,)))
        else:
            self._delayed.push(at, task)
            yield Retry(task=task, ticket=ticket, attempt=tried, failure=failure, at=at)

    def _refuse(self, node: _Node, problem: str) -> Iterator[Action]:
        failure = TaskFailure(node.plan.id, "SpecError", f"{node.plan.id}: {problem}")
        yield Poison(task=Task(node=node.plan.id, phase="split"), ticket=0, attempt=0, failure=failure)
        yield from self._give_up(Ended(state="failed", failures=(failure,)))

    def _give_up(self, ended: Ended) -> Iterator[Action]:
        self._over = True
        for lease in self._leases:
            yield Abandon(task=lease.task, ticket=lease.ticket, final=True)
        yield ended

    # Room and time.

    def _launch(self, now: float) -> Iterator[Action]:
        for task in self._delayed.due(now):
            node = self._nodes[task.node]
            self._ready.push(task, node.plan.resources, node.place)
        while (found := self._ready.pop(self._capacity, self._free)) is not None:
            task, need = found
            node = self._nodes[task.node]
            self._free = self._free.without(need)
            lease = self._leases.give(task, self._tried.get(task.name, 0) + 1, need, now)
            yield Launch(
                task=task,
                ticket=lease.ticket,
                attempt=lease.attempt,
                until=lease.until,
                inputs=node.inputs if task.item.uses is None else task.item.uses,
                parts=node.stored if task.phase == "collect" else None,
            )

    def _end(self, ticket: int) -> Lease | None:
        lease = self._leases.take(ticket)
        if lease is not None:
            self._free = self._free.without(lease.need, times=-1)
        return lease

    def _expire(self, now: float) -> Iterator[Action]:
        for lease in self._leases.expired(now):
            self._free = self._free.without(lease.need, times=-1)
            yield Abandon(task=lease.task, ticket=lease.ticket, final=False)
            silent = f"no sign of life for {self._policy.lease_s:g} s"
            yield from self._failed(
                lease, TaskFailure(lease.task.title, "Silent", silent, category="death"), now
            )
            if self._over:
                return

    def _resize(self, capacity: Capacity) -> None:
        self._capacity = self._free = capacity
        for lease in self._leases:
            lease.need = capacity.clamped(lease.need)
            self._free = self._free.without(lease.need)
