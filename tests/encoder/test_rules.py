"""Whole ladders: rungs follow the top, budgets hold, automatic ones keep to their rules."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise, product

import numpy as np
import pytest

from encoder.candidates import Candidates, ShotLimits, candidates, quality_grid
from encoder.codecs import codec_named
from encoder.ladder import Rung
from encoder.point import RDPoint, ShotPoints, Size
from encoder.probes import MOST, corrections, first_probes
from encoder.rules import AbrRules, Wanted, automatic, decide
from encoder.surface import Surface

CODEC = codec_named("x264")
SIZES = ((1280, 720), (960, 540), (640, 360))
RUNGS = tuple(Rung(name=f"{height}p", width=width, height=height) for width, height in SIZES)


def shot(hardness: float) -> ShotPoints:
    points = [
        RDPoint(
            width=size[0],
            height=size[1],
            crf=Decimal(crf),
            size=round(hardness * 4e5 * 2 ** ((24 - crf) / 6) * (size[0] / 1280) ** 1.6),
            mean=max(1.0, 99 - 0.4 * hardness * (crf - 15) - loss),
            harmonic=max(1.0, 98 - 0.5 * hardness * (crf - 15) - loss),
        )
        for (size, loss), crf in product(zip(SIZES, (0, 3, 9), strict=True), (18, 24, 30, 36))
    ]
    return ShotPoints(frames=48, seconds=2.0, points=tuple(points))


@pytest.fixture
def shots() -> list[ShotPoints]:
    return [shot(hardness) for hardness in (0.6, 1.0, 1.7, 2.5)]


@pytest.fixture
def tables(shots: list[ShotPoints]) -> dict[Size, Candidates]:
    grid = quality_grid(CODEC, shots)
    surfaces = [Surface(one.points, np.array([float(crf) for crf in grid])) for one in shots]
    return {size: candidates(shots, surfaces, size, grid, ShotLimits()) for size in SIZES}


def test_rungs_without_a_goal_follow_the_top(tables: dict[Size, Candidates]) -> None:
    top, middle, low = decide(RUNGS, tables, Wanted(vmaf=92))
    assert top.choice.vmaf("mean") == pytest.approx(92, abs=0.3)
    assert middle.choice.kbps == pytest.approx(top.choice.kbps * (9 / 16) ** 0.75, rel=0.03)
    assert low.choice.kbps == pytest.approx(top.choice.kbps * (1 / 4) ** 0.75, rel=0.03)


def test_a_rungs_own_goal_wins(tables: dict[Size, Candidates]) -> None:
    rungs = [RUNGS[0], Rung(name="540p", width=960, height=540, kbps=700), RUNGS[2]]
    rungs[2] = Rung(name="360p", width=640, height=360, vmaf="75")
    _, middle, low = decide(rungs, tables, Wanted(vmaf=92))
    assert 650 < middle.choice.kbps <= 700
    assert low.choice.vmaf("mean") == pytest.approx(75, abs=0.4)


@pytest.mark.parametrize("named", [True, False])
def test_a_storage_budget_holds_and_is_used(tables: dict[Size, Candidates], named: bool) -> None:
    wanted, shorts = Wanted(total_bytes=2_000_000), {size: size[1] for size in SIZES}
    found = (
        decide(RUNGS, tables, wanted)
        if named
        else automatic(tables, wanted, AbrRules(min_kbps=100, step=6), shorts)
    )
    total = sum(one.choice.bytes for one in found)
    assert 0.9 * 2_000_000 < total <= 2_000_000


def test_an_automatic_ladder_keeps_its_rules(tables: dict[Size, Candidates]) -> None:
    rules = AbrRules(most=5, min_kbps=200, max_kbps=3000, step=5)
    found = automatic(tables, Wanted(vmaf=96), rules, {size: size[1] for size in SIZES})
    rates, scores = (
        [one.choice.kbps for one in found],
        [one.choice.vmaf("mean") for one in found],
    )
    assert 2 <= len(found) <= 5
    assert rates[0] <= 3000
    assert rates[-1] >= 200 * 0.9
    assert all(before > after for before, after in pairwise(rates))
    assert all(before - after > 4.5 for before, after in pairwise(scores))
    assert len({one.rung.name for one in found}) == len(found)
    for one in found:
        cost = [table for size, table in tables.items() if size != one.choice.table.at]
        assert cost  # the others cost no less for the same quality
        assert one.rung.width == one.choice.table.at[0]


def test_the_first_probes_span_the_ladder() -> None:
    probes = first_probes(SIZES, CODEC)
    assert {size for size, _ in probes} == {SIZES[0], SIZES[-1]}
    assert [size for size, _ in probes] == [SIZES[0], SIZES[0], SIZES[-1], SIZES[-1]]
    assert probes[0][1] == probes[2][1] < probes[1][1] == probes[3][1]
    assert len(first_probes(SIZES[:1], CODEC)) == 2


def test_corrections_are_where_rungs_landed_and_few(
    shots: list[ShotPoints], tables: dict[Size, Candidates]
) -> None:
    found = decide(RUNGS, tables, Wanted(vmaf=91.3))
    bare = [ShotPoints(frames=one.frames, seconds=one.seconds, points=one.points[:1]) for one in shots]
    wanted = corrections(found, bare, CODEC)
    for place, probes in enumerate(wanted):
        landed = {(one.choice.table.at, one.choice.crfs[place]) for one in found}
        assert set(probes) <= landed
        assert len(probes) + len(bare[place].points) <= MOST
    measured = [
        ShotPoints(
            frames=one.frames,
            seconds=one.seconds,
            points=tuple(
                RDPoint(width=size[0], height=size[1], crf=crf, size=1, mean=1, harmonic=1)
                for size, crf in probes
            )
            + one.points[:1],
        )
        for one, probes in zip(bare, wanted, strict=True)
    ]
    assert not any(corrections(found, measured, CODEC))
