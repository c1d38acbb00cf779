"""From what is wanted of a ladder to what each rung must reach; pure.

Rungs that name no goal of their own follow the top rung: their bit rate is its bit rate times the share of samples to the
power of 3/4, so that smaller pictures get fewer bits, but more per sample. `automatic` makes the rungs themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from encoder.allocate import Choice, Goal, Mode, Pool, allocate
from encoder.candidates import Candidates
from encoder.ladder import Rung
from encoder.point import Size

EXPONENT = 0.75
"""Bits grow slower than samples: large pictures are smoother per sample."""
HALVINGS = 24
LEAST_VMAF = 40.0
"""An automatic ladder ends above this: below, pictures are not worth watching."""
Tables = Mapping[Size, Candidates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the whole ladder is to reach; one goal is set.

    Attributes:
        mode, pool: see `allocate`.
        vmaf: of the top rung; 0 where another goal is set.
        kbps: average bit rate of the top rung.
        total_bytes: of all rungs together: a storage budget.
    """

    mode: Mode = "dynamic"
    pool: Pool = "mean"
    vmaf: float = 0.0
    kbps: float = 0.0
    total_bytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AbrRules:
    """Limits of a ladder that is made by rule.

    Attributes:
        most: renditions at most.
        min_kbps, max_kbps: least and greatest average bit rate of a rung; 0 for none.
        step: least distance of neighbouring rungs in VMAF; 6 points are about one just noticeable difference.
    """

    most: int = 6
    min_kbps: float = 150.0
    max_kbps: float = 0.0
    step: float = 6.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decided:
    """A rung, its goal, and what was chosen for it."""

    rung: Rung
    goal: Goal
    choice: Choice


def decide(rungs: Sequence[Rung], tables: Tables, wanted: Wanted) -> list[Decided]:
    """One choice per named rung, each at its own size.

    Args:
        rungs: largest first.
        tables: one for the size of each rung.
        wanted: the goal.
    """
    if wanted.total_bytes:
        return _within_budget(rungs, tables, wanted)
    goal = _own_goal(rungs[0]) or Goal(vmaf=wanted.vmaf, kbps=wanted.kbps)
    top = _decided(rungs[0], goal, tables, wanted)
    return [top, *(_follower(rung, top, tables, wanted) for rung in rungs[1:])]


def automatic(tables: Tables, wanted: Wanted, rules: AbrRules, shorts: Mapping[Size, int]) -> list[Decided]:
    """Rungs at equal distances of quality, from the goal down; each has the size that costs least there.

    Args:
        tables: the sizes that rungs may have.
        wanted: the goal of the top rung; a storage budget lowers it until all fit.
        rules: limits.
        shorts: size -> shorter side, for names.
    """
    if wanted.total_bytes:
        low, high = 0.0, 100.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            made = automatic(tables, replace(wanted, vmaf=middle, total_bytes=0.0), rules, shorts)
            fits = sum(one.choice.bytes for one in made) <= wanted.total_bytes
            low, high = (middle, high) if fits else (low, middle)
        return automatic(tables, replace(wanted, vmaf=low, total_bytes=0.0), rules, shorts)
    goals = _spaced(tables, wanted, rules)
    found = [
        (goal, allocate(list(tables.values()), goal, mode=wanted.mode, pool=wanted.pool)) for goal in goals
    ]
    return _named(found, shorts)


def _spaced(tables: Tables, wanted: Wanted, rules: AbrRules) -> list[Goal]:
    every = list(tables.values())
    top = Goal(vmaf=wanted.vmaf, kbps=wanted.kbps)
    choice = allocate(every, top, mode=wanted.mode, pool=wanted.pool)
    if rules.max_kbps and choice.kbps > rules.max_kbps:
        top = Goal(kbps=rules.max_kbps)
        choice = allocate(every, top, mode=wanted.mode, pool=wanted.pool)
    best = choice.vmaf(wanted.pool)
    bottom = allocate(every, Goal(kbps=max(rules.min_kbps, 1.0)), mode=wanted.mode, pool=wanted.pool)
    least = max(LEAST_VMAF, bottom.vmaf(wanted.pool))
    count = min(rules.most, 1 + int(max(best - least, 0.0) / rules.step + 1e-9))
    gap = (best - least) / (count - 1) if count > 1 else 0.0
    return [top, *(Goal(vmaf=best - gap * place) for place in range(1, count))]


def _named(found: Sequence[tuple[Goal, Choice]], shorts: Mapping[Size, int]) -> list[Decided]:
    """`720p`, and `720p-2` for the next of this size."""
    made: list[Decided] = []
    seen: dict[Size, int] = {}
    for goal, choice in found:
        size = choice.table.at
        seen[size] = seen.get(size, 0) + 1
        name = f"{shorts[size]}p" + (f"-{seen[size]}" if seen[size] > 1 else "")
        made.append(Decided(rung=Rung(name=name, width=size[0], height=size[1]), goal=goal, choice=choice))
    return made


def _within_budget(rungs: Sequence[Rung], tables: Tables, wanted: Wanted) -> list[Decided]:
    """The greatest bit rate of the top rung with which all rungs fit into the budget."""
    seconds = next(iter(tables.values())).seconds
    low, high = 0.0, wanted.total_bytes * 8 / 1000 / seconds
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        made = decide(rungs, tables, replace(wanted, total_bytes=0.0, kbps=middle))
        fits = sum(one.choice.bytes for one in made) <= wanted.total_bytes
        low, high = (middle, high) if fits else (low, middle)
    return decide(rungs, tables, replace(wanted, total_bytes=0.0, kbps=low or high))


def _follower(rung: Rung, top: Decided, tables: Tables, wanted: Wanted) -> Decided:
    share = rung.width * rung.height / (top.rung.width * top.rung.height)
    goal = _own_goal(rung) or Goal(kbps=top.choice.kbps * share**EXPONENT)
    return _decided(rung, goal, tables, wanted)


def _own_goal(rung: Rung) -> Goal | None:
    if rung.vmaf:
        return Goal(vmaf=float(rung.vmaf))
    return Goal(kbps=float(rung.kbps)) if rung.kbps else None


def _decided(rung: Rung, goal: Goal, tables: Tables, wanted: Wanted) -> Decided:
    table = tables[rung.width, rung.height].capped(rung.peak_kbps)
    return Decided(rung=rung, goal=goal, choice=allocate([table], goal, mode=wanted.mode, pool=wanted.pool))
