"""Strategies on the measured points of a title: what each would cost, and how good it would be; nothing is encoded.

Between measured quality values, bytes and the VMAF of every scored frame are interpolated (see `encoder.surface`); that is the
truth that all strategies are judged by. Ours sees only what its own analysis would have measured: a few points per shot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from encoder.allocate import Choice, Goal, Mode, allocate
from encoder.candidates import Candidates, ShotLimits, candidates, quality_grid
from encoder.codecs import Codec, codec_named
from encoder.ladder import Rung
from encoder.point import RDPoint, ShotPoints, Size
from encoder.prior import Prior, pilots
from encoder.probes import corrections, first_probes
from encoder.rules import Decided
from encoder.surface import CEILING, Surface
from vmaf import pool
from vmaf.interpolation import hermite, pchip

Array = npt.NDArray[np.float64]
RUNGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A rendition of a title by the truth."""

    kbps: float
    harmonic: float
    mean: float
    p1: float


class Truth:
    """What is known of a title: what a file of `rd_points` holds."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.codec: Codec = codec_named(self.data["codec"])
        self.sizes: list[Size] = [(height * 16 // 9, height) for height in self.data["heights"]]
        shots = self.data["shots"]
        self.shots = [self._shot(shot) for shot in shots]
        self.grid = quality_grid(self.codec, self.shots)
        self.values = np.array([float(crf) for crf in self.grid])
        self.surfaces = [Surface(shot.points, self.values) for shot in self.shots]

    def _shot(self, shot: dict[str, Any]) -> ShotPoints:
        frames = shot["end"] - shot["start"]
        numerator, _, denominator = shot["fps"].partition("/")
        points = tuple(_point(point) for point in shot["points"])
        seconds = frames * int(denominator or 1) / int(numerator)
        return ShotPoints(frames=frames, seconds=seconds, points=points)

    @cached_property
    def tables(self) -> dict[Size, Candidates]:
        """Everything, at every size."""
        return {
            size: candidates(self.shots, self.surfaces, size, self.grid, ShotLimits()) for size in self.sizes
        }

    def outcome(self, choices: Sequence[tuple[Size, Decimal]]) -> Outcome:
        """Of one setting per shot."""
        size, scores = 0.0, []
        for place, (at, crf) in enumerate(choices):
            column = round(float(np.searchsorted(self.values, float(crf) - 1e-9)))
            size += float(self.tables[at].size[place, column])
            scores.append(self._frames(place, at, float(crf)))
        every = np.concatenate(scores)
        pooled = pool(every)
        rate = size * 8 / 1000 / sum(shot.seconds for shot in self.shots)
        return Outcome(kbps=rate, harmonic=pooled.harmonic_mean, mean=pooled.mean, p1=pooled.p1)

    def _frames(self, place: int, at: Size, crf: float) -> Array:
        """VMAF of the scored frames of a shot, each weighted alike; frames between grid points are interpolated alone."""
        rows = [point for point in self.data["shots"][place]["points"] if point["height"] == at[1]]
        x = np.array([float(row["crf"]) for row in rows])
        lines = np.log(CEILING - np.minimum(np.array([row["vmaf"] for row in rows]), 100.0))
        inside = np.clip(crf, x[0], x[-1])
        found = np.array([float(hermite(x, line, pchip(x, line), np.array([inside]))[0]) for line in lines.T])
        edge = lines[1] - lines[0] if crf < x[0] else lines[-1] - lines[-2]
        step = x[1] - x[0] if crf < x[0] else x[-1] - x[-2]
        return np.maximum(CEILING - np.exp(found + edge / step * (crf - inside)), 0.0)

    @property
    def fixed(self) -> list[Outcome]:
        """The fixed ladder, as it was encoded."""
        seconds = sum(shot.seconds for shot in self.shots)
        found = [
            (rung["bytes"] * 8 / 1000 / seconds, pool(np.array(rung["vmaf"]))) for rung in self.data["fixed"]
        ]
        return [
            Outcome(kbps=kbps, harmonic=pooled.harmonic_mean, mean=pooled.mean, p1=pooled.p1)
            for kbps, pooled in found
        ]

    def probe(self, place: int, at: Size, crf: Decimal) -> RDPoint:
        """What encoding and scoring this would measure: the same frames that `outcome` pools."""
        curve = Surface(self.shots[place].points, np.array([float(crf)])).curve(at)
        pooled = pool(self._frames(place, at, float(crf)))
        return RDPoint(
            width=at[0], height=at[1], crf=crf, size=round(float(curve.size[0])),
            mean=pooled.mean, harmonic=pooled.harmonic_mean,
        )  # fmt: skip


def _point(row: dict[str, Any]) -> RDPoint:
    pooled = pool(np.array(row["vmaf"]))
    return RDPoint(
        width=row["height"] * 16 // 9, height=row["height"], crf=Decimal(row["crf"]), size=row["bytes"],
        mean=pooled.mean, harmonic=pooled.harmonic_mean,
    )  # fmt: skip


def targets(truth: Truth) -> list[float]:
    """Harmonic VMAFs of the rungs: evenly from what the largest size reaches well inside its measured qualities, down."""
    top = truth.tables[truth.sizes[0]]
    best = allocate([top], Goal(vmaf=100), mode="per-title", pool="harmonic")
    usable = [float(crf) for crf in truth.grid]
    first = min(point.crf for point in truth.shots[0].points if point.height == truth.sizes[0][1])
    place = int(np.searchsorted(usable, float(first)))
    high = replace(best, places=np.full(len(truth.shots), place)).vmaf("harmonic")
    high = min(high, 95.0)
    return [high - gap for gap in np.linspace(0, min(30.0, high - 45.0), RUNGS)]


def settings(choice: Choice) -> list[tuple[Size, Decimal]]:
    return [(choice.table.at, crf) for crf in choice.crfs]


def by_mode(truth: Truth, mode: Mode, sizes: Sequence[Size]) -> list[Outcome]:
    """A strategy that knows everything, with one size per rung."""
    tables = [truth.tables[size] for size in sizes]
    choices = [allocate(tables, Goal(vmaf=goal), mode=mode, pool="harmonic") for goal in targets(truth)]
    return [truth.outcome(settings(choice)) for choice in choices]


def switching(truth: Truth) -> list[Outcome]:
    """The oracle that may change the size from shot to shot: all sizes side by side in one table."""
    tables = list(truth.tables.values())
    joined = replace(
        tables[0],
        **{
            name: np.concatenate([getattr(table, name) for table in tables], axis=1)
            for name in ("size", "mean", "harmonic", "allowed")
        },
    )
    found = []
    for goal in targets(truth):
        choice = allocate([joined], Goal(vmaf=goal), mode="dynamic", pool="harmonic")
        picked = [divmod(int(place), len(truth.grid)) for place in choice.places]
        found.append(truth.outcome([(truth.sizes[table], truth.grid[column]) for table, column in picked]))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What the analysis and the allocation of cinemill give."""

    planned: list[tuple[float, float]]
    achieved: list[Outcome]
    encodes: float
    probes: list[list[RDPoint]]


def ours(truth: Truth) -> Ours:
    """First probes of a few shots, a ladder, what all shots lack where its rungs landed, and so on, as the analysis does."""
    wanted = first_probes(truth.sizes, truth.codec)
    first = pilots(len(truth.shots))
    known = [
        [truth.probe(place, *probe) for probe in wanted] if place in first else []
        for place in range(len(truth.shots))
    ]
    again = False
    while any(more := corrections(_decide(truth, known), _shots(truth, known), truth.codec, again=again)):
        for place, probes in enumerate(more):
            known[place] += [truth.probe(place, *probe) for probe in probes]
        again = True
    final = _decide(truth, known)
    return Ours(
        planned=[(one.choice.kbps, one.choice.vmaf("harmonic")) for one in final],
        achieved=[truth.outcome(settings(one.choice)) for one in final],
        encodes=float(np.mean([len(points) for points in known])),
        probes=known,
    )


def _shots(truth: Truth, known: Sequence[Sequence[RDPoint]]) -> list[ShotPoints]:
    return [replace(shot, points=tuple(points)) for shot, points in zip(truth.shots, known, strict=True)]


def _decide(truth: Truth, known: Sequence[Sequence[RDPoint]]) -> list[Decided]:
    shots = _shots(truth, known)
    grid = tuple(crf for crf in quality_grid(truth.codec, shots) if truth.grid[0] <= crf <= truth.grid[-1])
    prior = Prior.of(shots, truth.sizes, np.array([float(crf) for crf in grid]), truth.codec)
    surfaces = [prior.surface(shot) for shot in shots]
    tables = [candidates(shots, surfaces, size, grid, ShotLimits()) for size in truth.sizes]
    return [
        Decided(
            rung=Rung(name=f"{goal:.1f}", width=0, height=0),
            goal=Goal(vmaf=goal),
            choice=allocate(tables, Goal(vmaf=goal), mode="dynamic", pool="harmonic"),
        )
        for goal in targets(truth)
    ]
