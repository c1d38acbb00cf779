"""Who holds which task, and until when without a sign of life."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from archer.stage import Resources
from archer.task import Task


@dataclass(slots=True)
class Lease:
    """A task in somebody's hands.

    Attributes:
        until: when it runs out; pushed on by signs of life.
        stored: the end that the store knows.
        need: what the task is counted with.
    """

    task: Task
    ticket: int
    attempt: int
    until: float
    stored: float
    need: Resources


class Leases:
    """All leases by ticket, with a heap of their ends that is corrected only when an end is reached.

    Args:
        first_ticket: the first one to give; greater than any the store has seen.
        length_s: how long a lease is.
    """

    def __init__(self, first_ticket: int, length_s: float) -> None:
        self._next, self._length_s = first_ticket, length_s
        self._held: dict[int, Lease] = {}
        self._ends: list[tuple[float, int]] = []

    def __iter__(self) -> Iterator[Lease]:
        return iter(list(self._held.values()))

    def give(self, task: Task, attempt: int, need: Resources, now: float) -> Lease:
        """Lease a task under a new ticket."""
        until = now + self._length_s
        lease = Lease(task=task, ticket=self._next, attempt=attempt, until=until, stored=until, need=need)
        self._next += 1
        self._held[lease.ticket] = lease
        heapq.heappush(self._ends, (until, lease.ticket))
        return lease

    def take(self, ticket: int) -> Lease | None:
        """End a lease; None where it has ended before."""
        return self._held.pop(ticket, None)

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
        """Take out the leases that have run out."""
        found = []
        while self._ends and self._ends[0][0] <= now:
            _, ticket = heapq.heappop(self._ends)
            lease = self._held.get(ticket)
            if lease is None:
                continue
            if lease.until > now:
                heapq.heappush(self._ends, (lease.until, ticket))
                continue
            found.append(self._held.pop(ticket))
        return found

    @property
    def next(self) -> float | None:
        """When a lease may run out first; None where there is none."""
        return self._ends[0][0] if self._held and self._ends else None
