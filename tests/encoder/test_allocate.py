"""Allocation: goals are met as nearly as they can be, equal slope is never beaten, limits of shots hold."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder.allocate import FAMILIES, UNSEEN, Choice, Goal, Mode, allocate
from encoder.candidates import Candidates, ShotLimits, candidates, quality_grid
from encoder.codecs import codec_named
from encoder.point import RDPoint, ShotPoints
from encoder.surface import Surface

CODEC = codec_named("x264")
LARGE, SMALL = (1280, 720), (640, 360)
MODES: tuple[Mode, ...] = ("dynamic", "constant-vmaf", "per-title")


def shot(hardness: float, frames: int = 48) -> ShotPoints:
    """Bits halve every 6 steps; VMAF falls faster in a hard shot."""
    points = [
        RDPoint(
            width=size[0],
            height=size[1],
            crf=Decimal(crf),
            size=round(hardness * 4e5 * 2 ** ((24 - crf) / 6) * (size[0] / 1280) ** 1.6),
            mean=max(1.0, 99 - 0.4 * hardness * (crf - 15) - (8 if size == SMALL else 0)),
            harmonic=max(1.0, 98 - 0.5 * hardness * (crf - 15) - (8 if size == SMALL else 0)),
        )
        for size, crf in product((LARGE, SMALL), (18, 24, 30, 36))
    ]
    return ShotPoints(frames=frames, seconds=frames / 24, points=tuple(points))


def tables(shots: list[ShotPoints], limits: ShotLimits | None = None) -> list[Candidates]:
    grid = quality_grid(CODEC, shots)
    surfaces = [Surface(one.points, np.array([float(crf) for crf in grid])) for one in shots]
    return [candidates(shots, surfaces, size, grid, limits or ShotLimits()) for size in (LARGE, SMALL)]


SHOTS = st.lists(st.builds(shot, st.floats(0.3, 3.0), st.integers(24, 240)), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(SHOTS, st.floats(55, 90), st.sampled_from(MODES), st.sampled_from(["mean", "harmonic"]))
def test_a_vmaf_is_reached_and_not_passed_by_more_than_a_step(
    shots: list[ShotPoints], vmaf: float, mode: Mode, pool: str
) -> None:
    choice = allocate(tables(shots)[:1], Goal(vmaf=vmaf), mode=mode, pool=pool)  # type: ignore[arg-type]
    if choice.met:
        assert choice.vmaf(pool) >= vmaf - 1e-9  # type: ignore[arg-type]
        if choice.places.max() > 0 and choice.places.min() < len(choice.table.crfs) - 1:
            assert choice.vmaf(pool) < vmaf + 3  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(SHOTS, st.floats(100, 4000), st.sampled_from(MODES))
def test_a_rate_is_never_passed_where_it_can_be_met(shots: list[ShotPoints], kbps: float, mode: Mode) -> None:
    choice = allocate(tables(shots), Goal(kbps=kbps), mode=mode)
    assert choice.met == (choice.kbps <= kbps)
    if choice.met and mode != "per-title":
        cheaper = sum(float(row[-1]) for row in choice.table.size) * 8 / 1000 / choice.table.seconds
        assert cheaper <= kbps


@settings(max_examples=20, deadline=None)
@given(SHOTS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_no_choice_of_as_many_bytes_is_better_than_equal_slope(
    shots: list[ShotPoints], seed: int, random: object
) -> None:
    table = tables(shots)[0]
    rng = np.random.default_rng(seed)
    places = np.array([rng.integers(len(table.crfs)) for _ in shots])
    other = Choice(table=table, places=places, level=0.0, met=True)
    ours = allocate([table], Goal(kbps=other.kbps * 1.0001), mode="dynamic")
    step = max(float((table.mean[:, :-1] - table.mean[:, 1:]).max()), 0.1)
    assert ours.vmaf("mean") >= other.vmaf("mean") - step


@settings(max_examples=20, deadline=None)
@given(SHOTS, st.floats(60, 90))
def test_other_modes_never_cost_less(shots: list[ShotPoints], vmaf: float) -> None:
    found = {mode: allocate(tables(shots)[:1], Goal(vmaf=vmaf), mode=mode) for mode in MODES}
    if all(choice.met for choice in found.values()):
        least = found["dynamic"].bytes
        assert all(choice.bytes >= least * 0.97 for choice in found.values())


def test_constant_vmaf_gives_every_shot_the_same() -> None:
    choice = allocate(tables([shot(1), shot(1.4), shot(2)])[:1], Goal(vmaf=90), mode="constant-vmaf")
    assert np.ptp(choice.of(choice.table.mean)) < 0.5


def test_per_title_is_one_quality_value() -> None:
    assert len(set(allocate(tables([shot(0.5), shot(2)])[:1], Goal(vmaf=88), mode="per-title").crfs)) == 1


def test_the_smaller_size_is_taken_where_it_costs_less() -> None:
    shots = [shot(1), shot(2)]
    assert allocate(tables(shots), Goal(vmaf=95), mode="dynamic").table.at == LARGE
    low = allocate(tables(shots), Goal(kbps=120), mode="dynamic")
    alone = [allocate([table], Goal(kbps=120), mode="dynamic") for table in tables(shots)]
    assert low.vmaf("mean") == max(choice.vmaf("mean") for choice in alone if choice.met)


def test_limits_of_shots_hold() -> None:
    shots = [shot(1), shot(3)]
    free = allocate(tables(shots)[:1], Goal(vmaf=85), mode="dynamic")
    floor = float(free.of(free.table.mean).min()) + 5
    held = allocate(tables(shots, ShotLimits(floor=floor))[:1], Goal(vmaf=85), mode="dynamic")
    assert held.of(held.table.mean).min() >= floor
    ceiling = float(free.of(free.table.mean).max()) - 2
    held = allocate(tables(shots, ShotLimits(ceiling=ceiling))[:1], Goal(vmaf=85), mode="dynamic")
    assert held.of(held.table.mean).max() <= ceiling
    peak = float((free.of(free.table.size) * 8 / 1000 / 2).max()) * 0.7
    held = allocate(tables(shots, ShotLimits(peak_kbps=peak))[:1], Goal(vmaf=85), mode="dynamic")
    assert (held.of(held.table.size) * 8 / 1000 / 2).max() <= peak
    own = allocate([free.table.capped(peak)], Goal(vmaf=85), mode="dynamic")
    assert (own.places == held.places).all()
    assert free.table.capped(0) is free.table


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("beyond", [0.5, 20])
def test_what_cannot_be_reached_gives_what_looks_as_good_as_the_best(beyond: float, mode: Mode) -> None:
    """A goal that is missed by little costs little quality; one that is far away does not buy what nobody sees."""
    (table,) = tables([shot(2)])[:1]
    best = float(table.mean[0, 0])
    choice = allocate([table], Goal(vmaf=best + beyond), mode=mode)
    assert not choice.met
    assert best - min(beyond, UNSEEN) <= choice.vmaf("mean") < best
    assert choice.bytes < table.size[0, 0]


@pytest.mark.parametrize("mode", MODES)
def test_a_rate_below_the_smallest_gives_the_smallest(mode: Mode) -> None:
    choice = allocate(tables([shot(2)])[:1], Goal(kbps=1), mode=mode)
    assert not choice.met
    assert choice.places.min() == len(choice.table.crfs) - 1


def test_every_mode_is_a_family() -> None:
    table = tables([shot(1), shot(2)])[0]
    for family in FAMILIES.values():
        totals = [
            Choice(table=table, places=family(table, "mean", share)[0], level=0.0, met=True).bytes
            for share in np.linspace(0, 1, 40)
        ]
        assert all(after >= before - 1e-6 for before, after in pairwise(totals))
