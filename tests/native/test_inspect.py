"""The sums of an inspection are those of numpy, at every target; what they leave in memory is theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import NotAPlane, Plane, ShapeMismatch, TooSmall, inspect_chroma, inspect_luma

DARK, SPOT = 40, 30
SIZES = ((3, 3), (4, 9), (17, 12), (33, 20), (67, 21), (1025, 5), (1100, 19))


def neighbours(samples: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The eight neighbours of inner samples, row by row."""
    rows, columns = samples.shape
    return [
        samples[1 + dy : rows - 1 + dy, 1 + dx : columns - 1 + dx]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if (dx, dy) != (0, 0)
    ]


def by_numpy(current: Plane, dark: int, spot: int) -> dict[str, Any]:
    """The definition of what one plane gives, in numpy."""
    c = current.samples.astype(np.int64)
    a, u, b, left, r, d, e, f = neighbours(c)  # a u b / left . r / d e f
    inner = c[1:-1, 1:-1]
    laplacian, ripple = left + r + u + e - 4 * inner, a + b + d + f - 2 * (left + r + u + e) + 4 * inner
    gx, gy = b + 2 * r + f - a - 2 * left - d, d + 2 * e + f - a - 2 * u - b
    fx, fy = gx.astype(np.float32), gy.astype(np.float32)
    edge = np.rint(np.float32(16) * np.sqrt(fx * fx + fy * fy)).astype(np.int64)
    around = np.array([a, u, b, left, r, d, e, f])
    lone = (inner > around.max(axis=0) + spot) | (inner + spot < around.min(axis=0))
    across, down = np.abs(np.diff(c, axis=1)), np.abs(np.diff(c, axis=0))
    lit_rows, lit_columns = np.flatnonzero((c > dark).any(axis=1)), np.flatnonzero((c > dark).any(axis=0))
    height, width = c.shape
    bars = [height, height, width, width]
    if len(lit_rows):
        bars = [lit_rows[0], height - 1 - lit_rows[-1], lit_columns[0], width - 1 - lit_columns[-1]]
    comb, rows = fields(c, c, c)
    return {
        "sum": c.sum(),
        "squares": (c**2).sum(),
        "least": c.min(),
        "most": c.max(),
        "laplacian": laplacian.sum(),
        "laplacian_squares": (laplacian**2).sum(),
        "noise": np.abs(ripple).sum(),
        "edge": edge.sum(),
        "edge_squares": (gx**2 + gy**2).sum(),
        "across": [across.sum() - across[:, 7::8].sum(), across[:, 7::8].sum()],
        "down": [down[phase::8].sum() for phase in range(8)],
        "spots": lone.sum(),
        "places": [(x + 1, y + 1) for y, x in np.argwhere(lone)[:16]],
        "bars": bars,
        "comb": comb,
        "comb_samples": rows * width,
        "histogram": np.bincount(
            np.minimum(c[::2] >> (current.bit_depth - 8), 255).ravel(), minlength=256
        ).tolist(),
    }


def fields(
    outer: npt.NDArray[np.int64], middle: npt.NDArray[np.int64], size: npt.NDArray[np.int64]
) -> tuple[list[int], int]:
    """|u + d - 2 c| over rows 2 and 3 mod 8, u and d from `outer`, c from `middle`; rows of each parity."""
    height, sums, count = len(size), [0, 0], 0
    for y in range(2, height - 2, 8):
        count += 1
        for row in (y, y + 1):
            sums[row & 1] += int(np.abs(outer[row - 1] + outer[row + 1] - 2 * middle[row]).sum())
    return sums, count


def pair_by_numpy(current: Plane, previous: Plane) -> dict[str, Any]:
    """The definition of what a pair gives beyond that."""
    c, p = current.samples.astype(np.int64), previous.samples.astype(np.int64)
    step = c - p
    rows = [[y + parity for y in range(2, len(c) - 2, 8)] for parity in (0, 1)]
    return {
        "change": np.abs(step).sum(),
        "drift": step.sum(),
        "change_squares": (step**2).sum(),
        "changed": (step != 0).sum(),
        "comb_before": fields(c, p, c)[0],
        "comb_after": fields(p, c, c)[0],
        "field_change": [int(np.abs(step[listed]).sum()) for listed in rows],
    }


@pytest.mark.parametrize("pattern", ["random", "zeros", "peaks", "checkerboard", "ramp"])
def test_luma_equals_numpy(planes: Any, bit_depth: int, target: str, pattern: str) -> None:
    for size in SIZES:
        for layout in ("tight", "padded", "flipped"):
            plane = planes.make(size, bit_depth, pattern, layout=layout)
            before = planes.make(size, bit_depth, layout="padded")
            scale = 1 << (bit_depth - 8)
            settings = {"dark": DARK * scale, "spot": SPOT * scale}
            wanted = by_numpy(plane, **settings)
            assert found(plane, **settings, target=target) == wanted, (size, layout)
            wanted |= pair_by_numpy(plane, before)
            assert found(plane, before, **settings, target=target) == wanted, (size, layout)


def found(*planes: Plane, **settings: Any) -> dict[str, Any]:
    sums = inspect_luma(*planes, **settings)
    return sums | {"histogram": sums["histogram"].tolist()}


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (1, 1)])
def test_chroma_equals_numpy(planes: Any, bit_depth: int, target: str, shift: tuple[int, int]) -> None:
    matrix, zeros = [np.float32(each) for each in (0.0046, 0.007, 0.0008, 0.0021, 0.0083)], (16.0, 128.0)
    for width, height in ((3, 3), (35, 13), (1027, 6)):
        luma = planes.make((width, height), bit_depth)
        small = ((width + shift[0]) >> shift[0], (height + shift[1]) >> shift[1])
        cb, cr = planes.make(small, bit_depth), planes.make(small, bit_depth, "ramp", layout="flipped")
        found = inspect_chroma(luma, cb, cr, zeros=zeros, matrix=matrix, target=target)
        a, b = cb.samples.astype(np.int64), cr.samples.astype(np.int64)
        assert (found["sum_a"], found["sum_b"]) == (a.sum(), b.sum())
        assert (found["squares_a"], found["squares_b"]) == ((a**2).sum(), (b**2).sum())
        assert found["products"] == (a * b).sum()
        assert [found[name] for name in ("least_a", "most_a", "least_b", "most_b")] == [
            a.min(),
            a.max(),
            b.min(),
            b.max(),
        ]
        top_left = luma.samples[:: 1 << shift[1], :: 1 << shift[0]].astype(np.float32)
        y = matrix[0] * (top_left - np.float32(16))
        u, v = a.astype(np.float32) - np.float32(128), b.astype(np.float32) - np.float32(128)
        colours = np.array(
            [y + matrix[1] * v, y - matrix[2] * u - matrix[3] * v, y + matrix[4] * u], np.float32
        )
        out = (colours.min(axis=0) < np.float32(-0.05)) | (colours.max(axis=0) > np.float32(1.05))
        assert found["gamut"] == out.sum()


def test_what_cannot_be_inspected_is_refused(planes: Any) -> None:
    with pytest.raises(TooSmall, match="at least 3"):
        inspect_luma(planes.make((2, 9), 8), dark=0, spot=1)
    with pytest.raises(ValueError, match="16384 columns"):
        inspect_luma(Plane(np.zeros((3, 16385), np.uint8)), dark=0, spot=1)
    with pytest.raises(ShapeMismatch):
        inspect_luma(planes.make((9, 9), 8), planes.make((9, 8), 8), dark=0, spot=1)
    with pytest.raises(ValueError, match="0 to 65535"):
        inspect_luma(planes.make((9, 9), 8), dark=-1, spot=1)
    with pytest.raises(NotAPlane):
        inspect_luma(None, dark=0, spot=1)  # type: ignore[arg-type]
    with pytest.raises(ShapeMismatch, match="half or quarter"):
        inspect_chroma(
            planes.make((9, 9), 8),
            planes.make((4, 9), 8),
            planes.make((4, 9), 8),
            zeros=(0, 0),
            matrix=(1,) * 5,
        )
