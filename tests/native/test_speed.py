"""SpEED-QA of chroma: every target gives the same number, whatever the size; equal planes differ by nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cinemill_native import Plane, ShapeMismatch, TooSmall, speed

V1 = {"noise": 0.19, "noise_floor": 0.1, "weighting": 5}


def texture(size: tuple[int, int], bit_depth: int, random: np.random.Generator) -> Plane:
    """Blurred noise with much contrast at the scale that is measured, rows at odd addresses."""
    width, height = size
    coarse = random.normal(0, 40, (-(-height // 9) + 1, -(-width // 9) + 1))
    fine = coarse.repeat(9, 0).repeat(9, 1)[:height, :width] + random.normal(0, 3, (height, width))
    peak = (1 << bit_depth) - 1
    samples = np.clip((fine / 255 + 0.5) * peak, 0, peak)
    block = np.zeros((height, width + 13), np.uint8 if bit_depth == 8 else np.uint16)
    block[:, 5 : 5 + width] = samples
    return Plane(block[:, 5 : 5 + width], bit_depth)


def run(ref: Plane, dist: Plane, **options: Any) -> tuple[float, bool]:
    return speed(ref, dist, **({"width": ref.width, "height": ref.height} | V1 | options))


def test_targets_agree(bit_depth: int, target: str) -> None:
    if target == "scalar":
        pytest.skip("scalar is the definition")
    random = np.random.default_rng(2)
    for width, height in [(160 + step, 90) for step in range(0, 34, 3)] + [
        (97, 80 + step) for step in range(0, 34, 7)
    ]:
        ref, dist = texture((width, height), bit_depth, random), texture((width, height), bit_depth, random)
        for options in ({}, {"weighting": width % 7}, {"width": width * 6 // 5, "height": height + 1}):
            assert run(ref, dist, **options, target=target) == run(ref, dist, **options, target="scalar")


def test_equal_planes_differ_by_nothing(target: str) -> None:
    random = np.random.default_rng(3)
    ref, other = texture((400, 240), 8, random), texture((400, 240), 8, random)
    assert run(ref, ref, target=target) == (pytest.approx(0, abs=1e-4), False)
    score, singular = run(ref, other, target=target)
    assert score > 1
    assert not singular


def test_flat_planes_are_singular(target: str) -> None:
    flat, textured = (
        Plane(np.full((100, 200), 128, np.uint8)),
        texture((200, 100), 8, np.random.default_rng(4)),
    )
    assert run(flat, flat, target=target) == (0.0, True)
    assert run(flat, textured, target=target) == (0.0, True)


def test_arguments_are_checked() -> None:
    plane = Plane(np.zeros((90, 90), np.uint8))
    with pytest.raises(TooSmall, match="at least 80 samples, got 79x90"):
        run(plane, plane, width=79)
    with pytest.raises(ShapeMismatch):
        run(plane, Plane(np.zeros((90, 91), np.uint8)))
    for wrong in ({"weighting": 7}, {"noise": 0.0}):
        with pytest.raises(ValueError, match="wanted"):
            run(plane, plane, **wrong)
