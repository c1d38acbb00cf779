"""The hull holds what some exchange of bits for quality would choose, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encoder.hull import best_places, upper_hull

POINTS = st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 100)), min_size=1, max_size=30)


@given(POINTS, st.floats(0.001, 1000))
def test_every_slope_chooses_a_vertex_and_every_vertex_is_chosen_by_its_slope(
    points: list[tuple[int, int]], slope: float
) -> None:
    rates, qualities = [float(rate) for rate, _ in points], [float(quality) for _, quality in points]
    hull = upper_hull(rates, qualities)
    values = [quality - slope * rate for rate, quality in points]
    assert max(values[vertex.place] for vertex in hull) >= max(values) - 1e-9
    for before, after in pairwise(hull):
        at = [quality - after.slope * rate for rate, quality in points]
        assert abs(at[before.place] - max(at)) < 1e-6
        assert abs(at[after.place] - max(at)) < 1e-6


@given(POINTS)
def test_rates_and_qualities_rise_and_slopes_fall(points: list[tuple[int, int]]) -> None:
    hull = upper_hull([float(rate) for rate, _ in points], [float(quality) for _, quality in points])
    for before, after in pairwise(hull):
        assert points[before.place][0] < points[after.place][0]
        assert points[before.place][1] < points[after.place][1]
        assert before.slope > after.slope > 0


def test_the_best_place_keeps_to_what_is_allowed() -> None:
    sizes, worth = np.array([[10.0, 5.0, 1.0]]), np.array([[100.0, 90.0, 10.0]])
    every = np.ones((1, 3), np.bool_)
    assert best_places(sizes, worth, every, 0.1)[0] == 0
    assert best_places(sizes, worth, every, 10.0)[0] == 1
    assert best_places(sizes, worth, np.array([[True, False, True]]), 15.0)[0] == 2
