"""Bjøntegaard deltas equal those of the `bjontegaard` package, and refuse curves that say nothing."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from vmaf import BadCurve, bd_quality, bd_rate

ANCHOR = [(9487.76, 40.037), (4593.60, 38.615), (2486.44, 36.845), (1358.24, 34.851)]
TEST = [(9787.80, 40.121), (4469.00, 38.651), (2451.52, 36.970), (1356.24, 34.987)]


def split(curve: list[tuple[float, float]]) -> tuple[Any, Any]:
    ordered = sorted(curve)
    return [rate for rate, _ in ordered], [quality for _, quality in ordered]


@pytest.mark.parametrize("method", ["akima", "pchip"])
@pytest.mark.parametrize("points", [3, 4, 8])
def test_equals_the_bjontegaard_package(method: Any, points: int) -> None:
    import bjontegaard  # seconds of work, for one worker instead of all

    random = np.random.default_rng(points)
    curves = [(ANCHOR[:points], TEST[:points])]
    for _ in range(5):
        rates = np.cumsum(random.uniform(200, 900, points))
        quality = 30 + np.cumsum(random.uniform(1, 7, points))
        other = rates * random.uniform(0.85, 1.15, points)
        curves.append(
            (list(zip(rates, quality, strict=True)), list(zip(np.sort(other), quality, strict=True)))
        )
    for anchor, test in curves:
        theirs = bjontegaard.bd_rate(
            *split(anchor), *split(test), method=method, require_matching_points=False, min_overlap=0
        )
        assert bd_rate(anchor, test, method=method).value == pytest.approx(theirs, abs=2e-3)
        theirs = bjontegaard.bd_psnr(
            *split(anchor), *split(test), method=method, require_matching_points=False, min_overlap=0
        )
        assert bd_quality(anchor, test, method=method).value == pytest.approx(theirs, abs=2e-4)


def test_half_the_rate_is_minus_fifty_percent() -> None:
    assert bd_rate(ANCHOR, [(rate / 2, quality) for rate, quality in ANCHOR]).value == pytest.approx(-50)
    assert bd_quality(ANCHOR, [(rate, quality + 1.5) for rate, quality in ANCHOR]).value == pytest.approx(1.5)
    assert bd_rate(ANCHOR, ANCHOR).value == 0


def test_little_overlap_is_a_warning_and_none_an_error() -> None:
    with pytest.warns(UserWarning, match="overlap in"):
        bd_rate(ANCHOR, [(rate, quality + 3) for rate, quality in ANCHOR])
    with pytest.raises(BadCurve, match="do not overlap"):
        bd_rate(ANCHOR, [(rate, quality + 30) for rate, quality in ANCHOR])


@pytest.mark.parametrize(
    "curve",
    [[], [(1.0, 2.0)], [(1.0, 30.0), (2.0, 29.0), (3.0, 31.0)], [(-1.0, 1.0), (1.0, 2.0), (2.0, 3.0)]],
)
def test_what_is_no_curve_is_refused(curve: Any) -> None:
    with warnings.catch_warnings(), pytest.raises(BadCurve):
        bd_rate(ANCHOR, curve)
