"""Banding: every target gives the same numbers at every size, pattern and option; steps are found, grain is not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, TooSmall, cambi
from cinemill_native.frames import Samples

USUAL = {"smooth": False, "halve": False, "window": 9, "highest": (178, 305, 432, 559), "dark": 80}


def banded(
    size: tuple[int, int], bit_depth: int, random: np.random.Generator, *, noise: float = 0.3
) -> Samples:
    """Slopes of light in the lower half of the range, some of their samples a step off: long runs and short ones."""
    y, x = np.indices(size[::-1])
    slope = (
        60 + (x * random.uniform(0.1, 2) + y * random.uniform(0.1, 2)) / 4 + (random.random(x.shape) < noise)
    )
    return np.clip(slope * 2.0 ** (bit_depth - 8), 0, (1 << bit_depth) - 1).astype(
        np.uint8 if bit_depth == 8 else np.uint16
    )


def framed(samples: Samples, bit_depth: int) -> Plane:
    """A plane in the middle of other samples, rows at odd addresses."""
    block = np.full((samples.shape[0] + 2, samples.shape[1] + 13), 77, samples.dtype)
    inner = block[1:-1, 5 : 5 + samples.shape[1]]
    inner[...] = samples
    return Plane(inner, bit_depth)


def planes(bit_depth: int) -> Iterator[Plane]:
    random = np.random.default_rng(11)
    peak = (1 << bit_depth) - 1
    dtype = np.uint8 if bit_depth == 8 else np.uint16
    for index, size in enumerate([(w, 18) for w in range(16, 84, 3)] + [(37, h) for h in range(16, 52, 5)]):
        yield framed(banded(size, bit_depth, random, noise=index % 4 / 10), bit_depth)
    for samples in (
        np.zeros((40, 70)),
        np.full((40, 70), peak),
        np.indices((40, 70)).sum(axis=0) % 2 * peak,
        random.integers(0, peak + 1, (40, 70)),
        (peak // 3) + random.integers(0, 2, (40, 70)),
    ):
        yield framed(samples.astype(dtype), bit_depth)


def run(plane: Plane, target: str | None = None, **options: Any) -> tuple[float, ...]:
    width, height = plane.width, plane.height
    return cambi(plane, **({"width": width, "height": height} | USUAL | options), target=target)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"smooth": True},
        {"halve": True, "smooth": True},
        {"halve": True, "window": 5},
        {"window": 1, "highest": (40,), "dark": 0},
        {"window": 33, "highest": tuple(range(900, 916)), "dark": 0, "top": 0.05},
        {"window": 65, "highest": (1023,) * 32, "dark": 200, "top": 1.0},
    ],
    ids=str,
)
def test_targets_agree(options: dict[str, Any], bit_depth: int, target: str) -> None:
    if target == "scalar":
        pytest.skip("scalar is the definition")
    heavy = options.get("window", 9) > 16  # the definition counts every sample of every window
    for plane in islice(planes(bit_depth), None, None, 6 if heavy else 1):
        assert run(plane, target, **options) == run(plane, "scalar", **options), plane


@pytest.mark.parametrize("size", [(40, 30), (53, 41), (90, 44)])
def test_targets_agree_where_samples_are_picked(size: tuple[int, int], target: str) -> None:
    random = np.random.default_rng(3)
    for bit_depth in (8, 10, 12):
        plane = framed(banded((80, 60), bit_depth, random), bit_depth)
        options = {"width": size[0], "height": size[1], "smooth": True}
        assert run(plane, target, **options) == run(plane, "scalar", **options)


def test_steps_are_banding_and_grain_is_not(target: str) -> None:
    x = np.indices((128, 256))[1]
    slope = 70 + x / 12
    steps = Plane(slope.astype(np.uint8))
    grainy = Plane((slope + np.random.default_rng(1).normal(0, 4, slope.shape)).astype(np.uint8))
    assert max(run(steps, target, window=17)) > 10
    assert max(run(grainy, target, window=17)[:3]) < 1
    assert run(Plane(np.full((64, 64), 90, np.uint8)), target) == (0.0,) * 5


def test_a_wide_row_with_long_runs(target: str) -> None:
    row = np.repeat(np.array([60, 61], np.uint8), [17_000, 3_000])[None, :].repeat(16, axis=0)
    assert run(Plane(row), target, window=3) == run(Plane(row), "scalar", window=3)


def two_halves_seen(side: int, window: int, weight: int) -> float:
    """Mean contrast of a square whose halves are two levels, all of it looked at, in single precision."""
    place = np.arange(side)
    first, last = np.maximum(place - window // 2, 0), np.minimum(place + window // 2, side - 1)
    left = np.clip((side + 1) // 2 - first, 0, last - first + 1)
    here = np.where(place < (side + 1) // 2, left, last - first + 1 - left)
    there = last - first + 1 - here
    rows = (last - first + 1)[:, None]
    counted = np.maximum(rows * (here + there), 1)
    reciprocal = np.array([float(f"{1 / value:.8e}") for value in counted.flat], np.float32)
    product = (weight * (rows * here) * (rows * there)).astype(np.float32)
    contrasts = (product * reciprocal.reshape(product.shape)).astype(np.float64)
    return float(contrasts.sum() / contrasts.size)


@pytest.mark.parametrize("window", [175, 177, 255])
def test_large_windows_of_large_pictures(window: int, target: str) -> None:
    """Counts of all their samples, and a product with the weight that does not fit 32 bits from 177 on."""
    side = 64 if target == "scalar" else 320  # the definition counts every sample of every window
    halves = np.full((side, side), 400, np.uint16)
    halves[:, side // 2 :] += 23
    hidden = (0,) * 22
    found = run(Plane(halves, 10), target, window=window, highest=(*hidden, 900), dark=0, top=1.0)
    assert found == tuple(two_halves_seen(side >> scale, window, 9) for scale in range(5))


@pytest.mark.slow
def test_targets_agree_in_a_large_window(target: str) -> None:
    plane = Plane(banded((190, 180), 10, np.random.default_rng(5)), 10)
    options: dict[str, Any] = {"window": 177, "highest": (700,) * 4, "dark": 0}
    assert run(plane, target, **options) == run(plane, "scalar", **options)


def test_arguments_are_checked() -> None:
    plane = Plane(np.zeros((20, 20), np.uint8))
    with pytest.raises(TooSmall, match="at least 16 samples, got 20x15"):
        run(Plane(plane.samples[:15]))
    for wrong in (
        {"window": 8},
        {"window": 257},
        {"highest": ()},
        {"highest": (9, 8)},
        {"dark": -1},
        {"top": 0.0},
    ):
        with pytest.raises(ValueError, match="wanted"):
            run(plane, **wrong)
