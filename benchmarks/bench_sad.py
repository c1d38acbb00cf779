"""Sum of absolute differences of two planes: our kernel against its scalar form, numpy and OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, sad, targets

SIZES = {"360p": (360, 640), "1080p": (1080, 1920), "2160p": (2160, 3840)}


def by_numpy(a: Any, b: Any) -> int:
    return int(
        (np.maximum(a, b) - np.minimum(a, b)).sum(dtype=np.uint64)
    )  # stays in the sample type: the fastest way


def by_opencv(a: Any, b: Any) -> tuple[str, Callable[[], int]]:
    import cv2

    cv2.setNumThreads(1)
    return f"opencv {cv2.__version__}", lambda: round(cv2.norm(a, b, cv2.NORM_L1))


@pytest.mark.parametrize("depth", [8, 10], ids=["8bit", "10bit"])
@pytest.mark.parametrize("size", SIZES)
def bench_sad(race: Any, size: str, depth: int) -> None:
    random = np.random.default_rng(7)
    a, b = (
        random.integers(0, 1 << depth, SIZES[size], np.uint8 if depth == 8 else np.uint16) for _ in range(2)
    )
    first, second = Plane(a, depth), Plane(b, depth)
    peers: dict[str, Callable[[], int]] = {
        f"numpy {np.__version__}": lambda: by_numpy(a, b),
        "our scalar": lambda: sad(first, second, target="scalar"),
    }
    if find_spec("cv2"):
        peers |= [by_opencv(a, b)]
    race(lambda: sad(first, second, target=targets()[-1]), peers, rounds=15, loops=5, unit="plane")
