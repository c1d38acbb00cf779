"""Executor `simulated`: a cluster that is not there, in a time of its own, with machines that fail and tasks that crawl.

    from archer.executors.simulated import SimulatedExecutor, World

    run(spec, work_dir=work, executor=SimulatedExecutor(world=World(machines=4, cores=2, failures_per_hour=1.0)))

A task really runs, in this process, when its simulated time is over; with `stand_in` its result is made up, which is how a
million tasks fit into minutes. What happens depends on the seed and on nothing else: the same world gives the same story.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from archer.errors import TaskFailure
from archer.scheduler.policy import Capacity
from archer.task import Progress, Report, Task, TaskCall, TaskDone
from archer.worker import execute, failure_of

Duration = Callable[[Task, random.Random], float]
StandIn = Callable[[Task], TaskDone]


def one_second_per_weight(task: Task, _dice: random.Random) -> float:
    """A task takes as many seconds as its weight says; splits and collects take one."""
    return float(task.item.weight) if task.phase == "map" else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the cluster is like. Times in seconds.

    Attributes:
        machines, cores: how many, and cores of each.
        memory_mb: of each machine; None where it is not counted.
        duration: nominal time of a task on a good machine.
        slow_percent: share of tries that crawl, in hundredths. slow_from, slow_to: how many times longer they take.
        mtbf_s: mean time between failures of one machine; None where they never fail.
        noticed_s: how long it takes until a machine's death is known.
        repaired_s: how long it is away.
        beat_s: between signs of life, which tell how far a task is; 0 for no progress and no beats.
        seed: of everything random.
    """

    machines: int = 1
    cores: int = 2
    memory_mb: int | None = None
    duration: Duration = one_second_per_weight
    slow_percent: float = 0.0
    slow_from: float = 3.0
    slow_to: float = 10.0
    mtbf_s: float | None = None
    noticed_s: float = 3.0
    repaired_s: float = 300.0
    beat_s: float = 20.0
    seed: int = 1


@dataclass(slots=True)
class Machine:
    """One machine.

    Attributes:
        free: cores that no try has.
        tries: tickets of those that it has.
        up: False once its death is known, until it is repaired.
    """

    number: int
    free: int
    tries: set[int] = field(default_factory=set)
    up: bool = True

    @property
    def name(self) -> str:
        """What it is called in reports."""
        return f"machine-{self.number}"


@dataclass(slots=True)
class Try:
    """A try under way; `takes` is infinite once its machine is dead."""

    call: TaskCall
    machine: Machine
    cores: int
    began: float
    takes: float


class SimulatedExecutor:
    """A cluster in virtual time: `poll` moves the clock to the next thing that happens.

    Args:
        workers: cores of its one machine, where no world is given.
        world: what the cluster is like.
        stand_in: makes up the results; None to run the tasks.

    Attributes:
        busy_s: core seconds of tries that ended well. wasted_s: those of all others.
    """

    name: ClassVar[str] = "simulated"

    def __init__(
        self, workers: int | None = None, *, world: World | None = None, stand_in: StandIn | None = None
    ) -> None:
        self._world = world or World(cores=workers or 2)
        self._stand_in = stand_in
        self._dice = random.Random(self._world.seed)  # noqa: S311  no secret
        self._now = 0.0
        self._order = 0
        self._machines = [Machine(number, self._world.cores) for number in range(self._world.machines)]
        self._open = dict.fromkeys(range(self._world.machines))
        self._tries: dict[int, Try] = {}
        self._coming: list[tuple[float, int, str, int]] = []
        self.busy_s = self.wasted_s = 0.0
        for machine in self._machines:
            self._doom(machine)

    def clock(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def capacity(self) -> Capacity:
        """What the machines that are up have together."""
        up = sum(machine.up for machine in self._machines)
        memory = None if self._world.memory_mb is None else self._world.memory_mb * up
        return Capacity(cpu=max(1, self._world.cores * up), memory_mb=memory, machines=max(1, up))

    def submit(self, call: TaskCall) -> None:
        """Place a try on a machine with room; on another than the one it is a copy of, if there is one."""
        other = self._tries.get(call.copy_of)
        cores = min(call.resources.cpu, self._world.cores)
        machine = self._place(cores, other.machine if other else None)
        takes = self._world.duration(call.task, self._dice)
        if self._dice.random() * 100.0 < self._world.slow_percent:
            takes *= self._dice.uniform(self._world.slow_from, self._world.slow_to)
        self._tries[call.ticket] = Try(call, machine, cores, self._now, takes)
        machine.tries.add(call.ticket)
        machine.free -= cores
        if machine.free <= 0:
            self._open.pop(machine.number, None)
        self._expect(self._now + takes, "end", call.ticket)
        if self._world.beat_s and takes > self._world.beat_s:
            self._expect(self._now + self._world.beat_s, "beat", call.ticket)

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Move the clock to the next reports, at most by `timeout_s`."""
        limit = self._now + timeout_s
        reports: list[Report] = []
        while self._coming and self._coming[0][0] <= limit and not reports:
            at = self._coming[0][0]
            self._now = at
            while self._coming and self._coming[0][0] <= at:
                _, _, what, who = heapq.heappop(self._coming)
                self._happen(what, who, reports)
        if not reports:
            self._now = max(self._now, limit)
        return reports

    def cancel(self, ticket: int) -> None:
        """Drop a try."""
        attempt = self._tries.get(ticket)
        if attempt is not None:
            self.wasted_s += (self._now - attempt.began) * attempt.cores
            self._leave(ticket, attempt)

    def close(self) -> None:
        """Drop everything."""
        for ticket in list(self._tries):
            self.cancel(ticket)
        self._coming.clear()

    def _happen(self, what: str, who: int, reports: list[Report]) -> None:
        match what:
            case "end" if (attempt := self._alive(who)) is not None:
                self.busy_s += attempt.takes * attempt.cores
                self._leave(who, attempt)
                reports.extend(self._results(attempt))
            case "beat" if (attempt := self._alive(who)) is not None:
                done = round(1000 * (self._now - attempt.began) / attempt.takes)
                reports.append(Report(who, Progress(done=done, total=1000), attempt.machine.name))
                self._expect(self._now + self._world.beat_s, "beat", who)
            case "fail":
                self._fail(self._machines[who])
            case "known":
                reports.extend(self._bury(self._machines[who]))
            case "repaired":
                machine = self._machines[who]
                machine.up, machine.free = True, self._world.cores
                self._open[who] = None
                self._doom(machine)

    def _alive(self, ticket: int) -> Try | None:
        attempt = self._tries.get(ticket)
        return attempt if attempt is not None and attempt.takes < math.inf else None

    def _fail(self, machine: Machine) -> None:
        """A machine dies with everything on it, which is noticed a little later."""
        self._open.pop(machine.number, None)
        for ticket in machine.tries:
            self._tries[ticket].takes = math.inf
        self._expect(self._now + self._world.noticed_s, "known", machine.number)
        self._expect(self._now + self._world.repaired_s, "repaired", machine.number)

    def _bury(self, machine: Machine) -> Iterator[Report]:
        machine.up = False
        for ticket in list(machine.tries):
            attempt = self._tries[ticket]
            self.wasted_s += (self._now - attempt.began) * attempt.cores
            self._leave(ticket, attempt)
            title = attempt.call.task.title
            lost = TaskFailure(title, "MachineLost", "its machine is gone", category="death")
            yield Report(ticket, lost, machine.name)

    def _results(self, attempt: Try) -> Iterator[Report]:
        call, where = attempt.call, attempt.machine.name
        if self._stand_in is not None:
            yield Report(call.ticket, self._stand_in(call.task), where)
            return
        shown: list[Progress] = []
        try:
            done: TaskDone | TaskFailure = execute(
                call, lambda done, total: shown.append(Progress(done=done, total=total))
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a stage raises is data for the scheduler
            done = failure_of(call, error)
        yield from (Report(call.ticket, progress, where) for progress in shown[-1:])
        yield Report(call.ticket, done, where)

    def _place(self, cores: int, other: Machine | None) -> Machine:
        """A machine with room; the scheduler counts cores, so there is one unless room is scattered or just died."""
        fallback = other
        for number in self._open:
            machine = self._machines[number]
            if machine.free >= cores and machine is not other:
                return machine
            fallback = fallback or machine
        return fallback or self._machines[0]

    def _leave(self, ticket: int, attempt: Try) -> None:
        del self._tries[ticket]
        machine = attempt.machine
        machine.tries.discard(ticket)
        machine.free += attempt.cores
        if machine.up and machine.free > 0 and attempt.takes < math.inf:
            self._open[machine.number] = None

    def _doom(self, machine: Machine) -> None:
        if self._world.mtbf_s is not None:
            self._expect(self._now + self._dice.expovariate(1.0 / self._world.mtbf_s), "fail", machine.number)

    def _expect(self, at: float, what: str, who: int) -> None:
        self._order += 1
        heapq.heappush(self._coming, (at, self._order, what, who))
