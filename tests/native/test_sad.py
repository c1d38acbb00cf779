"""The sum of absolute differences is the same exact integer at every target, as numpy computes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, ShapeMismatch, sad


def by_numpy(a: Plane, b: Plane) -> int:
    return int(np.abs(a.samples.astype(np.int64) - b.samples.astype(np.int64)).sum())


def test_equals_numpy_at_every_width_pattern_and_layout(planes: Any, bit_depth: int, target: str) -> None:
    for a, b in planes.pairs(bit_depth):
        assert sad(a, b, target=target) == by_numpy(a, b), a


def test_reads_only_the_row_and_writes_nothing(planes: Any, bit_depth: int, target: str) -> None:
    for width in (1, 15, 16, 31, 32, 33, 64, 65):
        a, b = planes.make((width, 4), bit_depth), planes.make((width, 4), bit_depth)
        block = a.samples.base
        assert block is not None
        before = block.copy()
        value = sad(a, b, target=target)
        assert np.array_equal(block, before)
        inside = a.samples.copy()
        block[...] = ~block
        a.samples[...] = inside
        assert sad(a, b, target=target) == value


@pytest.mark.parametrize(("dtype", "depth"), [(np.uint8, 8), (np.uint16, 16)])
def test_the_fullest_row(dtype: type[np.unsignedinteger], depth: int, target: str) -> None:
    peak = (1 << depth) - 1
    zeros, peaks = (Plane(np.full((2, 65535), value, dtype), depth) for value in (0, peak))
    assert sad(zeros, peaks, target=target) == 2 * 65535 * peak


@pytest.mark.slow
def test_the_largest_plane_of_16_bits(target: str) -> None:
    zeros, peaks = (
        Plane(np.broadcast_to(np.full(65535, v, np.uint16), (65535, 65535)), 16) for v in (0, 65535)
    )
    assert sad(zeros, peaks, target=target) == 65535**3


def test_planes_must_agree(planes: Any) -> None:
    with pytest.raises(ShapeMismatch, match="b: wanted 16x4 of 8 bits as a"):
        sad(planes.make((16, 4), 8), planes.make((17, 4), 8))
