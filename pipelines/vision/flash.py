"""Luminance as eyes see it, and how much of the picture flashes.

ITU-R BT.1702-3 (2023), guideline 1: a flash is a pair of opposing changes over more than a quarter of the picture, of
20 cd/m^2 and more where the darker side is below 160 cd/m^2, and of a Michelson contrast of 1/17 and more where it is not
(that is an eighth of the darker side: the two limits meet at 160); irrespective of luminance, a change to or from a
saturated red counts as well. It does not say which red is saturated; WCAG 2.0 and 2.1 do (general flash and red flash
thresholds, after Harding & Binnie 2002): R / (R + G + B) of 0.8 and more of linear light in either picture, and a change of
(R - G - B) * 320, negative values set to 0, of more than 20. (WCAG 2.2 asks for 0.2 between the chromaticities of CIE 1976
instead, which says nothing of a red against black.) `pipelines/qc/time.py` counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from pipelines.vision.levels import Levels
from pipelines.vision.motion import FAR, Motion

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

PEAK = 200.0
"""Luminance of white, cd/m^2."""
SATURATED = 0.8
"""Share of red in the light of a saturated red."""
RED = 320.0
"""Scale of redness (WCAG)."""
NEAR = np.float32(0.57)
"""0.25 ** (1 / 2.4), rounded up: in a saturated red, green and blue each have at most a quarter of red's light."""
BLACK = np.float32(1e-6)
"""Red that is taken for none, of 1."""
AREA = 0.25
"""Share of the picture that has to change."""


@lru_cache(maxsize=4)
def _table(black: int, white: int) -> Table:
    value = np.clip((np.arange(256) - black) / (white - black), 0, 1)
    return np.asarray(PEAK * value**2.4, np.float32)


def luminance(small: Bytes, levels: Levels) -> Table:
    """Luminance of luma in 8-bit units, cd/m^2 (ITU-R BT.1886 with black at 0)."""
    return _table(0, 255)[small] if levels.full_range else _table(16, 235)[small]


def flash(before: Table, after: Table, moved: Motion) -> tuple[float, float]:
    """The change that a quarter of the picture reaches, signed; and the mean luminance of the darker picture.

    What the motion of the whole picture explains is no flash (Annex 3 of BT.1702-3 takes out the drift of a scene first):
    where the pictures lie on each other better after it, they are compared so. Farther than `FAR` cells nothing is tracked.

    Args:
        before, after: luminance of cells, cd/m^2.
        moved: the motion between them.
    """
    dark = min(float(before.sum()), float(after.sum())) / before.size
    every = (after - before)[::2, ::2].ravel()
    change = _reached(every, every.size)
    rows, columns = before.shape
    down, right = round(moved.pan_y * rows / 100), round(moved.pan_x * columns / 100)
    if change and (down or right) and max(abs(down), abs(right)) <= FAR:
        here = after[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)]
        there = before[max(0, -down) : rows + min(0, -down), max(0, -right) : columns + min(0, -right)]
        change = min(change, _reached((here - there).ravel(), before.size), key=abs)
    return change, dark


@dataclass(frozen=True, eq=False)
class Red:
    """How red the cells of a picture are; worked out only where some may be of a saturated red.

    Attributes:
        parts: R', G' and B' of cells, 0 to 1.
    """

    parts: Table

    @cached_property
    def near(self) -> bool:
        """Whether some cell may be of a saturated red: its green and blue are below a quarter of its red's light."""
        red, *others = self.parts
        bound = NEAR * red
        return bool(((others[0] <= bound) & (others[1] <= bound) & (red > BLACK)).any())

    @cached_property
    def light(self) -> Table:
        """R, G and B of linear light (ITU-R BT.1886)."""
        return np.asarray(self.parts**2.4, np.float32)

    @cached_property
    def value(self) -> Table:
        """(R - G - B) * 320, 0 where it is negative."""
        r, g, b = self.light
        return np.asarray(np.maximum(0, RED * (r - g - b)), np.float32)

    @cached_property
    def saturated(self) -> Mask:
        """Which cells are of a saturated red."""
        return np.asarray((self.light[0] >= SATURATED * self.light.sum(axis=0)) & (self.parts[0] > BLACK))


def redness(luma: Bytes, cb: Bytes, cr: Bytes, levels: Levels) -> Red:
    """How red cells are.

    Args:
        luma, cb, cr: (rows, columns) samples in 8-bit units.
        levels: of the title.
    """
    y, red, green_blue, green_red, blue = (np.float32(factor * levels.scale) for factor in levels.matrix)
    light = (luma.astype(np.float32) - levels.black) * y
    u, v = cb.astype(np.float32) - 128, cr.astype(np.float32) - 128
    parts = np.empty((3, *light.shape), np.float32)
    parts[0], parts[1], parts[2] = light + red * v, light - green_blue * u - green_red * v, light + blue * u
    return Red(np.clip(parts, 0, 1, out=parts))


def red_flash(before: Red, after: Red) -> float:
    """The change of redness that a quarter of the picture reaches, signed, of cells that are saturated before or after."""
    if not (before.near or after.near):
        return 0.0
    change = np.where(before.saturated | after.saturated, after.value - before.value, 0)
    return _reached(change.ravel(), change.size)


def _reached(change: Table, whole: int) -> float:
    """What a quarter of `whole` cells reach in one direction, of those that are there."""
    place = int(whole * AREA)
    sides = np.partition(change, (place - 1, len(change) - place))
    down, up = min(0.0, float(sides[place - 1])), max(0.0, float(sides[-place]))
    return up if up >= -down else down
