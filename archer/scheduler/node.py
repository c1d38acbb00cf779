"""Where one node of a job stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archer.artifact import Artifact
from archer.plan import PlannedNode
from archer.scheduler.pace import Pace, hedged
from archer.stage import Item, Part
from archer.task import Inputs, Task


@dataclass(slots=True)
class NodeState:
    """A node between its first split and its outputs.

    Attributes:
        place: position in the plan.
        done: its outputs are there.
        round: how many times its collect has asked for more.
        parts: of all items of all rounds in the order of the items; None where an item is not done, or is lost.
        open: items that are neither done nor lost.
        lost: items that failed for good.
        hedged: names of the tasks that are run twice from the start.
        stored: the `parts@1` artifact that a collect joins.
    """

    plan: PlannedNode
    place: int
    pace: Pace = field(default_factory=Pace)
    done: bool = False
    round: int = 0
    parts: list[Part | None] = field(default_factory=list)
    open: int = 0
    lost: int = 0
    hedged: frozenset[str] = frozenset()
    inputs: Inputs = field(default_factory=dict)
    stored: Artifact | None = None

    def tasks_of(self, items: Sequence[Item]) -> tuple[Task, ...]:
        """The map tasks of the round's items, all of them open."""
        first = len(self.parts)
        tasks = tuple(
            Task(node=self.plan.id, phase="map", item=item, round=self.round, place=first + place)
            for place, item in enumerate(items)
        )
        self.parts += [None] * len(tasks)
        self.open = len(tasks)
        return tasks

    def hedge(self, tasks: Sequence[Task], cores: int, percent: int) -> None:
        """Choose what to run twice from the start."""
        self.hedged = hedged(tasks, cores, percent)

    @property
    def found(self) -> list[Part]:
        """The parts that are there."""
        return [part for part in self.parts if part is not None]

    @property
    def gives_one(self) -> bool:
        """True where the outputs of its only item are its own."""
        return not (self.plan.collects or self.plan.hands_on) and len(self.parts) == 1

    def can_spare(self, task: Task) -> bool:
        """True where it can do without one more item."""
        if task.phase != "map":
            return False
        return len(self.parts) - self.lost - 1 >= self.plan.min_success * len(self.parts)

    def lacks(self, outputs: dict[str, Artifact]) -> list[str]:
        """Inputs from other nodes that those did not give."""
        sources = [source for source in self.plan.inputs.values() if isinstance(source, str)]
        return [source for source in sources if source not in outputs]
