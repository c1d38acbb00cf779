"""Histogram of luma, alone and fused with the sum of absolute differences, as the shot detector asks for it.

The picture is a decoded frame: how fast a histogram is depends on how equal neighbours are.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from archer.media import FrameRange, frames
from cinemill_native import Plane, histogram_sad, luma_histogram, sad, targets

Run = Callable[[], Any]


def two_frames(clip: Path) -> tuple[Plane, Plane]:
    pictures = [frame.luma for frame in frames(str(clip), FrameRange(38, 40))]
    return pictures[1], pictures[0]


def opencv_histogram(samples: Any) -> tuple[str, Run]:
    import cv2

    cv2.setNumThreads(1)
    name = f"opencv {cv2.__version__}"
    return name, lambda: cv2.calcHist([samples], [0], None, [256], [0, 256]).ravel().astype(int).tolist()


def bench_histogram(race: Any, clip: Path) -> None:
    plane, _ = two_frames(clip)
    samples = plane.samples
    peers: dict[str, Run] = {
        f"numpy {np.__version__}": lambda: np.bincount(samples.ravel(), minlength=256).tolist(),
        "our scalar": lambda: luma_histogram(plane, target="scalar").tolist(),
    }
    if find_spec("cv2"):
        peers |= [opencv_histogram(samples)]
    race(
        lambda: luma_histogram(plane, target=targets()[-1]).tolist(), peers, rounds=15, loops=5, unit="plane"
    )


def bench_histogram_sad(race: Any, clip: Path) -> None:
    plane, before = two_frames(clip)
    a, b = plane.samples, before.samples

    def fused() -> tuple[list[int], int]:
        counts, change = histogram_sad(plane, before, target=targets()[-1])
        return counts.tolist(), change

    def by_numpy() -> tuple[list[int], int]:
        change = (np.maximum(a, b) - np.minimum(a, b)).sum(dtype=np.uint64)
        return np.bincount(a.ravel(), minlength=256).tolist(), int(change)

    def apart() -> tuple[list[int], int]:
        return luma_histogram(plane).tolist(), sad(plane, before)

    peers: dict[str, Run] = {
        f"numpy {np.__version__}": by_numpy,
        "our two kernels, one after the other": apart,
    }
    if find_spec("cv2"):
        name, histogram = opencv_histogram(a)
        peers[name] = lambda: (histogram(), opencv_sad(a, b))
    race(fused, peers, rounds=15, loops=5, unit="plane")


def opencv_sad(a: Any, b: Any) -> int:
    import cv2

    return int(cv2.norm(a, b, cv2.NORM_L1))
