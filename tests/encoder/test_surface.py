"""Curves of a shot: they pass through what was measured, and cost and quality never rise with the quality value."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder.point import RDPoint
from encoder.surface import Surface

GRID = np.arange(10.0, 45.01, 0.5)
SIZES = ((1280, 720), (640, 360))


def point(size: tuple[int, int], crf: int, size_bytes: int, vmaf: float) -> RDPoint:
    return RDPoint(
        width=size[0], height=size[1], crf=Decimal(crf), size=size_bytes, mean=vmaf, harmonic=vmaf - 0.5
    )


@st.composite
def measured(draw: st.DrawFn) -> list[RDPoint]:
    """Two to five points at each of two sizes, falling as they do."""
    found = []
    for size in SIZES:
        crfs = sorted(draw(st.sets(st.integers(15, 40), min_size=2, max_size=5)))
        rates = sorted(draw(st.sets(st.integers(1000, 10**7), min_size=5, max_size=5)), reverse=True)
        scores = sorted(draw(st.sets(st.integers(20, 99), min_size=5, max_size=5)), reverse=True)
        found += [
            point(size, crf, rate, score) for crf, rate, score in zip(crfs, rates, scores, strict=False)
        ]
    return found


@settings(max_examples=40, deadline=None)
@given(measured())
def test_curves_fall_and_pass_through_their_points(points: list[RDPoint]) -> None:
    surface = Surface(points, GRID)
    for size in (*SIZES, (960, 540), (320, 180), (1920, 1080)):
        curve = surface.curve(size)
        for line in (curve.size, curve.mean, curve.harmonic):
            assert (np.diff(line) <= 1e-9 * np.abs(line[:-1])).all()
        assert (curve.mean >= 0).all()
        assert (curve.mean <= 101).all()
    for one in points:
        place = int(np.searchsorted(GRID, float(one.crf)))
        curve = surface.curve((one.width, one.height))
        assert curve.size[place] == pytest.approx(one.size, rel=1e-6)
        assert curve.mean[place] == pytest.approx(one.mean, abs=1e-6)
        assert curve.harmonic[place] == pytest.approx(one.harmonic, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(measured())
def test_a_size_between_two_lies_between_them(points: list[RDPoint]) -> None:
    surface = Surface(points, GRID)
    ends = [surface.curve(size).size for size in SIZES]
    middle = surface.curve((960, 540)).size
    assert (middle <= np.maximum(*ends) * (1 + 1e-9)).all()
    assert (middle >= np.minimum(*ends) * (1 - 1e-9)).all()


def test_one_point_moves_a_size_without_a_curve_of_its_own() -> None:
    points = [point(SIZES[0], 20, 8000, 95), point(SIZES[0], 30, 2000, 80)]
    alone = Surface(points, GRID).curve((640, 360))
    moved = Surface([*points, point(SIZES[1], 25, 1000, 70)], GRID).curve((640, 360))
    place = int(np.searchsorted(GRID, 25.0))
    assert moved.size[place] == pytest.approx(1000)
    assert moved.mean[place] == pytest.approx(70)
    np.testing.assert_allclose(moved.size / alone.size, moved.size[0] / alone.size[0])


def test_what_scaling_loses_is_lost_at_every_quality() -> None:
    """A small size lacks 9 VMAF more at the good end, and so it does at the poor one, where a factor would take all it has."""
    points = [point(SIZES[0], 20, 8000, 95), point(SIZES[0], 40, 1000, 60)]
    curve = Surface([*points, point(SIZES[1], 20, 3000, 86)], GRID).curve(SIZES[1])
    assert curve.mean[int(np.searchsorted(GRID, 40.0))] == pytest.approx(51)


def test_between_known_curves_bytes_far_from_a_point_stay_theirs() -> None:
    ends = ((15, 10**6, 95), (45, 10**5, 50))
    points = [point(size, crf, rate * size[1] // 720, vmaf) for size in SIZES for crf, rate, vmaf in ends]
    base = Surface(points, GRID).curve((960, 540))
    moved = Surface([*points, point((960, 540), 45, 10**5, 48)], GRID).curve((960, 540))
    assert moved.size[-1] == pytest.approx(10**5)
    assert moved.mean[-1] == pytest.approx(48)
    factors = np.log(moved.size / base.size)
    assert 0 < factors[0] < 0.2 * factors[-1]
    assert (np.diff(factors) > 0).all()


def test_one_quality_value_says_nothing_about_others() -> None:
    with pytest.raises(ValueError, match="no size has two points"):
        Surface([point(SIZES[0], 20, 8000, 95), point(SIZES[1], 20, 2000, 80)], GRID)
