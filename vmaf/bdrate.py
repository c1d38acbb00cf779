"""Bjøntegaard deltas: how much rate, or quality, one encoder saves against another over the qualities that both reach."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vmaf.errors import BadCurve
from vmaf.interpolation import akima, hermite, pchip

Method = Literal["akima", "pchip"]
Curve = Sequence[tuple[float, float]]
"""(rate, quality) points, at least 2 (pchip) or 3 (akima), in any order."""
SAMPLES = 2000
"""Steps of the integral."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A Bjøntegaard delta.

    Attributes:
        value: percent of rate (negative: saved), or points of quality.
        low, high: the range over which both curves are known: quality for rate, log10 of the rate for quality.
        overlap: that range's share of what either curve covers, 0 to 1.
    """

    value: float
    low: float
    high: float
    overlap: float


def bd_rate(anchor: Curve, test: Curve, *, method: Method = "akima") -> Delta:
    """Mean difference of rate at equal quality, in percent of the anchor's.

    Raises:
        BadCurve: a curve has too few points, repeats a quality, or does not rise.

    Warns:
        UserWarning: the curves overlap in less than 3/4 of their range, so that the mean says little.
    """
    one, other = _sorted(anchor, method), _sorted(test, method)
    low, high, overlap = _common(one[:, 1], other[:, 1])
    grid = np.linspace(low, high, SAMPLES + 1)
    gap = _at(other[:, 1], np.log10(other[:, 0]), grid, method) - _at(
        one[:, 1], np.log10(one[:, 0]), grid, method
    )
    return Delta(float((10 ** _mean(gap) - 1) * 100), low, high, overlap)


def bd_quality(anchor: Curve, test: Curve, *, method: Method = "akima") -> Delta:
    """Mean difference of quality (BD-VMAF, BD-PSNR) at equal rate, in points. Raises and warns as `bd_rate`."""
    one, other = _sorted(anchor, method), _sorted(test, method)
    rates = np.log10(one[:, 0]), np.log10(other[:, 0])
    low, high, overlap = _common(*rates)
    grid = np.linspace(low, high, SAMPLES + 1)
    return Delta(
        _mean(_at(rates[1], other[:, 1], grid, method) - _at(rates[0], one[:, 1], grid, method)),
        low,
        high,
        overlap,
    )


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Simpson's rule over the grid, divided by its length."""
    weights = np.ones(len(values))
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    return float((values * weights).sum() / weights.sum())


def _sorted(curve: Curve, method: Method) -> npt.NDArray[np.float64]:
    points = np.array(sorted(curve), np.float64)
    least = 3 if method == "akima" else 2
    if points.ndim != 2 or len(points) < least:
        raise BadCurve(f"wanted at least {least} points of (rate, quality) for {method}, got {len(points)}")
    if not (points[:, 0] > 0).all() or not (np.diff(points, axis=0) > 0).all():
        raise BadCurve(
            f"quality must rise with a rate above 0; got {points.tolist()}; leave out points that do not"
        )
    return points


def _common(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    low, high = max(one[0], other[0]), min(one[-1], other[-1])
    if low >= high:
        raise BadCurve(
            f"the curves do not overlap: {one[0]:g} to {one[-1]:g} and {other[0]:g} to {other[-1]:g}"
        )
    share = float((high - low) / (max(one[-1], other[-1]) - min(one[0], other[0])))
    if share < 0.75:
        text = f"the curves overlap in {share:.0%} of their range only; measure more points"
        warnings.warn(text, UserWarning, stacklevel=3)
    return float(low), float(high), share


def _at(x: Any, y: Any, grid: npt.NDArray[np.float64], method: Method) -> npt.NDArray[np.float64]:
    """Cubic Hermite interpolation with the slopes of the method."""
    return hermite(x, y, akima(x, y) if method == "akima" else pchip(x, y), grid)
