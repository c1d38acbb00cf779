"""Boxes in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A box in a picture as it is shown.

    Attributes:
        left, top, width, height: shares of the width and the height of the picture, 0 to 1.
        score: how sure whoever found it is, 0 to 1.
    """

    left: float
    top: float
    width: float
    height: float
    score: float

    @classmethod
    def within(cls, left: float, top: float, right: float, bottom: float, score: float) -> Box:
        """A box from its edges, cut at those of the picture."""
        left, right = (min(1.0, max(0.0, edge)) for edge in (left, right))
        top, bottom = (min(1.0, max(0.0, edge)) for edge in (top, bottom))
        return cls(left=left, top=top, width=right - left, height=bottom - top, score=score)

    @property
    def area(self) -> float:
        """Share of the picture."""
        return self.width * self.height

    def shared(self, other: Box) -> float:
        """Common area, as a share of the area of both together."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        common = max(0.0, wide) * max(0.0, high)
        return common / (self.area + other.area - common) if common else 0.0


def distinct(boxes: Sequence[Box], most: float) -> list[Box]:
    """The surest boxes, of which no two share more than `most` of their area."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda each: -each.score):
        if all(box.shared(other) <= most for other in kept):
            kept.append(box)
    return kept


def covered(boxes: Sequence[Box], cells: int = 200) -> float:
    """Share of the picture that boxes cover together, on a grid of so many rows and columns."""
    grid: npt.NDArray[np.bool_] = np.zeros((cells, cells), np.bool_)
    for box in boxes:
        rows = slice(round(box.top * cells), round((box.top + box.height) * cells))
        grid[rows, round(box.left * cells) : round((box.left + box.width) * cells)] = True
    return float(grid.mean())
