"""Planes that show where a kernel is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import Plane, targets

PATTERNS = ("random", "zeros", "peaks", "checkerboard", "ramp")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `target` at each level that this machine has."""
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", targets())
    if "bit_depth" in metafunc.fixturenames:
        metafunc.parametrize("bit_depth", (8, 9, 10, 12, 16))


class PlaneMaker:
    """Makes planes that lie in the middle of larger memory full of noise."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(20240607)

    def make(
        self, size: tuple[int, int], bit_depth: int, pattern: str = "random", *, layout: str = "padded"
    ) -> Plane:
        """A plane of (width, height).

        The layout is `tight`, `padded` (an odd number of samples behind each row, so that rows begin at all
        alignments), or `flipped` (padded, rows from the bottom up: a negative stride). Samples use the whole range of
        their type, also above the bit depth: kernels are exact there too.
        """
        width, height = size
        dtype = np.dtype(np.uint8 if bit_depth == 8 else np.uint16)
        pitch = width if layout == "tight" else width + 13
        block = self._random.integers(0, 1 << (8 * dtype.itemsize), (height + 2, pitch), dtype)
        inner = block[1:-1, :width] if layout == "tight" else block[1:-1, 7 : 7 + width]
        inner[...] = self._samples(inner.shape, dtype, pattern)
        return Plane(inner[::-1] if layout == "flipped" else inner, bit_depth)

    def _samples(
        self, shape: tuple[int, ...], dtype: np.dtype[np.unsignedinteger], pattern: str
    ) -> npt.NDArray[np.unsignedinteger]:
        peak = int(np.iinfo(dtype).max)
        y, x = np.indices(shape)
        made = {
            "random": lambda: self._random.integers(0, peak + 1, shape),
            "zeros": lambda: np.zeros(shape),
            "peaks": lambda: np.full(shape, peak),
            "checkerboard": lambda: (x + y) % 2 * peak,
            "ramp": lambda: (x * 7 + y * 3) % (peak + 1),
        }
        return made[pattern]().astype(dtype)

    def pairs(self, width: int, bit_depth: int) -> Iterator[tuple[Plane, Plane]]:
        """Every pattern against random and against its opposite, in every layout."""
        for pattern in PATTERNS:
            for layout in ("tight", "padded", "flipped"):
                first = self.make((width, 3), bit_depth, pattern, layout=layout)
                yield first, self.make((width, 3), bit_depth, "random", layout="padded")
                yield first, self.make((width, 3), bit_depth, "peaks", layout="tight")


@pytest.fixture
def planes() -> PlaneMaker:
    """A maker with its own seeded noise."""
    return PlaneMaker()
