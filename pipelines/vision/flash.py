"""Luminance as eyes see it, and how much of the picture flashes.

ITU-R BT.1702: a flash is a pair of opposing changes of 20 cd/m^2 and more over a quarter of the picture, where the
darker side is below 160 cd/m^2.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.vision.levels import Levels

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]

PEAK = 200.0
"""Luminance of white, cd/m^2."""
AREA = 0.25
"""Share of the picture that has to change."""


@lru_cache(maxsize=4)
def _table(black: int, white: int) -> Table:
    value = np.clip((np.arange(256) - black) / (white - black), 0, 1)
    return np.asarray(PEAK * value**2.4, np.float32)


def luminance(small: Bytes, levels: Levels) -> Table:
    """Luminance of luma in 8-bit units, cd/m^2 (ITU-R BT.1886 with black at 0)."""
    return _table(0, 255)[small] if levels.full_range else _table(16, 235)[small]


def flash(before: Table, after: Table) -> tuple[float, float]:
    """The change that a quarter of the picture reaches, signed; and the mean luminance of the darker picture.

    Args:
        before, after: luminance of cells, cd/m^2.
    """
    change = (after - before).ravel()
    place = int(len(change) * AREA)
    sides = np.partition(change, (place - 1, len(change) - place))
    down, up = min(0.0, float(sides[place - 1])), max(0.0, float(sides[-place]))
    return (up if up >= -down else down), min(float(before.mean()), float(after.mean()))
