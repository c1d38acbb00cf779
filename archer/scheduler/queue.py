"""Tasks that wait: for room (ready), or for time to pass (delayed)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import maxsize

from archer.plan import PlannedNode
from archer.scheduler.policy import Capacity
from archer.stage import Resources
from archer.task import Task

Rank = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a task must have to run: resources, a place in its queue, its keys."""

    need: Resources
    queue: str = "default"
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Waiting:
    """A ready task; `copy_of` is the ticket of the try that it is to run beside, 0 for a task that nobody runs."""

    task: Task
    copy_of: int = 0


@dataclass(slots=True)
class Pool:
    """What an executor has, for one job or for several that share it.

    Attributes:
        capacity: all there is. free: what of it is left.
        open: nothing is begun while it is False, so that the most urgent job is asked first.
    """

    capacity: Capacity
    free: Capacity
    open: bool = True

    @classmethod
    def of(cls, capacity: Capacity) -> Pool:
        """A pool of which everything is free."""
        return cls(capacity, capacity)

    def resize(self, capacity: Capacity) -> None:
        """There is more, or less, than before; what runs is counted as it was."""
        if capacity == self.capacity:
            return
        used = Resources(
            cpu=self.capacity.cpu - self.free.cpu,
            memory_mb=(self.capacity.memory_mb or 0) - (self.free.memory_mb or 0),
            gpu=self.capacity.gpu - self.free.gpu,
        )
        self.capacity, self.free = capacity, capacity.without(used)


@dataclass(slots=True)
class Room:
    """What is free now for the tasks of a job.

    Attributes:
        pool: what there is, which others may share.
        limits: queue -> most tasks at once.
        running: queue -> tasks now.
        held: exclusive keys in use.
    """

    pool: Pool
    limits: Mapping[str, int]
    running: Counter[str] = field(default_factory=Counter)
    held: set[str] = field(default_factory=set)

    @property
    def capacity(self) -> Capacity:
        """All there is."""
        return self.pool.capacity

    def fits(self, demand: Demand) -> bool:
        """True where a task of this demand can run now."""
        limit = self.limits.get(demand.queue)
        if limit is not None and self.running[demand.queue] >= limit:
            return False
        if not self.held.isdisjoint(demand.keys):
            return False
        return self.pool.open and self.pool.free.fits(self.capacity.clamped(demand.need))

    def take(self, demand: Demand) -> Demand:
        """Count a task in; returns the demand that it is counted with."""
        counted = self.capacity.clamped(demand.need)
        self.pool.free = self.pool.free.without(counted)
        self.running[demand.queue] += 1
        self.held.update(demand.keys)
        return demand if counted is demand.need else Demand(counted, demand.queue, demand.keys)

    def give_back(self, demand: Demand) -> None:
        """Count a task out."""
        self.pool.free = self.pool.free.without(demand.need, times=-1)
        self.running[demand.queue] -= 1
        self.held.difference_update(demand.keys)


@dataclass(slots=True)
class ReadyQueue:
    """Ready tasks: earliest deadline, then nodes in the order of the plan, in a node the longest first.

    Longest first keeps the tail short: makespan at most 4/3 of the best (Graham 1969), where any order gives 2.
    Tasks of equal demand share a heap, so that a task which does not fit now costs nothing to pass over.
    """

    heaps: dict[Demand, list[tuple[Rank, Waiting]]] = field(default_factory=dict)
    count: int = 0

    def push(self, waiting: Waiting, demand: Demand, node: PlannedNode, place: int) -> None:
        """Add a task of a node, which is at `place` in the plan."""
        self.count += 1
        deadline = maxsize if node.terms.deadline_s is None else node.terms.deadline_s
        item = waiting.task.item
        rank = (deadline, place, -(item.cost or item.weight), self.count)
        heapq.heappush(self.heaps.setdefault(demand, []), (rank, waiting))

    def pop(self, room: Room) -> tuple[Waiting, Demand] | None:
        """The first task that fits into what is free, and its demand; None where none fits."""
        best: tuple[Rank, Demand] | None = None
        for demand, heap in self.heaps.items():
            if (best is None or heap[0][0] < best[0]) and room.fits(demand):
                best = (heap[0][0], demand)
        if best is None:
            return None
        heap = self.heaps[best[1]]
        waiting = heapq.heappop(heap)[1]
        if not heap:
            del self.heaps[best[1]]
        return waiting, best[1]

    def __bool__(self) -> bool:
        return bool(self.heaps)


@dataclass(slots=True)
class DelayedQueue:
    """Tasks that are tried again later."""

    heap: list[tuple[float, int, Task]] = field(default_factory=list)
    count: int = 0

    def push(self, at: float, task: Task) -> None:
        """Add a task that is due at `at`."""
        self.count += 1
        heapq.heappush(self.heap, (at, self.count, task))

    def due(self, now: float) -> list[Task]:
        """Take out the tasks that are due."""
        found = []
        while self.heap and self.heap[0][0] <= now:
            found.append(heapq.heappop(self.heap)[2])
        return found

    @property
    def next(self) -> float | None:
        """When the next one is due; None where there is none."""
        return self.heap[0][0] if self.heap else None
