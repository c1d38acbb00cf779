"""Every target gives the means of the cells, to the last bit, and reads nothing outside the plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import NotAPlane, Plane, thumbnail


def by_numpy(plane: Plane, rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """The definition in numpy, cell by cell."""
    step, scale = max(1, plane.height // rows // 4), 1 << (plane.bit_depth - 8)
    cells = np.empty((rows, columns), np.uint8)
    for r in range(rows):
        for c in range(columns):
            top, left = r * plane.height // rows, c * plane.width // columns
            bottom = max(top + 1, (r + 1) * plane.height // rows)
            right = max(left + 1, (c + 1) * plane.width // columns)
            cell = plane.samples[top:bottom:step, left:right].astype(np.uint64)
            divisor = cell.size * scale
            cells[r, c] = min(255, (2 * int(cell.sum()) + divisor) // (2 * divisor))
    return cells


def test_equals_numpy(planes: Any, bit_depth: int, target: str) -> None:
    for size in ((48, 27), (97, 31), (131, 54), (640, 60), (33, 300)):
        for layout in ("tight", "padded", "flipped"):
            plane = planes.make(size, bit_depth, layout=layout)
            for grid in ((27, 48), (9, 16), (1, 1)):
                found = thumbnail(plane, *grid, target=target)
                assert np.array_equal(found, by_numpy(plane, *grid)), (size, layout, grid)


def test_every_width_equals_scalar(planes: Any, bit_depth: int, target: str) -> None:
    for current, _ in planes.pairs(bit_depth):
        wanted = thumbnail(current, 2, 5, target="scalar")
        assert np.array_equal(thumbnail(current, 2, 5, target=target), wanted), current


@pytest.mark.parametrize("pattern", ["zeros", "peaks"])
def test_the_fullest_cells(planes: Any, bit_depth: int, target: str, pattern: str) -> None:
    plane = planes.make((4099, 40), bit_depth, pattern)
    assert (thumbnail(plane, 3, 2, target=target) == (0 if pattern == "zeros" else 255)).all()


def test_planes_smaller_than_the_grid_repeat(planes: Any, target: str) -> None:
    plane = planes.make((2, 1), 8)
    found = thumbnail(plane, 3, 4, target=target)
    assert found.tolist() == [[int(plane.samples[0, c // 2]) for c in range(4)]] * 3


@pytest.mark.parametrize(("rows", "columns"), [(0, 1), (1, 0), (257, 1), (1, 257), (-1, 1)])
def test_grids_out_of_range_are_refused(planes: Any, rows: int, columns: int) -> None:
    with pytest.raises(ValueError, match="wanted 1 to 256"):
        thumbnail(planes.make((8, 8), 8), rows, columns)


def test_only_planes() -> None:
    with pytest.raises(NotAPlane):
        thumbnail(None, 1, 1)  # type: ignore[arg-type]
