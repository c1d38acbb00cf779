"""A quality map over its picture, with its scale below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cinemill_native.frames import Plane
from vmaf.maps import QualityMap
from vmaf.png import Picture, encoded, write_digits

MOST, LEAST = 1280, 320
"""Width of a picture, samples: larger ones are averaged down, smaller ones repeated, by whole factors."""
STOPS = ((0.0, (255, 224, 64)), (0.5, (230, 70, 20)), (1.0, (110, 0, 90)))
"""Colours of the scale: little is lost, half of it, as much as it shows or more."""
OPAQUE = 0.85
BAR, TICKS = 14, 18
"""Rows of the scale and of its numbers."""


def heat_png(luma: Plane, found: QualityMap) -> bytes:
    """A PNG of the distorted luma in grey under the map's colours; the scale is the map's, not the picture's."""
    grey, factor = _sized(luma)
    height, width = grey.shape
    across = (np.arange(width) + 0.5) * factor
    down = (np.arange(height) + 0.5) * factor
    rows = np.array([np.interp(across, found.x, row) for row in found.values])
    share = np.array([np.interp(down, found.y, column) for column in rows.T]).T / found.top
    return encoded(np.concatenate([_coloured(grey, share), _legend(width, found.top)]))


def _sized(luma: Plane) -> tuple[npt.NDArray[np.float64], float]:
    """Luma from 0 to 255, and how many of its samples one of these stands for."""
    samples = np.asarray(luma.samples, np.float64) / (1 << (luma.bit_depth - 8))
    if luma.width < LEAST:
        times = -(-LEAST // luma.width)
        return samples.repeat(times, 0).repeat(times, 1), 1 / times
    by = -(-luma.width // MOST)
    height, width = (side // by for side in samples.shape)
    return samples[: height * by, : width * by].reshape(height, by, width, by).mean(axis=(1, 3)), by


def _coloured(grey: npt.NDArray[np.float64], share: npt.NDArray[np.float64]) -> Picture:
    """Grey where nothing is lost; colours cover it as the loss grows, all but wholly from half the scale on."""
    share = np.clip(share, 0, 1)
    at = [stop for stop, _ in STOPS]
    colour = np.stack([np.interp(share, at, [rgb[i] for _, rgb in STOPS]) for i in range(3)], axis=-1)
    cover = (OPAQUE * np.minimum(1, 2 * share))[..., None]
    return np.round(np.clip(grey, 0, 255)[..., None] * (1 - cover) + colour * cover).astype(np.uint8)


def _legend(width: int, top: float) -> Picture:
    """The scale as it looks over middle grey, with its levels; what is above the last one looks like it."""
    ramp = np.tile(np.linspace(0, 1, width), (BAR, 1))
    bar = _coloured(np.full(ramp.shape, 128.0), ramp)
    picture = np.concatenate([bar, np.full((TICKS, width, 3), 255, np.uint8)])
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        text = f"{share * top:g}"
        x = min(max(round(share * (width - 1)) - 4 * len(text), 0), width - 8 * len(text))
        picture[BAR : BAR + 3, round(share * (width - 1))] = 0
        write_digits(picture, text, x, BAR + 5)
    return picture
