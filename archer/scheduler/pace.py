"""How fast tasks of a node go, and which of them are behind: what to run a second time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from archer.scheduler.leases import Lease
from archer.task import Task

LONG = 0.45
"""An item is long where it takes this share of the time that its whole node takes at best: a failure near its end
leaves no time to repeat it within that."""
MOST_TRIES = 4
"""Of one task at once."""
LEAST_S = 5.0
"""A try is not judged before it has run so long."""
UNKNOWN_S = 10.0
"""Until the next look where nobody knows how long such tasks take."""


@dataclass(slots=True)
class Pace:
    """Seconds per unit of weight of one node: what history said, then what its own tasks took.

    Attributes:
        known: from history; 0 where there is none.
        taken_s, weight: sums over the tasks that ended in this run.
    """

    known: float = 0.0
    taken_s: float = 0.0
    weight: int = 0

    def add(self, lease: Lease, now: float) -> None:
        """A try ended well."""
        self.taken_s += now - lease.began
        self.weight += max(1, lease.task.item.weight)

    def predicted_s(self, task: Task) -> float:
        """Seconds that a fresh try of a task takes; 0 where nobody knows."""
        rate = self.taken_s / self.weight if self.weight else self.known
        return rate * max(1, task.item.weight)


@dataclass(slots=True)
class Stragglers:
    """Tries under way in the order in which they are due to be looked at.

    Args:
        times: how much longer than a fresh try one may still take; see `Policy.straggler`.
    """

    times: float
    heap: list[tuple[float, int]] = field(default_factory=list)

    def watch(self, lease: Lease, predicted_s: float, now: float) -> None:
        """Look at a try once it should be half done, at the earliest."""
        wait = max(LEAST_S, predicted_s / 2) if predicted_s else UNKNOWN_S
        heapq.heappush(self.heap, (now + wait, lease.ticket))

    def due(self, now: float) -> list[int]:
        """Take out the tickets that are to be looked at now."""
        found = []
        while self.heap and self.heap[0][0] <= now:
            found.append(heapq.heappop(self.heap)[1])
        return found

    def is_behind(self, lease: Lease, predicted_s: float, now: float) -> bool:
        """True where a fresh try would probably be done first."""
        if predicted_s <= 0.0:
            return False
        if lease.share > 0.0:
            left = (lease.told - lease.began) * (1.0 - lease.share) / lease.share - (now - lease.told)
            return left > self.times * predicted_s
        return now - lease.began > self.times * predicted_s


def hedged(tasks: Sequence[Task], cores: int, percent: int) -> frozenset[str]:
    """Names of the tasks to run twice from the start, so that no late failure of a long one holds up the node.

    Args:
        tasks: of one round.
        cores: how many can run at once.
        percent: most of their weight to run twice.
    """
    if not percent or len(tasks) < 2:
        return frozenset()
    weights: Mapping[str, int] = {task.name: task.item.weight for task in tasks}
    total = sum(weights.values())
    least = LONG * max(total / cores, *weights.values())
    left, found = total * percent // 100, []
    longest = heapq.nlargest(min(len(tasks), 1000), weights.items(), key=lambda entry: entry[1])
    for name, weight in longest:
        if weight < least or weight > left:
            break
        left -= weight
        found.append(name)
    return frozenset(found)
