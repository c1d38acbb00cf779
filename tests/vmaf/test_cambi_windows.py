"""CAMBI's window grows with the picture: large ones have a score, and what is too large says so."""

from __future__ import annotations

import numpy as np
import pytest

from cinemill_native import Plane
from vmaf import score_planes
from vmaf.features.cambi import Cambi, CambiOptions, window_of


def test_windows_of_large_pictures() -> None:
    assert window_of(65, (3840, 2160)) == 65
    assert window_of(65, (7680, 4320), halve=True) == 65
    assert window_of(65, (7680, 4320)) == 131
    with pytest.raises(
        ValueError, match="cambi of 15360x8640: wanted a window of up to 255 samples, got 261; choose"
    ):
        window_of(65, (15360, 8640))


def test_banding_of_a_panorama_is_that_of_its_parts() -> None:
    """Steps that repeat: of an eighth of it, looked at with the same window, only the ends differ."""
    levels = (70 + np.arange(1024) // 64).astype(np.uint16) << 2
    row = np.concatenate([levels, levels[::-1]])
    part, whole = (Plane(np.tile(row, (160, times)), 10) for times in (1, 6))
    cambi, window = Cambi(CambiOptions()), window_of(65, (whole.width, whole.height))
    assert window > 65
    found = cambi.measure([whole], [whole])["cambi"]
    assert found == pytest.approx(cambi.score(part, (part.width, part.height), window), rel=0.05)
    assert found > 1


def test_v1_of_a_panorama() -> None:
    random = np.random.default_rng(8)
    picture = [random.integers(60, 66, (176 >> half, 12288 >> half), np.uint8) for half in (0, 1, 1)]
    scores = score_planes([picture], [picture], model="vmaf_v1.0.16_3d0h").columns["vmaf"]
    assert np.isfinite(scores).all()
