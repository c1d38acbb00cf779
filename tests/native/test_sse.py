"""The sum of squared error is the same exact integer at every target, as numpy computes it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, ShapeMismatch, sse


def by_numpy(ref: Plane, dist: Plane) -> int:
    difference = ref.samples.astype(object) - dist.samples.astype(
        object
    )  # Python integers: no overflow anywhere
    return int((difference**2).sum())


def test_equals_numpy_at_every_width_pattern_and_layout(planes: Any, bit_depth: int, target: str) -> None:
    for ref, dist in planes.pairs(bit_depth):
        assert sse(ref, dist, target=target) == by_numpy(ref, dist), ref


def test_reads_only_the_row_and_writes_nothing(planes: Any, bit_depth: int, target: str) -> None:
    for width in (1, 15, 16, 31, 32, 33, 64, 65):
        ref, dist = planes.make((width, 4), bit_depth), planes.make((width, 4), bit_depth)
        block = ref.samples.base
        assert block is not None
        before = block.copy()
        value = sse(ref, dist, target=target)
        assert np.array_equal(block, before)
        inside = ref.samples.copy()
        block[...] = ~block  # other guard bytes and padding, same samples
        ref.samples[...] = inside
        assert sse(ref, dist, target=target) == value


def test_a_plane_of_one_memory_with_itself_is_zero(planes: Any, bit_depth: int, target: str) -> None:
    plane = planes.make((40, 9), bit_depth)
    assert sse(plane, plane, target=target) == 0


def test_is_symmetric(planes: Any, bit_depth: int, target: str) -> None:
    a, b = planes.make((77, 5), bit_depth), planes.make((77, 5), bit_depth)
    assert sse(a, b, target=target) == sse(b, a, target=target)


def test_the_fullest_row_of_8_bits(target: str) -> None:
    zeros, peaks = (Plane(np.full((2, 65535), value, np.uint8)) for value in (0, 255))
    assert sse(zeros, peaks, target=target) == 2 * 65535 * 255**2


@pytest.mark.slow
def test_the_largest_plane_of_16_bits_fits_64_bits(target: str) -> None:
    zeros, peaks = (
        Plane(np.broadcast_to(np.full(65535, v, np.uint16), (65535, 65535)), 16) for v in (0, 65535)
    )
    assert sse(zeros, peaks, target=target) == 65535**4


def test_planes_must_agree(planes: Any) -> None:
    plane = planes.make((16, 4), 8)
    with pytest.raises(ShapeMismatch, match=r"dist: wanted 16x4 of 8 bits as ref, got 16x5 of 8 bits"):
        sse(plane, planes.make((16, 5), 8))
    with pytest.raises(ShapeMismatch, match="10 bits"):
        sse(plane, planes.make((16, 4), 10))


def test_other_threads_run_meanwhile() -> None:
    row = np.zeros(65535, np.uint8)
    plane = Plane(np.broadcast_to(row, (20000, 65535)))  # 1.3 G samples: long enough to see
    worker = threading.Thread(target=sse, args=(plane, plane))
    turns = 0
    worker.start()
    while worker.is_alive():
        turns += 1
    assert turns > 1000
