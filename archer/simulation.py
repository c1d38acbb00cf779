"""Run the real scheduler against a simulated cluster, without stores: how long would it take, what would be wasted?

story = simulate(make_plan(spec), items={"encode": items}, world=World(machines=200, cores=64, mtbf_s=7200))
print(story.makespan_s, story.wasted_percent)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archer.artifact import Artifact
from archer.executors.simulated import SimulatedExecutor, World
from archer.plan import Plan
from archer.scheduler import (
    Abandon,
    Action,
    Alive,
    Begin,
    Ended,
    Failed,
    Finished,
    Happening,
    Launch,
    Looked,
    LookUp,
    PartsStored,
    Policy,
    Resized,
    Result,
    Scheduler,
    StoreParts,
    Tick,
)
from archer.stage import Item
from archer.task import PARTS, Progress, Report, Task, TaskCall, TaskDone

NOWHERE = Path("/nonexistent")
MADE_UP = Artifact(kind=PARTS, hash="sha256:0", size=0)
EMPTY = Result(outputs={})
TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What became of a simulated job.

    Attributes:
        state: how it ended.
        makespan_s: from beginning to end.
        busy_s, wasted_s: core seconds of tries that counted, and of all others.
        tries: all of them. copies: those that ran beside another.
    """

    state: str
    makespan_s: float
    busy_s: float
    wasted_s: float
    tries: int
    copies: int

    @property
    def wasted_percent(self) -> float:
        """Core time of tries that came to nothing, of all core time."""
        return 100.0 * self.wasted_s / max(1e-9, self.busy_s + self.wasted_s)


def simulate(
    plan: Plan, *, items: Mapping[str, Sequence[Item]], world: World, policy: Policy | None = None
) -> Story:
    """Run a plan to its end in virtual time; nothing is computed.

    Args:
        plan: the job.
        items: what the split of each node gives.
        world: the cluster.
        policy: see `Scheduler`.
    """
    executor = SimulatedExecutor(world=world, stand_in=lambda _task: TaskDone())
    return _Simulation(plan, items, executor, policy or Policy()).run()


class _Simulation:
    """The driver's loop without its stores."""

    def __init__(
        self, plan: Plan, items: Mapping[str, Sequence[Item]], executor: SimulatedExecutor, policy: Policy
    ) -> None:
        self._plan, self._items, self._executor = plan, items, executor
        self._capacity = executor.capacity()
        self._scheduler = Scheduler(plan, capacity=self._capacity, policy=policy)
        self._tasks: dict[int, Task] = {}
        self._ended: Ended | None = None
        self._tries = self._copies = 0

    def run(self) -> Story:
        executor, next_tick = self._executor, TICK_S
        self._settle([Begin()])
        while self._ended is None:
            happenings = list(map(self._heard, executor.poll(TICK_S)))
            if executor.clock() >= next_tick:
                next_tick = executor.clock() + TICK_S
                happenings.append(Tick())
                if (capacity := executor.capacity()) != self._capacity:
                    self._capacity = capacity
                    happenings.append(Resized(capacity=capacity))
            self._settle(happenings)
        return Story(
            state=self._ended.state,
            makespan_s=executor.clock(),
            busy_s=executor.busy_s,
            wasted_s=executor.wasted_s,
            tries=self._tries,
            copies=self._copies,
        )

    def _heard(self, report: Report) -> Happening:
        match report.what:
            case TaskDone():
                task = self._tasks.pop(report.ticket)
                items = self._items[task.node] if task.phase == "split" else None
                result = EMPTY if items is None else Result(outputs={}, items=items)
                return Finished(ticket=report.ticket, result=result)
            case Progress(done=done, total=total):
                return Alive(ticket=report.ticket, share=done / total)
            case failure:
                self._tasks.pop(report.ticket, None)
                return Failed(ticket=report.ticket, failure=failure)

    def _settle(self, happenings: Sequence[Happening]) -> None:
        queue, now = deque(happenings), self._executor.clock()
        while queue:
            for action in self._scheduler.handle(queue.popleft(), now):
                queue.extend(self._carry_out(action))

    def _carry_out(self, action: Action) -> Iterator[Happening]:
        match action:
            case Launch():
                self._launch(action)
            case Abandon():
                self._tasks.pop(action.ticket, None)
                self._executor.cancel(action.ticket)
            case LookUp():
                yield Looked(asked=action.tasks, hits={})
            case StoreParts():
                yield PartsStored(node=action.node, artifact=MADE_UP)
            case Ended():
                self._ended = action

    def _launch(self, launch: Launch) -> None:
        self._tries += 1
        self._copies += launch.copy_of != 0
        self._tasks[launch.ticket] = launch.task
        node = self._plan.by_id[launch.task.node]
        self._executor.submit(
            TaskCall(
                ticket=launch.ticket,
                root=NOWHERE,
                stage=node.stage,
                params=node.params,
                task=launch.task,
                inputs=launch.inputs,
                resources=launch.resources,
                copy_of=launch.copy_of,
            )
        )
