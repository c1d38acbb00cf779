"""The kernels of VMAF's features give the same integers at every target, over their whole range of input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from cinemill_native import (
    Plane,
    ShapeMismatch,
    TooSmall,
    adm,
    float_adm,
    float_motion,
    float_vif,
    motion_sad,
    ssim,
    vif,
)
from cinemill_native.frames import Samples

GAINS = (100.0, 1.0)
KERNELS: dict[str, Callable[..., Any]] = {
    "motion": motion_sad,
    "vif": lambda ref, dist, target=None: vif(ref, dist, GAINS, target=target),
    "adm": lambda ref, dist, target=None: adm(ref, dist, GAINS, aim=True, target=target),
    "adm_of_v1": lambda ref, dist, target=None: (
        adm(ref, dist, (1.0,), csf_mode=2, noise_weight=0.02, target=target),
        adm(ref, dist, (1.0,), aim=True, view_distance=4.5, target=target),
    ),
    "ssim": lambda ref, dist, target=None: ssim(ref, dist, target=target),
    "float_vif": lambda ref, dist, target=None: float_vif(ref, dist, GAINS, target=target),
    "float_adm": lambda ref, dist, target=None: (
        float_adm(ref, dist, aim=True, target=target),
        float_adm(ref, dist, 1.0, view_distance=4.5, display_height=2160, target=target),
    ),
    "float_motion": float_motion,
    "fractional_gain": lambda ref, dist, target=None: (
        vif(ref, dist, (1.2,), target=target),
        adm(ref, dist, (1.2,), target=target),
    ),
}
SIZES = [(width, 18) for width in range(17, 84)] + [(37, height) for height in range(17, 52)] + [(530, 40)]


def pattern(name: str, size: tuple[int, int], bit_depth: int, random: np.random.Generator) -> Samples:
    """Samples in [0, 2^bit_depth - 1]."""
    width, height = size
    peak = (1 << bit_depth) - 1
    y, x = np.indices((height, width))
    made = {
        "zeros": lambda: x * 0,
        "peaks": lambda: x * 0 + peak,
        "checkerboard": lambda: (x + y) % 2 * peak,
        "columns": lambda: x // 2 % 2 * peak,
        "stripes": lambda: y // 3 % 2 * peak,
        "noise": lambda: random.integers(0, peak + 1, (height, width)),
        "extremes": lambda: random.integers(0, 2, (height, width)) * peak,
        "ramp": lambda: (x * 5 + y * 3) * peak // 1000 % (peak + 1),
        "nearly_flat": lambda: peak // 2 + random.integers(0, 2, (height, width)),
    }[name]()
    return made.astype(np.uint8 if bit_depth == 8 else np.uint16)


NAMES = ("zeros", "peaks", "checkerboard", "columns", "stripes", "noise", "extremes", "ramp", "nearly_flat")


def framed(samples: Samples, bit_depth: int) -> Plane:
    """A plane in the middle of other samples, rows at odd addresses."""
    block = np.full((samples.shape[0] + 2, samples.shape[1] + 13), 7, samples.dtype)
    inner = block[1:-1, 5 : 5 + samples.shape[1]]
    inner[...] = samples
    return Plane(inner, bit_depth)


def pairs(bit_depth: int) -> Iterator[tuple[Plane, Plane]]:
    random = np.random.default_rng(31)
    for index, size in enumerate(SIZES):
        first, second = NAMES[index % len(NAMES)], NAMES[index // len(NAMES) % len(NAMES)]
        ref = pattern(first, size, bit_depth, random)
        yield framed(ref, bit_depth), framed(pattern(second, size, bit_depth, random), bit_depth)
        noisy = np.clip(ref.astype(np.int64) + random.integers(-9, 10, ref.shape), 0, (1 << bit_depth) - 1)
        yield framed(ref, bit_depth), framed(noisy.astype(ref.dtype), bit_depth)


@pytest.mark.parametrize("kernel", KERNELS)
def test_targets_agree_at_every_width_height_and_pattern(kernel: str, bit_depth: int, target: str) -> None:
    if target == "scalar":
        pytest.skip("scalar is the definition")
    run = KERNELS[kernel]
    for ref, dist in pairs(bit_depth):
        assert run(ref, dist, target=target) == run(ref, dist, target="scalar"), (ref, dist)


@pytest.mark.parametrize("kernel", KERNELS)
def test_all_pairs_of_extreme_patterns_agree(kernel: str, target: str) -> None:
    random = np.random.default_rng(5)
    for first in NAMES:
        for second in NAMES:
            for bit_depth in (8, 10, 15, 16):
                ref, dist = (
                    Plane(pattern(n, (70, 52), bit_depth, random), bit_depth) for n in (first, second)
                )
                assert KERNELS[kernel](ref, dist, target=target) == KERNELS[kernel](
                    ref, dist, target="scalar"
                )


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_surrounds_a_plane_does_not_count(kernel: str, target: str) -> None:
    random = np.random.default_rng(8)
    ref, dist = (framed(pattern("noise", (45, 33), 8, random), 8) for _ in range(2))
    before = KERNELS[kernel](ref, dist, target=target)
    for plane in (ref, dist):
        inside, block = plane.samples.copy(), plane.samples.base
        assert block is not None
        block[...] = 255 - block
        plane.samples[...] = inside
    assert KERNELS[kernel](ref, dist, target=target) == before


def test_equal_planes_keep_everything(target: str) -> None:
    plane = Plane(pattern("noise", (80, 60), 8, np.random.default_rng(1)))
    assert all(
        terms[0][0] == pytest.approx(terms[0][1], rel=1e-3) for terms, _ in vif(plane, plane, target=target)
    )
    assert motion_sad(plane, plane, target=target) == 0
    flat = Plane(pattern("zeros", (80, 60), 8, np.random.default_rng(1)))
    assert all(num == den for ((num, den),), _ in vif(flat, flat, target=target))


def test_two_gains_in_one_pass_are_two_passes(target: str) -> None:
    random = np.random.default_rng(2)
    ref = pattern("ramp", (99, 64), 8, random)
    dist = np.clip((ref.astype(int) - 128) * 2 + 128, 0, 255).astype(np.uint8)  # enhanced: the limit matters
    both = (
        vif(Plane(ref), Plane(dist), GAINS, target=target),
        adm(Plane(ref), Plane(dist), GAINS, target=target),
    )
    for at, gain in enumerate(GAINS):
        single = (
            vif(Plane(ref), Plane(dist), (gain,), target=target),
            adm(Plane(ref), Plane(dist), (gain,), target=target),
        )
        assert [[s[0][0] for s in feature] for feature in single] == [
            [s[0][at] for s in feature] for feature in both
        ]
    assert any(terms[0] != terms[1] for terms, _ in both[0])


def test_arguments_are_checked() -> None:
    small, plane = Plane(np.zeros((16, 40), np.uint8)), Plane(np.zeros((17, 40), np.uint8))
    for kernel in (vif, adm):
        with pytest.raises(TooSmall, match="at least 17 samples, got 40x16"):
            kernel(small, small)
        with pytest.raises(ValueError, match="1 to 2 limits from 1 to 100"):
            kernel(plane, plane, (0.5,))
        with pytest.raises(ShapeMismatch):
            kernel(plane, small)
    for display in ({"csf_mode": 1}, {"csf_mode": 2, "view_distance": 4.0}, {"view_distance": 2.9}):
        with pytest.raises(ValueError, match="wanted"):
            adm(plane, plane, **display)
    with pytest.raises(TooSmall, match="at least 3"):
        motion_sad(Plane(np.zeros((2, 9), np.uint8)), Plane(np.zeros((2, 9), np.uint8)))


@pytest.mark.parametrize("scales", [1, 5])
def test_ssim_of_larger_planes_agrees(scales: int, bit_depth: int, target: str) -> None:
    if target == "scalar":
        pytest.skip("scalar is the definition")
    random = np.random.default_rng(7)
    for size in (
        ((176, 177), (181, 176), (193, 180)) if scales == 5 else ((400, 385), (654, 643), (1030, 901))
    ):
        chosen = (("noise", "ramp"), ("ramp", "nearly_flat"), ("extremes", "checkerboard"))
        for first, second in chosen[: 1 if size[0] > 500 else None]:
            planes = [framed(pattern(name, size, bit_depth, random), bit_depth) for name in (first, second)]
            assert ssim(*planes, scales, target=target) == ssim(*planes, scales, target="scalar")
    assert ssim(planes[0], planes[0], scales, target=target)[0][0] == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="wanted 1 or 5"):
        ssim(*planes, 3)
