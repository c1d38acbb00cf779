"""The state machine: nodes go waiting -> split -> map -> collect -> done, a collect may go back to map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from archer.artifact import Artifact
from archer.errors import Category, TaskFailure
from archer.plan import Plan
from archer.scheduler.actions import (
    Abandon,
    Action,
    Commit,
    Dropped,
    Ended,
    Launch,
    LookUp,
    NodeDone,
    Paused,
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
    Continue,
    Failed,
    Finished,
    Happening,
    Looked,
    PartsStored,
    Pause,
    Resized,
    Result,
    Stop,
    Tick,
)
from archer.scheduler.leases import Lease, Leases
from archer.scheduler.node import NodeState
from archer.scheduler.pace import MOST_TRIES, Pace, Stragglers
from archer.scheduler.policy import Capacity, Policy
from archer.scheduler.queue import DelayedQueue, Demand, Pool, ReadyQueue, Room, Waiting
from archer.stage import Item, Part, Resources
from archer.task import Task


class Scheduler:
    """Decides what runs next.

    Ready tasks go earliest deadline first, then in the order of the plan, then longest first, as far as resources,
    queue limits, exclusive keys and the budget allow. Failed tries are repeated by why they failed; where several
    machines share the work, tries that fall behind are run twice, and the first to end counts.

    A task is leased under a ticket, and only the holder of the ticket can end it: a result that comes late, from
    a worker that was given up, changes nothing. One task that fails for good ends the job, unless its node can do
    without it; what runs then is abandoned, what is committed stays.

    Args:
        plan: the job.
        capacity: what may run at once.
        policy: when to try again, when to run twice.
        first_ticket: the first ticket to give; greater than any that the store has seen.
        paces: node -> seconds per unit of weight, from history.
        pool: what may run at once, where other jobs run in it too; then `capacity` says nothing.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        capacity: Capacity,
        policy: Policy | None = None,
        first_ticket: int = 1,
        paces: Mapping[str, float] | None = None,
        pool: Pool | None = None,
    ) -> None:
        self._policy, self._limits = policy or Policy(), plan.limits
        self._room = Room(pool or Pool.of(capacity), plan.limits.queues)
        known = paces or {}
        self._nodes = {
            node.id: NodeState(plan=node, place=place, pace=Pace(known.get(node.id, 0.0)))
            for place, node in enumerate(plan.nodes)
        }
        self._waiting = list(self._nodes.values())
        self._outputs: dict[str, Artifact] = {}
        self._ready, self._delayed = ReadyQueue(), DelayedQueue()
        self._leases = Leases(first_ticket, self._policy.lease_s)
        self._stragglers = Stragglers(self._policy.straggler)
        self._tried: dict[str, Counter[Category]] = {}
        self._grown: dict[str, Resources] = {}
        self._failures: list[TaskFailure] = []
        self._spent_ms = 0
        self._paused = self._over = False

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

    def leave(self) -> None:
        """Give back what its tasks are counted with: the job is over for whoever asks, or another one has it."""
        self._over = True
        for lease in self._leases:
            self._end(lease.ticket)

    def handle(self, happening: Happening, now: float) -> list[Action]:
        """Take in what happened; returns what to do, in order. After the end nothing changes any more.

        Args:
            happening: what happened.
            now: seconds on any clock that never goes back.
        """
        if self._over:
            return []
        actions = list(self._react(happening, now))
        if not self._over and not isinstance(happening, Alive):  # a sign of life makes no room
            actions.extend(self._launch(now))
        return actions

    def _react(self, happening: Happening, now: float) -> Iterator[Action]:  # noqa: C901  one case per kind
        match happening:
            case Finished():
                yield from self._finished(happening, now)
            case Alive():
                yield from self._alive(happening, now)
            case Tick():
                yield from self._tick(now)
            case Failed():
                lease = self._end(happening.ticket)
                if lease is not None:
                    yield from self._failed(lease, happening.failure, now)
            case Begin():
                yield from self._begin_nodes()
            case Looked():
                yield from self._looked(happening)
            case PartsStored():
                yield from self._parts_stored(happening)
            case Resized():
                self._resize(happening.capacity)
            case Pause() | Continue():
                self._paused = isinstance(happening, Pause)
                yield Paused(paused=self._paused)
            case Stop():
                yield from self._give_up(Ended(state=happening.state, failures=tuple(self._failures)))
            case _:
                assert_never(happening)

    # Nodes: what happens when inputs appear, items are known, items are mapped.

    def _begin_nodes(self) -> Iterator[Action]:
        begun = [node for node in self._waiting if all(self._nodes[need].done for need in node.plan.needs)]
        self._waiting = [node for node in self._waiting if node not in begun]
        for node in begun:
            if lacking := node.lacks(self._outputs):
                yield from self._refuse(node, f"{', '.join(lacking)}: the node before did not give it")
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

    def _map(self, node: NodeState, items: Sequence[Item]) -> Iterator[Action]:
        tasks = node.tasks_of(items)
        if self._doubles:
            node.hedge(tasks, self._room.capacity.cpu, self._policy.hedged_percent)
        weight = sum(item.weight for item in items)
        yield Planned(node=node.plan.id, round=node.round, tasks=tasks, weight=weight)
        if tasks:
            yield LookUp(tasks=tasks, inputs=node.inputs)
        else:
            yield from self._mapped(node)

    def _mapped(self, node: NodeState) -> Iterator[Action]:
        parts = node.found
        if node.gives_one:
            yield from self._node_done(node, parts[0].outputs)
        else:
            yield StoreParts(node=node.plan.id, parts=parts)

    def _parts_stored(self, happening: PartsStored) -> Iterator[Action]:
        node = self._nodes[happening.node]
        node.stored = happening.artifact
        if node.plan.collects:
            task = Task(node=node.plan.id, phase="collect", round=node.round)
            yield LookUp(tasks=(task,), inputs=node.inputs, parts=node.stored)
        else:
            yield from self._node_done(node, {"parts": happening.artifact})

    def _node_done(self, node: NodeState, outputs: Mapping[str, Artifact]) -> Iterator[Action]:
        node.done = True
        self._outputs.update({f"{node.plan.id}.{name}": artifact for name, artifact in outputs.items()})
        yield NodeDone(node=node.plan.id, outputs=outputs)
        if all(each.done for each in self._nodes.values()):
            self._over = True
            yield Ended(state="partial" if self._failures else "done", failures=tuple(self._failures))
        else:
            yield from self._begin_nodes()

    # Tasks: found in the memo, leased, ended, failed.

    def _looked(self, happening: Looked) -> Iterator[Action]:
        for task in happening.asked:
            result = happening.hits.get(task.name)
            if result is None:
                node = self._nodes[task.node]
                need, there = node.plan.resources.gpu, self._room.capacity.gpu
                if need > there:
                    yield from self._refuse(node, f"it needs {need} GPU, the executor has {there}")
                    return
                self._push(Waiting(task))
            else:
                yield Recall(task=task, result=result)
                yield from self._absorb(task, result)

    def _finished(self, happening: Finished, now: float) -> Iterator[Action]:
        lease = self._end(happening.ticket)
        if lease is None:
            return
        self._spent_ms += happening.cpu_ms
        task = lease.task
        yield Commit(task=task, ticket=lease.ticket, attempt=lease.attempt, result=happening.result)
        yield from self._drop_others(task)
        self._tried.pop(task.name, None)
        self._grown.pop(task.name, None)
        if task.phase == "map":
            self._nodes[task.node].pace.add(lease, now)
        yield from self._absorb(task, happening.result)

    def _absorb(self, task: Task, result: Result) -> Iterator[Action]:
        node = self._nodes[task.node]
        match task.phase:
            case "split":
                yield from self._map(node, result.items or ())
            case "map":
                node.parts[task.place] = Part(item=task.item, outputs=result.outputs)
                yield from self._closed(node)
            case "collect" if result.items is not None:
                node.round += 1
                yield from self._map(node, result.items)
            case "collect":
                yield from self._node_done(node, result.outputs)

    def _closed(self, node: NodeState) -> Iterator[Action]:
        """One item of a node is done or lost."""
        node.open -= 1
        if node.open == 0:
            yield from self._mapped(node)

    def _failed(self, lease: Lease, failure: TaskFailure, now: float) -> Iterator[Action]:
        task, ticket, attempt = lease.task, lease.ticket, lease.attempt
        tried = self._tried.setdefault(task.name, Counter())
        tried[failure.category] += 1
        if failure.retryable and self._leases.others(task):
            yield Dropped(task=task, ticket=ticket, attempt=attempt, failure=failure)
            return
        wait = self._wait_s(task, failure.category, tried[failure.category])
        if wait is not None:
            self._delayed.push(now + wait, task)
            yield Retry(task=task, ticket=ticket, attempt=attempt, failure=failure, at=now + wait)
            return
        yield Poison(task=task, ticket=ticket, attempt=attempt, failure=failure)
        yield from self._drop_others(task)
        self._failures.append(failure)
        node = self._nodes[task.node]
        if node.can_spare(task):
            node.lost += 1
            yield from self._closed(node)
        else:
            yield from self._give_up(Ended(state="failed", failures=tuple(self._failures)))

    def _wait_s(self, task: Task, category: Category, tried: int) -> float | None:
        """Seconds until the next try of a task, None for no more; one that lacked memory gets more of it."""
        wait = self._policy.wait_s(category, tried)
        if category == "memory" and wait is not None:
            grown = self._policy.grown(self._need(task), self._room.capacity)
            if grown is None:
                return None
            self._grown[task.name] = grown
        return wait

    def _drop_others(self, task: Task) -> Iterator[Action]:
        for other in self._leases.others(task):
            self._end(other.ticket)
            yield Abandon(task=task, ticket=other.ticket, final=False)
            yield Dropped(task=task, ticket=other.ticket, attempt=other.attempt)

    def _refuse(self, node: NodeState, problem: str) -> Iterator[Action]:
        failure = TaskFailure(node.plan.id, "SpecError", f"{node.plan.id}: {problem}")
        yield Poison(task=Task(node=node.plan.id, phase="split"), ticket=0, attempt=0, failure=failure)
        yield from self._give_up(Ended(state="failed", failures=(*self._failures, failure)))

    def _give_up(self, ended: Ended) -> Iterator[Action]:
        self._over = True
        seen: set[str] = set()
        for lease in self._leases:
            first = lease.task.name not in seen
            seen.add(lease.task.name)
            yield Abandon(task=lease.task, ticket=lease.ticket, final=first)
            if not first:
                yield Dropped(task=lease.task, ticket=lease.ticket, attempt=lease.attempt)
        yield ended

    # Room and time.

    @property
    def _doubles(self) -> bool:
        """True where a second try of something would run on another machine."""
        return self._policy.straggler > 0 and self._room.capacity.machines > 1

    def _need(self, task: Task) -> Resources:
        return self._grown.get(task.name) or self._nodes[task.node].plan.resources

    def _push(self, waiting: Waiting) -> None:
        task = waiting.task
        node = self._nodes[task.node]
        terms, keys = node.plan.terms, tuple(node.plan.terms.exclusive)
        keys = (*keys, task.item.exclusive) if task.item.exclusive else keys
        self._ready.push(waiting, Demand(self._need(task), terms.queue, keys), node.plan, node.place)

    def _launch(self, now: float) -> Iterator[Action]:
        for task in self._delayed.due(now):
            self._push(Waiting(task))
        if self._paused:
            return
        budget = self._limits.budget_cpu_s
        if budget is not None and self._spent_ms >= 1000 * budget:
            yield from self._spent(budget)
            return
        while (found := self._ready.pop(self._room)) is not None:
            waiting, demand = found
            if not waiting.copy_of or self._wants_copy(waiting):
                yield self._lease(waiting, demand, now)

    def _wants_copy(self, waiting: Waiting) -> bool:
        return self._leases.get(waiting.copy_of) is not None

    def _lease(self, waiting: Waiting, demand: Demand, now: float) -> Launch:
        task, copy_of = waiting.task, waiting.copy_of
        node, tried = self._nodes[task.node], self._tried.get(task.name)
        attempt = 1 + (tried.total() if tried else 0) + (1 if copy_of else 0)
        lease = self._leases.give(task, attempt, self._room.take(demand), now, copy_of=copy_of)
        if self._doubles and task.phase == "map":
            self._stragglers.watch(lease, node.pace.predicted_s(task), now)
            if task.name in node.hedged and not copy_of:
                self._push(Waiting(task, lease.ticket))
        return Launch(
            task=task,
            ticket=lease.ticket,
            attempt=attempt,
            until=lease.until,
            inputs=node.inputs if task.item.uses is None else task.item.uses,
            resources=demand.need,
            parts=node.stored if task.phase == "collect" else None,
            copy_of=copy_of,
        )

    def _spent(self, budget: int) -> Iterator[Action]:
        """The budget is used up: what runs may end, then the job does."""
        if len(self._leases) == 0:
            problem = f"the budget of {budget} CPU seconds is used up ({self._spent_ms / 1000:.1f}); raise it and resume"
            failure = TaskFailure("job", "OverBudget", problem)
            yield from self._give_up(Ended(state="failed", failures=(*self._failures, failure)))

    def _end(self, ticket: int) -> Lease | None:
        lease = self._leases.take(ticket)
        if lease is not None:
            self._room.give_back(lease.demand)
        return lease

    def _alive(self, happening: Alive, now: float) -> Iterator[Action]:
        lease = self._leases.get(happening.ticket)
        if lease is not None and happening.started:
            lease.began = now
        if lease is not None and happening.share > 0.0:
            lease.share, lease.told = min(1.0, happening.share), now
        lease = self._leases.prolong(happening.ticket, now)
        if lease is not None:
            yield Renew(task=lease.task, ticket=lease.ticket, until=lease.until)

    def _tick(self, now: float) -> Iterator[Action]:
        silent = f"no sign of life for {self._policy.lease_s:g} s"
        for lease in self._leases.expired(now):
            yield from self._lost(
                lease, TaskFailure(lease.task.title, "Silent", silent, category="death"), now
            )
        for lease in self._leases.overdue(now):
            slow = f"not done within {lease.demand.need.timeout_s} s"
            yield from self._lost(
                lease, TaskFailure(lease.task.title, "Overdue", slow, category="timeout"), now
            )
        for ticket in self._stragglers.due(now):
            self._judge(ticket, now)

    def _lost(self, lease: Lease, failure: TaskFailure, now: float) -> Iterator[Action]:
        if self._over or self._end(lease.ticket) is None:
            return
        yield Abandon(task=lease.task, ticket=lease.ticket, final=False)
        yield from self._failed(lease, failure, now)

    def _judge(self, ticket: int, now: float) -> None:
        """Run a task once more where all of its tries have fallen behind, or look at this one again later."""
        lease = self._leases.get(ticket)
        if lease is None:
            return
        predicted = self._nodes[lease.task.node].pace.predicted_s(lease.task)
        tries = self._leases.others(lease.task) or [lease]
        behind = all(self._stragglers.is_behind(each, predicted, now) for each in tries)
        if behind and len(tries) < MOST_TRIES and ticket == tries[-1].ticket:
            self._push(Waiting(lease.task, ticket))
        else:
            self._stragglers.watch(lease, predicted, now)

    def _resize(self, capacity: Capacity) -> None:
        self._room.pool.resize(capacity)
