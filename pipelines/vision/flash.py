"""Luminance as eyes see it, and how much of the picture flashes.

ITU-R BT.1702: a flash is a pair of opposing changes of 20 cd/m^2 and more over a quarter of the picture, where the
darker side is below 160 cd/m^2. A flash of saturated red is a pair of opposing changes that involve a red of R / (R + G + B)
of 0.8 and more and change (R - G - B) * 320 by more than 20 (WCAG 2.1, red flash), at any luminance.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.vision.levels import Levels

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]
Red = tuple[Table, npt.NDArray[np.bool_]]
"""Redness of cells, and which are saturated."""

PEAK = 200.0
"""Luminance of white, cd/m^2."""
SATURATED = 0.8
"""Share of red in the light of a saturated red."""
RED = 320.0
"""Scale of redness (WCAG)."""
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
    return _reached((after - before).ravel()), min(float(before.mean()), float(after.mean()))


def redness(luma: Bytes, cb: Bytes, cr: Bytes, levels: Levels) -> Red:
    """How red cells are, and which are of saturated red.

    Args:
        luma, cb, cr: (rows, columns) samples in 8-bit units.
        levels: of the title.

    Returns:
        (R - G - B) * 320 of linear light (ITU-R BT.1886), 0 where it is negative; and a mask.
    """
    y, red, green_blue, green_red, blue = (factor * levels.scale for factor in levels.matrix)
    light = (luma.astype(np.float32) - levels.black) * y
    u, v = cb.astype(np.float32) - 128, cr.astype(np.float32) - 128
    parts = np.stack([light + red * v, light - green_blue * u - green_red * v, light + blue * u])
    r, g, b = np.clip(parts, 0, 1) ** 2.4
    return np.maximum(0, RED * (r - g - b)), (r >= SATURATED * (r + g + b)) & (r > 0)


def red_flash(before: Red, after: Red) -> float:
    """The change of redness that a quarter of the picture reaches, signed, of cells that are saturated before or after."""
    change = np.where(before[1] | after[1], after[0] - before[0], 0)
    return _reached(change.ravel())


def _reached(change: Table) -> float:
    place = int(len(change) * AREA)
    sides = np.partition(change, (place - 1, len(change) - place))
    down, up = min(0.0, float(sides[place - 1])), max(0.0, float(sides[-place]))
    return up if up >= -down else down
