"""Perceptual hashes: the same for pictures that look the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SIZE, KEPT = 32, 8
MIDDLE = (KEPT * KEPT - 1) // 2
"""Place of the median of all frequencies but the mean."""

_AT = np.arange(SIZE)
DCT = np.cos(np.pi * (2 * _AT[None] + 1) * _AT[:, None] / (2 * SIZE))[:KEPT]
"""The first rows of the DCT-II."""


def phash(small: npt.NDArray[np.uint8]) -> int:
    """64 bits: which of the 8x8 lowest frequencies (the mean left out of the median) lie above their median.

    Args:
        small: (32, 32) uint8.
    """
    low = (DCT @ small.astype(np.float64) @ DCT.T).ravel()
    bits = low > np.partition(low[1:], MIDDLE)[MIDDLE]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def distances(one: int, others: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """In how many bits hashes differ."""
    return np.asarray(np.bitwise_count(np.uint64(one) ^ others), np.uint8)
