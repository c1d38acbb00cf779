"""What each side cost, from the records of their runs; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """Processor seconds of one stage; None where a side did not have it, or nobody wrote it down."""

    stage: str
    a: float | None
    b: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What both sides cost.

    Attributes:
        stages: in the order of their names.
        a, b: processor seconds in all; None where nobody wrote it down.
        wall_a, wall_b: seconds from the beginning to the end of the last run.
        notes: what weakens the comparison, in words.
    """

    stages: tuple[CostRow, ...]
    a: float | None
    b: float | None
    wall_a: float | None
    wall_b: float | None
    notes: tuple[str, ...]


def costs(one: Mapping[str, Any], other: Mapping[str, Any]) -> Costs:
    """Costs from two `run.json`; either may be empty."""
    sides = [side.get("cost", {}) for side in (one, other)]
    stages = [{node["node"]: node for node in side.get("nodes", ())} for side in sides]
    return Costs(
        stages=tuple(
            CostRow(stage=name, a=_seconds(stages[0].get(name, {})), b=_seconds(stages[1].get(name, {})))
            for name in sorted({*stages[0], *stages[1]})
        ),
        a=_seconds(sides[0]),
        b=_seconds(sides[1]),
        wall_a=_wall(sides[0]),
        wall_b=_wall(sides[1]),
        notes=tuple(_notes(one, other)),
    )


def _seconds(entry: Mapping[str, Any]) -> float | None:
    return float(entry["cpu_s"]) if "cpu_s" in entry else None


def _wall(cost: Mapping[str, Any]) -> float | None:
    return (cost["ended_ms"] - cost["begun_ms"]) / 1000 if "ended_ms" in cost else None


def _notes(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name, run in (("A", one), ("B", other)):
        if "cpu_s" not in run.get("cost", {}):
            yield f"what {name} cost was not recorded (it has neither run.json nor cost.js)"
        elif run["cost"].get("tries", 0) < run["cost"].get("tasks", 0):
            part = f"{run['cost']['tries']} of {run['cost']['tasks']} tasks were done"
            yield f"{name} used results of earlier jobs again: {part}, so it cost more than this"
        elif run["cost"].get("runs", 1) > 1:
            yield f"{name} was interrupted and went on: its time from begin to end is not that of one run"
    machines = [run.get("machine", {}) for run in (one, other)]
    if all(machines) and any(machines[0].get(key) != machines[1].get(key) for key in ("processor", "cores")):
        words = (f"{machine.get('processor')}, {machine.get('cores')} cores" for machine in machines)
        yield f"they ran on different machines: {' and '.join(words)}"
