"""Connected regions of a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Run = tuple[int, int, int]
"""Row, first column, column behind the last."""


@dataclass(slots=True)
class Region:
    """Samples that touch each other.

    Attributes:
        runs: its samples.
    """

    runs: list[Run] = field(default_factory=list)

    @property
    def top(self) -> int:
        """Its first row."""
        return min(row for row, _, _ in self.runs)

    @property
    def bottom(self) -> int:
        """The row behind its last."""
        return max(row for row, _, _ in self.runs) + 1

    @property
    def left(self) -> int:
        """Its first column."""
        return min(start for _, start, _ in self.runs)

    @property
    def right(self) -> int:
        """The column behind its last."""
        return max(end for _, _, end in self.runs)

    def mean(self, values: npt.NDArray[np.float32]) -> float:
        """Mean of values over its samples."""
        total = sum(float(values[row, start:end].sum()) for row, start, end in self.runs)
        return total / sum(end - start for _, start, end in self.runs)


def regions(mask: npt.NDArray[np.bool_]) -> list[Region]:
    """Regions of samples that touch each other, at corners as well, by their first run from the top."""
    parents: list[int] = []
    listed: list[Run] = []
    above: list[int] = []
    for row in range(len(mask)):
        here: list[int] = []
        for start, end in _runs(mask[row]):
            number = len(listed)
            listed.append((row, start, end))
            parents.append(number)
            for other in above:
                if listed[other][1] <= end and start <= listed[other][2]:
                    _join(parents, other, number)
            here.append(number)
        above = here
    found: dict[int, Region] = {}
    for number, run in enumerate(listed):
        found.setdefault(_root(parents, number), Region()).runs.append(run)
    return list(found.values())


def _runs(row: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    if row.any():
        edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0)).tolist()
        yield from zip(edges[::2], edges[1::2], strict=True)


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
