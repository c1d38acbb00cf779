"""Curves through points: cubic Hermite pieces with the slopes of PCHIP (never overshoots) or of Akima."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def hermite(x: Any, y: Any, slopes: Any, grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The curve through (x, y) with these slopes at the places of `grid`; the end pieces go on beyond the ends.

    Args:
        x: (n,) rising; y, slopes: (n,).
        grid: any shape.
    """
    place = np.clip(np.searchsorted(x, grid, side="right") - 1, 0, len(x) - 2)
    step = x[place + 1] - x[place]
    t = (grid - x[place]) / step
    h00, h10 = (1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2
    h01, h11 = t**2 * (3 - 2 * t), t**2 * (t - 1)
    found = h00 * y[place] + h10 * step * slopes[place] + h01 * y[place + 1] + h11 * step * slopes[place + 1]
    return np.asarray(found, np.float64)


def akima(x: Any, y: Any) -> Any:
    """Slopes of Akima 1970: two more differences are made up on each side. At least 3 points."""
    m = np.diff(y) / np.diff(x)
    m = np.concatenate(
        [[3 * m[0] - 2 * m[1], 2 * m[0] - m[1]], m, [2 * m[-1] - m[-2], 3 * m[-1] - 2 * m[-2]]]
    )
    weights = np.abs(np.diff(m))
    before, after = weights[:-2], weights[2:]
    total = before + after
    flat = total <= 1e-9 * max(float(total.max()), 1e-300)
    mixed = (after * m[1:-2] + before * m[2:-1]) / np.where(flat, 1.0, total)
    return np.where(flat, (m[1:-2] + m[2:-1]) / 2, mixed)


def pchip(x: Any, y: Any) -> Any:
    """Slopes of Fritsch & Butland 1984, with three-point ends: monotone points give a monotone curve. At least 2 points."""
    h, m = np.diff(x), np.diff(y) / np.diff(x)
    if len(m) == 1:
        return np.array([m[0], m[0]])
    first, second = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(m[:-1] * m[1:] > 0, (first + second) / (first / m[:-1] + second / m[1:]), 0.0)
    return np.concatenate([[_end(h[0], h[1], m[0], m[1])], inner, [_end(h[-1], h[-2], m[-1], m[-2])]])


def _end(h0: float, h1: float, m0: float, m1: float) -> float:
    slope = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    if slope * m0 <= 0:
        return 0.0
    return 3 * m0 if m0 * m1 < 0 and abs(slope) > 3 * abs(m0) else slope
