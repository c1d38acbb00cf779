"""Where people look first: the spectral residual of a small picture (Hou & Zhang 2007)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.vision.box import Box

Map = npt.NDArray[np.float64]

SIDE = 64
"""Cells of the longer side, as in the paper."""
BLUR = 2.5
"""Deviation of the Gaussian that smooths the map, cells."""
OBJECT = 3.0
"""How many times the mean a cell of an object has (the paper's threshold)."""
TAIL = 0.05
"""Share of the map's weight that the box of interest leaves out at each of its edges."""
PLAIN = 1.0
"""Deviation below which a picture shows nothing, 8-bit units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """Where a picture is of interest.

    Attributes:
        x, y: centre of what stands out, shares of the width and the height, 0 to 1.
        box: around nine tenths of it in each direction; its score is the share of the map's weight that stands out.
    """

    x: float
    y: float
    box: Box


def saliency(small: npt.NDArray[np.uint8]) -> Map:
    """How much each cell stands out: the picture without what its spectrum lets expect.

    Args:
        small: (rows, columns) luma, of about `SIDE` cells.

    Returns:
        (rows, columns), 0 and more, without unit.
    """
    spectrum = np.fft.fft2(small.astype(np.float64))
    log = np.log(np.abs(spectrum) + 1e-9)
    usual = sum(np.roll(log, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)) / 9
    found = np.abs(np.fft.ifft2(np.exp(log - usual + 1j * np.angle(spectrum)))) ** 2
    rows, columns = (_blur(length) for length in small.shape)
    return np.asarray(rows @ found @ columns.T)


def _blur(length: int) -> Map:
    """A matrix that smooths; what lies outside does not count."""
    places = np.arange(length)
    weights = np.exp(-((places[:, None] - places[None, :]) ** 2) / (2 * BLUR**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def interest(small: npt.NDArray[np.uint8]) -> Interest | None:
    """Where the picture is of interest; None where it is plain."""
    if float(small.std()) < PLAIN:
        return None
    found = saliency(small)
    weight = np.where(found >= min(OBJECT * found.mean(), found.max()), found, 0)
    total = float(weight.sum())
    down, across = weight.sum(axis=1) / total, weight.sum(axis=0) / total
    (top, y, bottom), (left, x, right) = _spread(down), _spread(across)
    box = Box.within(left, top, right, bottom, total / float(found.sum()))
    return Interest(x=x, y=y, box=box)


def _spread(weights: Map) -> tuple[float, float, float]:
    """The edges of what counts, and between them its centre, as shares of the length."""
    sums, count = np.cumsum(weights), len(weights)
    first, last = int(np.searchsorted(sums, TAIL)), int(np.searchsorted(sums, 1 - TAIL))
    centre = float(weights @ (np.arange(count) + 0.5)) / count
    return first / count, centre, min(count, last + 1) / count
