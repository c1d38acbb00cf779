"""Frames in, rows of the table out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cinemill_native import inspect_chroma, inspect_luma, thumbnail
from cinemill_native.frames import Frame
from pipelines.vision.columns import FRAME_COLUMNS
from pipelines.vision.flash import Red, flash, luminance, red_flash, redness
from pipelines.vision.levels import Levels
from pipelines.vision.motion import GRID, motion
from pipelines.vision.phash import SIZE, phash
from pipelines.vision.picture import change_features, chroma_features, luma_features

DARK = 12
"""Largest luma above black in a bar, 8-bit units."""
SPOT = 40
"""By how much a lone sample stands out of its neighbours, 8-bit units."""
TINY = (9, 16)
"""Rows and columns of the pictures that colours are taken from."""


@dataclass(slots=True)
class Seen:
    """What is kept of a frame until the next one."""

    frame: Frame
    small: npt.NDArray[np.uint8]
    light: npt.NDArray[np.float32]
    red: Red | None


@dataclass(slots=True)
class Rows:
    """Columns that grow by a row a frame; `tiny` are very small pictures for those who make tables of shots."""

    columns: dict[str, list[Any]] = field(default_factory=lambda: {each.name: [] for each in FRAME_COLUMNS})
    tiny: list[bytes] = field(default_factory=list)

    def add(self, values: dict[str, Any], tiny: bytes) -> None:
        """A frame; what is not there is null."""
        for name, column in self.columns.items():
            column.append(values.get(name))
        self.tiny.append(tiny)


def measured(frames: Iterable[Frame], levels: Levels) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Values by column and the tiny picture of each frame; memory holds two frames.

    Args:
        frames: consecutive, all of one size.
        levels: of the title.
    """
    last: Seen | None = None
    for frame in frames:
        small = thumbnail(frame.luma, *GRID)
        seen = Seen(frame, small, luminance(small, levels), _red(frame, small[::2, ::2], levels))
        values = {"frame": frame.index, **_still(frame, last, levels)}
        if last is not None:
            moved = motion(last.small, small)
            up, dark = flash(last.light, seen.light, moved)
            values |= {"flash": up, "flash_dark": dark}
            if last.red is not None and seen.red is not None:
                values["red_flash"] = red_flash(last.red, seen.red)
            values |= {name: getattr(moved, name) for name in ("pan_x", "pan_y", "zoom", "unexplained")}
        yield values, tiny(frame)
        last = seen


def _red(frame: Frame, small: npt.NDArray[np.uint8], levels: Levels) -> Red | None:
    if len(frame.planes) < 3:
        return None
    cb, cr = (thumbnail(plane, *small.shape) for plane in frame.planes[1:3])
    return redness(small, cb, cr, levels)


def _still(frame: Frame, last: Seen | None, levels: Levels) -> dict[str, Any]:
    luma, before = frame.luma, None if last is None else last.frame.luma
    scale = levels.scale
    sums = inspect_luma(luma, before, dark=(levels.black + DARK) * scale, spot=SPOT * scale)
    values = luma_features(sums, luma.width, luma.height, levels)
    if before is not None:
        values |= change_features(sums, luma.width, luma.height, levels)
    if len(frame.planes) >= 3:
        cb, cr = frame.planes[1:3]
        found = inspect_chroma(luma, cb, cr, zeros=levels.zeros, matrix=levels.matrix)
        values |= chroma_features(found, cb.width * cb.height, levels)
    values["phash"] = phash(thumbnail(luma, SIZE, SIZE))
    return values


def tiny(frame: Frame) -> bytes:
    """Luma, Cb and Cr of 9x16 cells; chroma is 128 where there is none."""
    planes = [thumbnail(plane, *TINY).tobytes() for plane in frame.planes[:3]]
    return b"".join(planes).ljust(3 * TINY[0] * TINY[1], b"\x80")
