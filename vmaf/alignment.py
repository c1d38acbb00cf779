"""Which frame of the distorted side shows which frame of the reference: a constant offset, found and checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cinemill_native.frames import Plane
from vmaf.errors import NoAlignment

THUMBNAIL = (36, 64)
"""(height, width) to which luma is averaged: enough to tell frames apart, and sizes need not agree."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """A constant offset.

    Attributes:
        offset: distorted frame n + offset shows reference frame n.
        difference: mean absolute difference of the thumbnails at that offset, in 8-bit steps.
        runner_up: the same at the best of the other offsets; the larger the gap, the surer.
    """

    offset: int
    difference: float
    runner_up: float


def thumbnail(luma: Plane) -> npt.NDArray[np.float32]:
    """Luma averaged to THUMBNAIL, in 8-bit steps."""
    rows = np.linspace(0, luma.height, THUMBNAIL[0] + 1).astype(int)[:-1]
    columns = np.linspace(0, luma.width, THUMBNAIL[1] + 1).astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(luma.samples.astype(np.float32), rows, axis=0), columns, axis=1)
    counts = np.diff([*rows, luma.height])[:, None] * np.diff([*columns, luma.width])[None, :]
    return np.asarray(sums / counts * (255.0 / luma.peak), np.float32)


def find_offset(reference: Iterable[Plane], distorted: Iterable[Plane], *, reach: int = 12) -> Alignment:
    """The constant offset between two runs of luma planes (their sizes may differ).

    Args:
        reference, distorted: frames from the same place of both sides; some seconds with motion or a cut.
        reach: largest offset to try, in frames.

    Raises:
        NoAlignment: there are too few frames, or no offset is clearly better than the others (still pictures, frames that
            are dropped or repeated on the way).
    """
    one = np.array([thumbnail(plane) for plane in reference])
    other = np.array([thumbnail(plane) for plane in distorted])
    costs = {offset: _cost(one, other, offset) for offset in range(-reach, reach + 1)}
    known = sorted((cost, offset) for offset, cost in costs.items() if cost is not None)
    if len(known) < 2:
        raise NoAlignment(f"{len(one)} and {len(other)} frames are too few to try offsets of up to {reach}")
    (best, offset), (second, _) = known[0], known[1]
    if second < 1.2 * best + 0.05:
        text = f"offset {offset} differs by {best:.3f}, another by {second:.3f}: no offset fits clearly; give frames with motion"
        raise NoAlignment(text)
    return Alignment(offset, best, second)


def _cost(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32], offset: int) -> float | None:
    """Mean difference where both sides overlap by at least half; None where they do not."""
    start, end = max(0, -offset), min(len(one), len(other) - offset)
    if end - start < max(2, min(len(one), len(other)) // 2):
        return None
    return float(np.abs(one[start:end] - other[start + offset : end + offset]).mean())
