"""What the scheduler goes by: how much fits at once, how often and how soon to try again, when to run twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from archer.errors import Category
from archer.stage import Resources

TRIES: Mapping[Category, int] = MappingProxyType(
    {"transient": 4, "death": 5, "memory": 4, "timeout": 2, "preempted": 20}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What an executor can run at once.

    Attributes:
        cpu: cores; a task of one core per worker.
        memory_mb: MiB of all tasks together; None where it is not counted.
        gpu: devices.
        machines: how many machines share it; with several, stragglers are worth a second try elsewhere.
    """

    cpu: int = 1
    memory_mb: int | None = None
    gpu: int = 0
    machines: int = 1

    def clamped(self, need: Resources) -> Resources:
        """What a task is counted with: one that wants more than there is runs alone."""
        if need.cpu <= self.cpu and (self.memory_mb is None or need.memory_mb <= self.memory_mb):
            return need
        memory = need.memory_mb if self.memory_mb is None else min(need.memory_mb, self.memory_mb)
        return replace(need, cpu=min(need.cpu, self.cpu), memory_mb=memory)

    def fits(self, need: Resources) -> bool:
        """True where a task of this need can run now, this being what is free."""
        memory = self.memory_mb is None or need.memory_mb <= self.memory_mb
        return need.cpu <= self.cpu and memory and need.gpu <= self.gpu

    def without(self, need: Resources, times: int = 1) -> Capacity:
        """What is left beside a task of this need; with `times=-1`, what is free once it has ended."""
        return Capacity(
            cpu=self.cpu - times * need.cpu,
            memory_mb=None if self.memory_mb is None else self.memory_mb - times * need.memory_mb,
            gpu=self.gpu - times * need.gpu,
            machines=self.machines,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to try again, and when to run something twice.

    Attributes:
        tries: tries that may end for one reason; reasons that are not listed are never tried again. Each reason is
            counted by itself, so that preemption by a cloud never uses up the patience with a flaky network.
        backoff_s: wait before the second try; doubles with each further one.
        longest_s: longest wait.
        lease_s: how long a try may be silent before it counts as dead.
        grow: what the memory of a task is multiplied by when it ran out of it.
        straggler: a try whose remaining time is over this many times the predicted time of a fresh one is run twice;
            one without progress once it took this many times the prediction. 0 for never.
        hedged_percent: share of a node's weight that may be run twice from the start, where a late failure of
            its longest items would hold up the whole node. 0 for never.
    """

    tries: Mapping[Category, int] = field(default_factory=lambda: TRIES)
    backoff_s: float = 0.25
    longest_s: float = 60.0
    lease_s: float = 60.0
    grow: int = 2
    straggler: float = 1.5
    hedged_percent: int = 1

    def wait_s(self, category: Category, tried: int) -> float | None:
        """Seconds to wait before the next try; None where there is to be none.

        Args:
            category: why the last try failed.
            tried: tries that ended so, at least 1.
        """
        if tried >= self.tries.get(category, 0):
            return None
        if category in ("preempted", "memory"):  # neither gets better by waiting
            return self.backoff_s
        return min(self.longest_s, self.backoff_s * 2.0 ** (tried - 1))

    def grown(self, need: Resources, capacity: Capacity) -> Resources | None:
        """What a task gets that ran out of memory; None where there is no more to have."""
        most = capacity.memory_mb
        if most is not None and need.memory_mb >= most:
            return None
        wanted = need.memory_mb * self.grow
        return replace(need, memory_mb=wanted if most is None else min(wanted, most))
