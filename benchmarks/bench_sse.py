"""Sum of squared error of two planes: our kernel against its scalar form, numpy and OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, sse, targets

SIZES = {"360p": (360, 640), "1080p": (1080, 1920), "2160p": (2160, 3840)}


def two_planes(size: str, depth: int) -> tuple[Plane, Plane]:
    random = np.random.default_rng(7)
    dtype = np.uint8 if depth == 8 else np.uint16
    first, second = (Plane(random.integers(0, 1 << depth, SIZES[size], dtype), depth) for _ in range(2))
    return first, second


def by_numpy(a: Any, b: Any) -> int:
    difference = np.subtract(
        a, b, dtype=np.float64
    )  # exact below 2^53, and BLAS sums it: numpy's fastest way
    return int(np.vdot(difference, difference))


def by_opencv(a: Any, b: Any) -> tuple[str, Callable[[], int]]:
    import cv2

    cv2.setNumThreads(1)
    return f"opencv {cv2.__version__}", lambda: round(cv2.norm(a, b, cv2.NORM_L2SQR))


@pytest.mark.parametrize("depth", [8, 10], ids=["8bit", "10bit"])
@pytest.mark.parametrize("size", SIZES)
def bench_sse(race: Any, size: str, depth: int) -> None:
    ref, dist = two_planes(size, depth)
    a, b = ref.samples, dist.samples
    peers: dict[str, Callable[[], int]] = {
        f"numpy {np.__version__}": lambda: by_numpy(a, b),
        "our scalar": lambda: sse(ref, dist, target="scalar"),
    }
    if find_spec("cv2"):
        peers |= [by_opencv(a, b)]
    race(lambda: sse(ref, dist, target=targets()[-1]), peers, rounds=15, loops=5, unit="plane")
