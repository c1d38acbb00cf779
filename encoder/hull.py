"""The upper convex hull: the settings of a shot that some exchange of bits for quality would choose; pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Vertex:
    """A point of the hull: its place among the candidates, and quality gained per byte from the vertex before."""

    place: int
    slope: float


def upper_hull(rates: Sequence[float], qualities: Sequence[float]) -> list[Vertex]:
    """The hull from the cheapest point to the best, slopes falling and above 0.

    Args:
        rates: of the candidates, in any order; `qualities`: of the same candidates.

    Returns: the cheapest point (of equals the best) first, with an infinite slope; none where there are no candidates.
    """
    order = sorted(range(len(rates)), key=lambda place: (rates[place], -qualities[place]))
    hull: list[int] = []
    for place in order:
        if hull and qualities[place] <= qualities[hull[-1]]:
            continue
        while len(hull) > 1 and _slope(hull[-2], hull[-1], rates, qualities) <= _slope(
            hull[-2], place, rates, qualities
        ):
            hull.pop()
        hull.append(place)
    slopes = [
        np.inf, *(_slope(one, two, rates, qualities) for one, two in itertools.pairwise(hull))
    ]  # fmt: skip
    return [Vertex(place, slope) for place, slope in zip(hull, slopes, strict=False)]


def best_places(
    sizes: npt.NDArray[np.float64],
    worth: npt.NDArray[np.float64],
    allowed: npt.NDArray[np.bool_],
    slope: float,
) -> npt.NDArray[np.intp]:
    """Per shot the candidate that maximises quality - slope x bytes: the vertex of its hull where the slope touches.

    Args:
        sizes: (shots, candidates) bytes; `worth`: (shots, candidates) quality times frames; `allowed`: those to choose from.
        slope: quality per byte, at least 0.

    Returns: (shots,) places; of equals the first.
    """
    return np.asarray(np.argmax(np.where(allowed, worth - slope * sizes, -np.inf), axis=1), np.intp)


def _slope(one: int, two: int, rates: Sequence[float], qualities: Sequence[float]) -> float:
    """Quality per rate from one point to a better one."""
    rise, run = qualities[two] - qualities[one], rates[two] - rates[one]
    return rise / run if run > 0 else np.inf
