"""One setting per shot for a rung: equal slope, equal quality, or equal setting, whatever meets the rung's goal; pure.

    table = candidates(shots, surfaces, (1280, 720), grid, ShotLimits())
    choice = allocate([table], Goal(vmaf=93), mode="dynamic")
    choice.crfs, choice.kbps, choice.vmaf("mean")

Each mode is a family of choices with one parameter, along which bytes and quality rise together; bisection finds the goal:

- `dynamic`: every shot is at the point of its hull where one more byte buys the same quality (times frames) as in every other
  shot. No choice of the same bytes has a better pooled quality, since both pools are sums over frames, of VMAF or of
  1 / (VMAF + 1).
- `constant-vmaf`: every shot has the same mean VMAF, as Av1an's target quality.
- `per-title`: every shot has the same quality value, as ab-av1's search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from encoder.candidates import Array, Candidates
from encoder.hull import best_places

Mode = Literal["dynamic", "constant-vmaf", "per-title"]
Pool = Literal["mean", "harmonic"]
Places = npt.NDArray[np.intp]
HALVINGS = 50
SLOPES = (-45.0, 25.0)
"""Natural logarithms of quality per byte, from all bytes that can be spent to none."""
UNSEEN = 2.0
"""VMAF that nobody sees (6 points are about one just noticeable difference): not paid for where a goal is out of reach anyway."""
SCALE = 101.0**2
"""Makes a point of harmonic quality near VMAF 100 count as much as one of mean quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a rung is to reach; exactly one of the two is above 0.

    Attributes:
        vmaf: pooled VMAF of the title, at least.
        kbps: average bit rate of its pictures, at most.
    """

    vmaf: float = 0.0
    kbps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """A rung decided.

    Attributes:
        table: its size and what there was to choose from.
        places: (shots,) the chosen candidates.
        level: the parameter of the mode: quality per byte, VMAF, or quality value.
        met: the goal was reached.
    """

    table: Candidates
    places: Places
    level: float
    met: bool

    @property
    def crfs(self) -> tuple[Decimal, ...]:
        """Quality value of each shot."""
        return tuple(self.table.crfs[place] for place in self.places)

    def of(self, values: Array) -> Array:
        """(shots,) the chosen ones of a column of the table."""
        return np.asarray(values[np.arange(len(self.places)), self.places], np.float64)

    @property
    def bytes(self) -> float:
        """Predicted bytes of the title's pictures."""
        return float(self.of(self.table.size).sum())

    @property
    def kbps(self) -> float:
        """Predicted average bit rate."""
        return self.bytes * 8 / 1000 / self.table.seconds

    def vmaf(self, pool: Pool) -> float:
        """Predicted pooled VMAF of the title."""
        weights = self.table.frames / self.table.frames.sum()
        if pool == "mean":
            return float((self.of(self.table.mean) * weights).sum())
        return float(1 / (weights / (self.of(self.table.harmonic) + 1)).sum() - 1)


def allocate(tables: Sequence[Candidates], goal: Goal, *, mode: Mode, pool: Pool = "mean") -> Choice:
    """The best rung over the sizes it may have.

    Args:
        tables: one per allowed size, of the same shots.
        goal: what to reach.
        mode: how shots relate.
        pool: the quality that counts.

    Returns: of those that reach the goal the one with the fewest bytes (the best quality, where the goal is a rate). Where none
        does: the smallest for a rate; for a VMAF the cheapest that is as good as the best one to the eye.
    """
    found = [_solved(table, goal, mode, pool) for table in tables]
    met = [choice for choice in found if choice.met]
    if goal.kbps:
        return max(met, key=lambda one: one.vmaf(pool)) if met else min(found, key=lambda one: one.bytes)
    if met:
        return min(met, key=lambda one: one.bytes)
    best = max(one.vmaf(pool) for one in found)
    nearest = replace(goal, vmaf=best - min(UNSEEN, goal.vmaf - best))
    enough = (_solved(table, nearest, mode, pool) for table in tables)
    return replace(min((one for one in enough if one.met), key=lambda one: one.bytes), met=False)


def _solved(table: Candidates, goal: Goal, mode: Mode, pool: Pool) -> Choice:
    """Bisection on the parameter of the mode, then shot by shot between the two choices around the goal."""
    at = partial(FAMILIES[mode], table, pool)
    low, high = 0.0, 1.0
    cheapest, best = _choice(table, *at(low)), _choice(table, *at(high))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        choice = _choice(table, *at(middle))
        if _above(choice, goal, pool):
            high, best = middle, choice
        else:
            low, cheapest = middle, choice
    if mode == "per-title":  # between two of them would be no single quality value
        nearest = cheapest if goal.kbps else best
        return replace(nearest, met=_above(nearest, goal, pool) != bool(goal.kbps))
    return _between(cheapest, best, goal, pool)


def _above(choice: Choice, goal: Goal, pool: Pool) -> bool:
    """At or above the goal."""
    return choice.kbps > goal.kbps if goal.kbps else choice.vmaf(pool) >= goal.vmaf


def _between(low: Choice, high: Choice, goal: Goal, pool: Pool) -> Choice:
    """Move shots from the lower choice to the higher while the goal is not passed: the nearest below a rate, or above a VMAF."""
    chosen = low
    for shot in np.flatnonzero(low.places != high.places):
        places = chosen.places.copy()
        places[shot] = high.places[shot]
        moved = replace(chosen, places=places)
        if _above(moved, goal, pool):
            if not goal.kbps:
                return replace(moved, met=True)
            continue
        chosen = moved
    met = chosen.kbps <= goal.kbps if goal.kbps else _above(high, goal, pool)
    return replace(high if met and not goal.kbps else chosen, met=met)


def _choice(table: Candidates, places: Places, level: float) -> Choice:
    return Choice(table=table, places=places, level=level, met=False)


def _equal_slope(table: Candidates, pool: Pool, share: float) -> tuple[Places, float]:
    slope = float(np.exp(SLOPES[1] + (SLOPES[0] - SLOPES[1]) * share))
    quality = table.mean if pool == "mean" else -SCALE / (table.harmonic + 1)
    return best_places(table.size, quality * table.frames[:, None], table.allowed, slope), slope


def _equal_quality(table: Candidates, _pool: Pool, share: float) -> tuple[Places, float]:
    """The cheapest allowed candidate of each shot that has the quality, else its best."""
    level = 100 * share
    enough = table.allowed & (table.mean >= level)
    last = table.allowed.shape[1] - 1 - enough[:, ::-1].argmax(axis=1)
    return np.where(enough.any(axis=1), last, table.allowed.argmax(axis=1)), level


def _equal_setting(table: Candidates, _pool: Pool, share: float) -> tuple[Places, float]:
    """One quality value for all; a shot that may not have it gets its nearest allowed one."""
    count = len(table.crfs)
    place = round((count - 1) * (1 - share))
    distance = np.where(table.allowed, np.abs(np.arange(count) - place), 2 * count)
    return np.argmin(distance, axis=1), float(table.crfs[place])


FAMILIES: dict[Mode, Callable[[Candidates, Pool, float], tuple[Places, float]]] = {
    "dynamic": _equal_slope,
    "constant-vmaf": _equal_quality,
    "per-title": _equal_setting,
}
