"""Steps that need no network: one change that towers over its neighbours and stays.

The network has seen how transitions look among motion; what no motion comes near to needs no learning, and is found
as well in material unlike that of its training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archer.split.shots.features import NAMES

Table = npt.NDArray[np.float32]

LEAST = 6.0
"""Least change of a step beyond motion, mean of 8-bit samples."""
RATIO = 1.8
"""How many times as much it changes as any of the three frames on each side."""
STAYS = 0.55
"""Share of the change that is still there across up to four frames on both sides: in flashes it is not."""


def steps(table: Table) -> npt.NDArray[np.float32]:
    """Certainty (n,) of a step at each frame: 0, or 0.75 to 1 where there is one.

    Args:
        table: (n, f) features; three at each end count as still.
    """
    change = _column(table, "moved_1") + 0.5 * _column(table, "chroma_1")
    count = len(change)
    padded = np.pad(change, 3)
    around = np.max([padded[3 + move : 3 + move + count] for move in (-3, -2, -1, 1, 2, 3)], axis=0)
    across = np.min([_column(table, f"luma_{lag}") for lag in (2, 3, 4, 6, 8)], axis=0)
    stays = across >= STAYS * _column(table, "luma_1")
    found = (change >= LEAST) & (change >= RATIO * around + 3) & stays
    ratio = change / (around + 3)
    return np.asarray(found * (1 - 0.25 * np.exp(np.minimum(0, RATIO - ratio))), np.float32)


def leads(table: Table) -> npt.NDArray[np.bool_]:
    """Frames (n,) that change about as much as any of the two on each side: where a cut can be, whatever moves.

    Args:
        table: (n, f) features; two at each end count as still.
    """
    change = _column(table, "luma_1") + 0.5 * _column(table, "chroma_1")
    count = len(change)
    padded = np.pad(change, 2)
    around = np.max([padded[move : move + count] for move in range(5)], axis=0)
    return np.asarray(change >= 0.9 * around, np.bool_)


def _column(table: Table, name: str) -> npt.NDArray[np.float32]:
    """A difference in 8-bit units."""
    return np.asarray(np.expm1(table[:, NAMES.index(name)]), np.float32)
