"""Tasks that wait: for room (ready), or for time to pass (delayed)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from archer.scheduler.policy import Capacity
from archer.stage import Resources
from archer.task import Task

Rank = tuple[int, int, int]


@dataclass(slots=True)
class ReadyQueue:
    """Ready tasks: nodes in the order of the plan, in a node the heaviest first (it keeps the tail short).

    Tasks of equal need share a heap, so that a task which does not fit now costs nothing to pass over.
    """

    heaps: dict[Resources, list[tuple[Rank, Task]]] = field(default_factory=dict)
    count: int = 0

    def push(self, task: Task, need: Resources, node_place: int) -> None:
        """Add a task."""
        self.count += 1
        rank = (node_place, -task.item.weight, self.count)
        heapq.heappush(self.heaps.setdefault(need, []), (rank, task))

    def pop(self, capacity: Capacity, free: Capacity) -> tuple[Task, Resources] | None:
        """The first task that fits into what is free, with what it is counted with; None where none fits."""
        fitting = [
            (heap[0][0], need)
            for need, heap in self.heaps.items()
            if heap and free.fits(capacity.clamped(need))
        ]
        if not fitting:
            return None
        need = min(fitting, key=lambda entry: entry[0])[1]
        task = heapq.heappop(self.heaps[need])[1]
        return task, capacity.clamped(need)


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
