"""Every target finds the same least differences; what moves by up to three cells costs nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import ShapeMismatch, block_motion

Bytes = npt.NDArray[np.uint8]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def by_numpy(current: Bytes, previous: Bytes) -> int:
    """The definition: full search with repeated edges."""
    height, width = current.shape
    around = np.pad(previous.astype(int), 3, mode="edge")
    total = 0
    for top in range(0, height, 9):
        for left in range(0, width, 8):
            block = current[top : top + 9, left : left + 8]
            total += min(
                int(np.abs(block - around[top + y : top + y + 9, left + x : left + x + 8]).sum())
                for y in range(7)
                for x in range(7)
            )
    return total


@pytest.mark.parametrize("shape", [(27, 48), (9, 8), (9, 64), (63, 8), (63, 64)])
def test_equals_numpy(random: np.random.Generator, target: str, shape: tuple[int, int]) -> None:
    current, previous = random.integers(0, 256, (2, 3, *shape), np.uint8)
    smooth = np.clip(np.cumsum(np.cumsum(random.normal(size=shape), 0), 1) + 128, 0, 255).astype(np.uint8)
    current[2], previous[2] = smooth, np.roll(smooth, (2, -3), (0, 1))
    wanted = [by_numpy(one, other) for one, other in zip(current, previous, strict=True)]
    assert block_motion(current, previous, target=target).tolist() == wanted


def test_extremes(target: str) -> None:
    low, high = np.zeros((1, 63, 64), np.uint8), np.full((1, 63, 64), 255, np.uint8)
    assert block_motion(low, high, target=target).tolist() == [63 * 64 * 255]
    assert block_motion(high, high, target=target).tolist() == [0]


def test_moves_within_reach_cost_nothing(random: np.random.Generator, target: str) -> None:
    wide = random.integers(0, 256, (33, 54), np.uint8)
    still = wide[None, 3:30, 3:51]
    for y, x in ((-3, 3), (3, -3), (0, 2), (1, 1)):
        moved = wide[None, 3 + y : 30 + y, 3 + x : 51 + x]
        inside = still[:, 9:18, 8:40], moved[:, 9:18, 8:40]  # blocks whose place in the other lies inside it
        around = np.pad(inside[1], ((0, 0), (9, 9), (8, 8)))
        around[:, :27, :48] = moved
        found = block_motion(still.copy(), around, target=target)[0]
        assert found < block_motion(still.copy(), 255 - around, target=target)[0] / 2


def test_sizes_out_of_range_are_refused(random: np.random.Generator) -> None:
    for shape in ((1, 10, 8), (1, 9, 7), (1, 72, 8), (1, 9, 72), (1, 0, 8)):
        with pytest.raises(ValueError, match="wanted heights"):
            block_motion(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))
    with pytest.raises(ShapeMismatch):
        block_motion(np.zeros((2, 9, 8), np.uint8), np.zeros((1, 9, 8), np.uint8))
    assert len(block_motion(np.zeros((0, 9, 8), np.uint8), np.zeros((0, 9, 8), np.uint8))) == 0
