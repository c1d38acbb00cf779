"""The fused kernel gives exactly what the two kernels it fuses give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cinemill_native import ShapeMismatch, histogram_sad, luma_histogram, sad


def test_equals_both_kernels_of_scalar(planes: Any, bit_depth: int, target: str) -> None:
    for current, previous in planes.pairs(bit_depth):
        counts, change = histogram_sad(current, previous, target=target)
        assert np.array_equal(counts, luma_histogram(current, target="scalar")), current
        assert change == sad(current, previous, target="scalar"), current


@pytest.mark.parametrize("bins", [2, 64, 256])
def test_bins(planes: Any, bins: int, bit_depth: int, target: str) -> None:
    current, previous = planes.make((99, 7), bit_depth), planes.make((99, 7), bit_depth)
    counts, _ = histogram_sad(current, previous, bins, target=target)
    assert np.array_equal(counts, luma_histogram(current, bins, target="scalar"))


def test_planes_must_agree(planes: Any) -> None:
    with pytest.raises(ShapeMismatch, match="previous: wanted 16x4 of 8 bits as current"):
        histogram_sad(planes.make((16, 4), 8), planes.make((16, 3), 8))
