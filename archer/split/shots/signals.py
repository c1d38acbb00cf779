"""What is measured of each frame, against the one before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from cinemill_native import histogram_sad, luma_histogram
from cinemill_native.frames import Frame, Plane

BINS = 64
GRID = (24, 32)
"""Rows and columns of cells whose means stand for the picture's layout."""

Column = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Signals of consecutive frames, all in units of 8-bit sample values or as shares of 1.

    Attributes:
        sad: mean absolute luma difference to the frame before, 0 to 255; 0 for the first.
        layout: mean absolute difference of cell means (luma and chroma), 0 to 255; what motion inside a cell leaves alone.
        histogram: half the sum of absolute differences of luma histogram shares, 0 to 1.
        mean: mean luma, 0 to 255.
        deviation: standard deviation of luma, from the histogram.
    """

    sad: Column
    layout: Column
    histogram: Column
    mean: Column
    deviation: Column

    def __len__(self) -> int:
        return len(self.sad)

    def behind(self, skip: int) -> Self:
        """Without the first `skip` frames."""
        return type(self)(**{name: getattr(self, name)[skip:] for name in NAMES})

    @classmethod
    def joined(cls, parts: Iterable[Signals]) -> Signals:
        """Parts of one title, in order, as one."""
        tracks = list(parts)
        return cls(**{name: np.concatenate([getattr(track, name) for track in tracks]) for name in NAMES})


NAMES = ("sad", "layout", "histogram", "mean", "deviation")


def signals(frames: Iterable[Frame], *, on_frame: Callable[[int], None] | None = None) -> Signals:
    """Measure frames; the first one has nothing before it, so give one frame of context and drop it with `behind(1)`.

    Args:
        frames: consecutive, all of one size.
        on_frame: called with the number of frames measured so far.
    """
    rows: list[tuple[float, ...]] = []
    before: tuple[Plane, npt.NDArray[np.float32], npt.NDArray[np.float64]] | None = None
    for frame in frames:
        luma = frame.luma
        cells = np.concatenate([_cells(plane) for plane in frame.planes])
        sad, layout, difference = 0.0, 0.0, 0.0
        if before is None:
            counts = luma_histogram(luma, BINS)
        else:
            counts, total = histogram_sad(luma, before[0], BINS)
            sad = total / (luma.width * luma.height) / (1 << luma.bit_depth - 8)
            layout = float(np.abs(cells - before[1]).mean())
        shares = counts / (luma.width * luma.height)
        if before is not None:
            difference = float(np.abs(shares - before[2]).sum()) / 2
        rows.append((sad, layout, difference, *_moments(shares)))
        before = (luma, cells, shares)
        if on_frame is not None:
            on_frame(len(rows))
    columns = np.array(rows, np.float32).reshape(len(rows), len(NAMES)).T
    return Signals(
        **{name: np.ascontiguousarray(column) for name, column in zip(NAMES, columns, strict=True)}
    )


def _cells(plane: Plane) -> npt.NDArray[np.float32]:
    """Means over a grid of cells, from every fourth sample of large planes, in 8-bit units."""
    step = max(1, min(4, plane.height // (GRID[0] * 2), plane.width // (GRID[1] * 2)))
    samples = plane.samples[::step, ::step]
    rows, columns = min(GRID[0], samples.shape[0]), min(GRID[1], samples.shape[1])
    high, wide = samples.shape[0] // rows, samples.shape[1] // columns
    blocks = samples[: rows * high, : columns * wide].reshape(rows, high, columns, wide)
    means = blocks.mean(axis=(1, 3), dtype=np.float32) / (1 << plane.bit_depth - 8)
    return np.asarray(means, np.float32).ravel()


def _moments(shares: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of luma in 8-bit units, from histogram shares."""
    width = 256 / len(shares)
    centres = (np.arange(len(shares)) + 0.5) * width
    mean = float(shares @ centres)
    return mean, max(0.0, float(shares @ (centres - mean) ** 2)) ** 0.5
