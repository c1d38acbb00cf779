"""Who holds which task, and until when without a sign of life."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from archer.scheduler.queue import Demand
from archer.task import Task


@dataclass(slots=True)
class Lease:
    """A task in somebody's hands.

    Attributes:
        began: when it was given.
        until: when it runs out; pushed on by signs of life.
        stored: the end that the store knows.
        demand: what the task is counted with.
        share: how much of it is done, 0 to 1; 0 too where nothing is known. told: when that was.
    """

    task: Task
    ticket: int
    attempt: int
    began: float
    until: float
    stored: float
    demand: Demand
    share: float = 0.0
    told: float = 0.0


class Leases:
    """All leases by ticket, with a heap of their ends that is corrected only when an end is reached.

    A task has one lease, or several while it is run twice.

    Args:
        first_ticket: the first one to give; greater than any the store has seen.
        length_s: how long a lease is.
    """

    def __init__(self, first_ticket: int, length_s: float) -> None:
        self._next, self._length_s = first_ticket, length_s
        self._held: dict[int, Lease] = {}
        self._copied: dict[str, list[int]] = {}
        self._ends: list[tuple[float, int]] = []
        self._bounds: list[tuple[float, int]] = []

    def __iter__(self) -> Iterator[Lease]:
        return iter(list(self._held.values()))

    def __len__(self) -> int:
        return len(self._held)

    def get(self, ticket: int) -> Lease | None:
        """The lease under a ticket; None where it has ended."""
        return self._held.get(ticket)

    def give(self, task: Task, attempt: int, demand: Demand, now: float, *, copy_of: int = 0) -> Lease:
        """Lease a task under a new ticket, or once more beside the try `copy_of`."""
        until = now + self._length_s
        lease = Lease(
            task=task, ticket=self._next, attempt=attempt, began=now, until=until, stored=until, demand=demand
        )
        self._next += 1
        self._held[lease.ticket] = lease
        if copy_of:
            self._copied.setdefault(task.name, [copy_of]).append(lease.ticket)
        heapq.heappush(self._ends, (until, lease.ticket))
        if demand.need.timeout_s:
            heapq.heappush(self._bounds, (now + demand.need.timeout_s, lease.ticket))
        return lease

    def others(self, task: Task) -> list[Lease]:
        """Leases of a task that has, or had, several, but for those that have ended."""
        return [self._held[ticket] for ticket in self._copied.get(task.name, ())]

    def take(self, ticket: int) -> Lease | None:
        """End a lease; None where it has ended before."""
        lease = self._held.pop(ticket, None)
        if lease is not None and (tickets := self._copied.get(lease.task.name)):
            tickets.remove(ticket)
            if not tickets:
                del self._copied[lease.task.name]
        return lease

    def prolong(self, ticket: int, now: float) -> Lease | None:
        """Push on its end; the lease where the store should learn of it, None otherwise."""
        lease = self._held.get(ticket)
        if lease is None:
            return None
        lease.until = now + self._length_s
        if lease.until - lease.stored < self._length_s / 2:
            return None
        lease.stored = lease.until
        return lease

    def expired(self, now: float) -> list[Lease]:
        """The leases that have run out; they are still to be taken."""
        found = []
        while self._ends and self._ends[0][0] <= now:
            _, ticket = heapq.heappop(self._ends)
            lease = self._held.get(ticket)
            if lease is None:
                continue
            if lease.until > now:
                heapq.heappush(self._ends, (lease.until, ticket))
                continue
            found.append(lease)
        return found

    def overdue(self, now: float) -> list[Lease]:
        """The leases whose tries take longer than they may; they are still to be taken."""
        found = []
        while self._bounds and self._bounds[0][0] <= now:
            lease = self._held.get(heapq.heappop(self._bounds)[1])
            if lease is None:
                continue
            until = lease.began + lease.demand.need.timeout_s
            if until > now:  # it waited for a worker at first
                heapq.heappush(self._bounds, (until, lease.ticket))
            else:
                found.append(lease)
        return found

    @property
    def next(self) -> float | None:
        """When a lease may run out first; None where there is none."""
        times = [heap[0][0] for heap in (self._ends, self._bounds) if self._held and heap]
        return min(times, default=None)
