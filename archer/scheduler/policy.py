"""What the scheduler goes by: how much fits at once, how often and how soon to try again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archer.errors import Category
from archer.stage import Resources

TRIES: Mapping[Category, int] = MappingProxyType(
    {"transient": 4, "death": 3, "memory": 2, "timeout": 2, "preempted": 20}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What an executor can run at once.

    Attributes:
        cpu: cores; a task of one core per worker.
        memory_mb: MiB of all tasks together; None where it is not counted.
        gpu: devices.
    """

    cpu: int = 1
    memory_mb: int | None = None
    gpu: int = 0

    def clamped(self, need: Resources) -> Resources:
        """What a task is counted with: one that wants more than there is runs alone."""
        memory = need.memory_mb if self.memory_mb is None else min(need.memory_mb, self.memory_mb)
        return Resources(cpu=min(need.cpu, self.cpu), memory_mb=memory, gpu=need.gpu)

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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """When to try again.

    Attributes:
        tries: tries in all, by why the last one failed; categories that are not listed are never tried again.
        backoff_s: wait before the second try; doubles with each further one.
        longest_s: longest wait.
        lease_s: how long a try may be silent before it counts as dead.
    """

    tries: Mapping[Category, int] = field(default_factory=lambda: TRIES)
    backoff_s: float = 0.25
    longest_s: float = 60.0
    lease_s: float = 60.0

    def wait_s(self, category: Category, tried: int) -> float | None:
        """Seconds to wait before the next try; None where there is to be none.

        Args:
            category: why the last try failed.
            tried: tries so far, at least 1.
        """
        if tried >= self.tries.get(category, 0):
            return None
        return min(self.longest_s, self.backoff_s * 2.0 ** (tried - 1))
