"""PSNR is the textbook formula on the exact sum of squared error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, psnr


@pytest.mark.parametrize("depth", [8, 10, 12, 16])
def test_equals_scikit_image(depth: int) -> None:
    from skimage.metrics import peak_signal_noise_ratio  # seconds of work, for one worker instead of all

    random = np.random.default_rng(1)
    peak = (1 << depth) - 1
    dtype = np.uint8 if depth == 8 else np.uint16
    ref, dist = (random.integers(0, peak + 1, (48, 70), dtype) for _ in range(2))
    wanted = peak_signal_noise_ratio(ref, dist, data_range=peak)  # type: ignore[no-untyped-call]
    assert psnr(Plane(ref, depth), Plane(dist, depth)) == pytest.approx(wanted, rel=1e-12)


def test_equal_planes_are_infinite(planes: Any) -> None:
    plane = planes.make((16, 16), 8)
    assert psnr(plane, plane) == math.inf


def test_one_step_in_one_sample_of_8_bits() -> None:
    ref = np.zeros((10, 10), np.uint8)
    dist = ref.copy()
    dist[3, 4] = 1
    assert psnr(Plane(ref), Plane(dist)) == pytest.approx(10 * math.log10(255**2 * 100))
