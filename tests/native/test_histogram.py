"""The histogram counts every sample once, in the same bins at every target, as numpy counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import Plane, luma_histogram


def by_numpy(plane: Plane, bins: int) -> npt.NDArray[np.int64]:
    shift = plane.bit_depth - (bins.bit_length() - 1)
    indices = np.minimum(plane.samples.astype(np.int64) >> shift, bins - 1)
    return np.bincount(indices.ravel(), minlength=bins)


def test_equals_numpy_at_every_width_pattern_and_layout(planes: Any, bit_depth: int, target: str) -> None:
    for plane, _ in planes.pairs(bit_depth):
        counts = luma_histogram(plane, target=target)
        assert counts.dtype == np.uint32
        assert np.array_equal(counts, by_numpy(plane, 256)), plane


@pytest.mark.parametrize("bins", [2**n for n in range(1, 11)])
def test_every_number_of_bins(planes: Any, bins: int, bit_depth: int, target: str) -> None:
    plane = planes.make((67, 9), bit_depth)
    if bins > 1 << bit_depth:
        with pytest.raises(ValueError, match="bins: wanted a power of two"):
            luma_histogram(plane, bins, target=target)
    else:
        assert np.array_equal(luma_histogram(plane, bins, target=target), by_numpy(plane, bins))


def test_samples_in_range_fill_their_own_bins(target: str) -> None:
    ramp = np.arange(1024, dtype=np.uint16).reshape(16, 64)
    assert luma_histogram(Plane(ramp, 10), 1024, target=target).tolist() == [1] * 1024


def test_samples_above_the_bit_depth_count_in_the_last_bin(target: str) -> None:
    plane = Plane(np.full((2, 33), 65535, np.uint16), 10)
    assert luma_histogram(plane, 64, target=target).tolist() == [0] * 63 + [66]


@pytest.mark.parametrize("bins", [0, 1, 3, 255, 512, -2])
def test_refuses_other_bins(planes: Any, bins: int) -> None:
    with pytest.raises(ValueError, match=f"bins: wanted a power of two from 2 to 256, got {bins}"):
        luma_histogram(planes.make((8, 8), 8), bins)


def test_writes_nothing_into_the_plane(planes: Any, bit_depth: int, target: str) -> None:
    plane = planes.make((45, 6), bit_depth)
    block = plane.samples.base
    assert block is not None
    before = block.copy()
    luma_histogram(plane, target=target)
    assert np.array_equal(block, before)


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "depth"), [(np.uint8, 8), (np.uint16, 16)])
def test_the_largest_plane_fits_32_bits(dtype: type[np.unsignedinteger], depth: int, target: str) -> None:
    plane = Plane(np.broadcast_to(np.full(65535, (1 << depth) - 1, dtype), (65535, 65535)), depth)
    assert luma_histogram(plane, target=target).tolist() == [0] * 255 + [65535**2]
