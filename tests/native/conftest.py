"""Planes that show where a kernel is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cinemill_native import Plane, targets
from cinemill_native.frames import Samples

PATTERNS = ("random", "zeros", "peaks", "checkerboard", "ramp")
LAYOUTS = ("tight", "padded", "flipped")


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
        alignments), or `flipped` (padded, rows from the bottom up: a negative stride). Samples use the whole
        range of their type, also above the bit depth: kernels are exact there too.
        """
        width, height = size
        peak = 255 if bit_depth == 8 else 65535
        pitch = width if layout == "tight" else width + 13
        block = self._noise(peak, (height + 2, pitch))
        inner = block[1:-1, :width] if layout == "tight" else block[1:-1, 7 : 7 + width]
        inner[...] = self._pattern(pattern, peak, (height, width))
        return Plane(inner[::-1] if layout == "flipped" else inner, bit_depth)

    def _noise(self, peak: int, shape: tuple[int, int]) -> Samples:
        return self._random.integers(0, peak + 1, shape, np.uint8 if peak == 255 else np.uint16)

    def _pattern(self, name: str, peak: int, shape: tuple[int, int]) -> npt.NDArray[Any]:
        y, x = np.indices(shape)
        if name == "random":
            return self._noise(peak, shape)
        return {
            "zeros": x * 0,
            "peaks": x * 0 + peak,
            "checkerboard": (x + y) % 2 * peak,
            "ramp": (x * 7 + y * 3) % (peak + 1),
        }[name]

    def pairs(self, bit_depth: int) -> Iterator[tuple[Plane, Plane]]:
        """Every width around the vector sizes x pattern x layout, against noise and against all-max."""
        for width, pattern, layout in product(range(1, 66), PATTERNS, LAYOUTS):
            first = self.make((width, 3), bit_depth, pattern, layout=layout)
            yield first, self.make((width, 3), bit_depth, "random", layout="padded")
            yield first, self.make((width, 3), bit_depth, "peaks", layout="tight")


@pytest.fixture
def planes() -> PlaneMaker:
    """A maker with its own seeded noise."""
    return PlaneMaker()
