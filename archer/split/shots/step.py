"""Steps that need no network: one change that towers over its neighbours and stays.

The network has seen how transitions look among motion; what no motion comes near to needs no learning, and is found
as well in material unlike that of its training.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archer.split.shots.features import NAMES

Table = npt.NDArray[np.float32]

LEAST = 8.0
"""Least change of a step, mean of 8-bit samples."""
RATIO = 1.8
"""How many times as much it changes as any of the three frames on each side."""
STAYS = 0.6
"""Share of the change that is still there across one to two frames on both sides: in flashes it is not."""


def steps(table: Table) -> npt.NDArray[np.float32]:
    """Certainty (n,) of a step at each frame: 0, or 0.75 to 1 where there is one.

    Args:
        table: (n, f) features; three at each end count as still.
    """
    change = _change(table, 1)
    count = len(change)
    padded = np.pad(change, 3)
    around = np.max([padded[3 + move : 3 + move + count] for move in (-3, -2, -1, 1, 2, 3)], axis=0)
    across = np.min([_change(table, lag) for lag in (2, 3, 4)], axis=0)
    found = (change >= LEAST) & (change >= RATIO * around + 3) & (across >= STAYS * change)
    ratio = change / (around + 3)
    return np.asarray(found * (1 - 0.25 * np.exp(np.minimum(0, RATIO - ratio))), np.float32)


def _change(table: Table, lag: int) -> npt.NDArray[np.float32]:
    """Mean difference of luma and half of that of chroma."""
    luma, chroma = table[:, NAMES.index(f"luma_{lag}")], table[:, NAMES.index(f"chroma_{lag}")]
    return np.asarray(np.expm1(luma) + 0.5 * np.expm1(chroma), np.float32)
