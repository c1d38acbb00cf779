"""Every target gives numpy's sums of absolute differences, and checks what it is given."""

from __future__ import annotations

import numpy as np
import pytest

from cinemill_native import ShapeMismatch, row_sad


@pytest.mark.parametrize("length", [*range(1, 66), 288, 1296])
def test_equals_numpy(length: int, target: str) -> None:
    random = np.random.default_rng(length)
    a, b = random.integers(0, 256, (2, 5, length), np.uint8)
    wanted = np.abs(a.astype(int) - b).sum(axis=1)
    assert row_sad(a, b, target=target).tolist() == wanted.tolist()
    assert (
        row_sad(a[1:], a[:-1], target=target).tolist()
        == np.abs(np.diff(a.astype(int), axis=0)).sum(axis=1).tolist()
    )


def test_extremes(target: str) -> None:
    low, high = np.zeros((2, 65535), np.uint8), np.full((2, 65535), 255, np.uint8)
    assert row_sad(low, high, target=target).tolist() == [65535 * 255] * 2
    assert row_sad(high, high, target=target).tolist() == [0, 0]


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match="as many rows"):
        row_sad(np.zeros((2, 4), np.uint8), np.zeros((2, 5), np.uint8))
    with pytest.raises(ValueError, match="length of 1 to 65535"):
        row_sad(np.zeros((2, 0), np.uint8), np.zeros((2, 0), np.uint8))
    assert row_sad(np.zeros((0, 4), np.uint8), np.zeros((0, 4), np.uint8)).tolist() == []
