"""What is learned from some shots about the others: fewer encodes of these, plans as near, in whatever order they came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

import numpy as np
import pytest

from encoder.candidates import ShotLimits, candidates, quality_grid
from encoder.codecs import codec_named
from encoder.ladder import Rung
from encoder.point import RDPoint, ShotPoints, Size
from encoder.prior import Prior, pilots, spans
from encoder.probes import Probe, corrections, first_probes
from encoder.rules import Decided, Wanted, decide

CODEC = codec_named("x264")
SIZES = ((1280, 720), (960, 540), (640, 360), (426, 240))
RUNGS = tuple(Rung(name=f"{height}p", width=width, height=height) for width, height in SIZES)
HARDNESS = (0.8, 1.0, 1.3, 0.7, 1.6, 1.1, 0.9, 1.4, 1.2)
"""Of the shots of a title; the second, the sixth and so on come first."""


def encoded(hardness: float, probe: Probe) -> RDPoint:
    """What coding a shot would give: VMAF falls by a curve, and small sizes lack the same at every quality."""
    (width, height), crf = probe
    lacks = 2 + hardness * (4 * np.exp(0.1 * (float(crf) - 19)) + 26 * (1 - width / 1280))
    size = hardness * 4e5 * 2 ** ((24 - float(crf)) / 6.5) * (width / 1280) ** 1.6
    vmaf = max(1.0, 101 - float(lacks))
    return RDPoint(width=width, height=height, crf=crf, size=round(size), mean=vmaf, harmonic=vmaf - 0.3)


def shot(hardness: float, probes: Sequence[Probe]) -> ShotPoints:
    return ShotPoints(frames=48, seconds=2.0, points=tuple(encoded(hardness, probe) for probe in probes))


def ladder(shots: Sequence[ShotPoints]) -> list[Decided]:
    grid = quality_grid(CODEC, shots)
    prior = Prior.of(shots, SIZES, np.array([float(crf) for crf in grid]), CODEC)
    surfaces = [prior.surface(one) for one in shots]
    tables = {size: candidates(shots, surfaces, size, grid, ShotLimits()) for size in SIZES}
    return decide(RUNGS, tables, Wanted(vmaf=92))


def analysed(first: Sequence[int]) -> list[ShotPoints]:
    """The title measured as `pipelines.analyse` does it."""
    begun = [first_probes(SIZES, CODEC) if place in first else () for place in range(len(HARDNESS))]
    shots = [shot(hardness, probes) for hardness, probes in zip(HARDNESS, begun, strict=True)]
    again = False
    while any(more := corrections(ladder(shots), shots, CODEC, again=again)):
        shots = [
            replace(one, points=(*one.points, *(encoded(hardness, probe) for probe in probes)))
            for one, hardness, probes in zip(shots, HARDNESS, more, strict=True)
        ]
        again = True
    return shots


def off(shots: Sequence[ShotPoints]) -> tuple[float, float]:
    """Largest difference of planned and coded rungs: VMAF, and share of bytes."""
    vmaf, share = 0.0, 0.0
    for one in ladder(shots):
        at = one.choice.table.at
        made = [encoded(hard, (at, crf)) for hard, crf in zip(HARDNESS, one.choice.crfs, strict=True)]
        vmaf = max(vmaf, abs(float(np.mean([point.mean for point in made])) - one.choice.vmaf("mean")))
        share = max(share, abs(sum(point.size for point in made) / one.choice.bytes - 1))
    return vmaf, share


def test_the_first_ones_are_spread_over_the_title() -> None:
    assert [pilots(count) for count in (1, 2, 6, 9)] == [(0,), (1,), (1, 5), (1, 5)]
    assert len(pilots(1000)) == 250


def test_shots_that_follow_others_need_fewer_encodes_and_plans_hold() -> None:
    known, alone = analysed(pilots(len(HARDNESS))), analysed(range(len(HARDNESS)))
    rest = [place for place in range(len(HARDNESS)) if place not in pilots(len(HARDNESS))]
    assert all(len(known[place].points) <= len(alone[place].points) - 2 for place in rest)
    largest = [sum(point.width == 1280 for one in shots for point in one.points) for shots in (known, alone)]
    assert largest[0] < 0.7 * largest[1]
    for shots in (known, alone):
        vmaf, share = off(shots)
        assert vmaf < 0.5
        assert share < 0.03


def test_the_order_of_points_and_shots_changes_nothing() -> None:
    shots = analysed(pilots(len(HARDNESS)))
    turned = [replace(one, points=one.points[::-1]) for one in shots]
    assert [one.choice.crfs for one in ladder(turned)] == [one.choice.crfs for one in ladder(shots)]
    backwards = [one.choice.crfs[::-1] for one in ladder(shots[::-1])]
    assert [len(crfs) for crfs in backwards] == [len(HARDNESS)] * len(RUNGS)
    for crfs, one in zip(backwards, ladder(shots), strict=True):
        assert sum(abs(a - b) for a, b in zip(crfs, one.choice.crfs, strict=True)) <= Decimal("0.4")


def test_a_shot_with_no_point_is_what_the_others_are_on_average() -> None:
    grid = np.arange(15.0, 40.0)
    probes = list(product(SIZES, (Decimal(18), Decimal(24), Decimal(30), Decimal(36))))
    prior = Prior.of([shot(0.8, probes), shot(1.25, probes)], SIZES, grid, CODEC)
    empty = ShotPoints(frames=96, seconds=4.0, points=())
    curve, twice = prior.surface(empty).curve(SIZES[0]), shot(1.0, probes)
    assert curve.size[9] == pytest.approx(2 * encoded(1.0, (SIZES[0], Decimal(24))).size, rel=0.02)
    assert curve.mean[9] == pytest.approx(encoded(1.0, (SIZES[0], Decimal(24))).mean, abs=1)
    assert not spans(empty, CODEC)
    assert spans(twice, CODEC)


def test_one_point_says_where_a_shot_lies_at_every_size() -> None:
    """Its own point holds exactly, and the shape of the others holds around it."""
    grid = np.arange(15.0, 40.0)
    probes = list(product(SIZES, (Decimal(18), Decimal(24), Decimal(30), Decimal(36))))
    prior = Prior.of([shot(0.8, probes), shot(1.25, probes)], SIZES, grid, CODEC)
    surface = prior.surface(shot(2.0, [(SIZES[1], Decimal(27))]))
    size: Size
    for size, crf, near in ((SIZES[1], 27, 1e-6), (SIZES[1], 29, 0.5), (SIZES[2], 27, 4)):
        real = encoded(2.0, (size, Decimal(crf)))
        assert surface.curve(size).mean[crf - 15] == pytest.approx(real.mean, abs=near)
        assert surface.curve(size).size[crf - 15] == pytest.approx(real.size, rel=0.05)


def test_without_any_curve_nothing_can_be_learned() -> None:
    near: list[Probe] = [(SIZES[0], Decimal(24)), (SIZES[0], Decimal(26)), (SIZES[1], Decimal(33))]
    with pytest.raises(ValueError, match="no shot has two points"):
        Prior.of([shot(1.0, near)], SIZES, np.arange(15.0, 40.0), CODEC)
