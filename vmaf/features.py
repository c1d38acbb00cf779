"""The features of one frame, named as in libvmaf's logs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cinemill_native import adm, motion_sad, sse, vif
from cinemill_native.frames import Plane
from vmaf.regression import suffix

Planes = Sequence[Plane]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSet:
    """Which features to compute.

    Attributes:
        gains: limits of the enhancement gain of VIF and ADM, at most two; empty for neither.
        psnr: of every plane.
        aim: also the additive impairment (`integer_aim`, `integer_adm3`).
    """

    gains: tuple[float, ...] = (100.0,)
    psnr: bool = True
    aim: bool = False


def spatial(ref: Planes, dist: Planes, wanted: FeatureSet) -> dict[str, float]:
    """Features that need this frame only.

    Args:
        ref, dist: planes, luma first; same sizes and bit depth.
        wanted: which.

    Raises:
        ShapeMismatch: planes differ in size or bit depth.
        TooSmall: luma is smaller than 17x17.
    """
    found: dict[str, float] = {}
    if wanted.gains:
        found |= _adm(ref[0], dist[0], wanted)
        found |= _vif(ref[0], dist[0], wanted.gains)
    if wanted.psnr:
        for name, a, b in zip(("psnr_y", "psnr_cb", "psnr_cr"), ref, dist, strict=False):
            found[name] = psnr_of(a, b)
    return found


def motion(previous: Plane | None, current: Plane) -> float:
    """Libvmaf's `integer_motion`: mean absolute low-passed change since the frame before; 0 for the first."""
    if previous is None:
        return 0.0
    return min(motion_sad(previous, current) / 256.0 / (current.width * current.height), 10000.0)


def motion2(now: float, following: float | None, *, first: bool) -> float:
    """Libvmaf's `integer_motion2`: the smaller change of the two around a frame; of the last frame, the one before it."""
    if first:
        return 0.0
    return now if following is None else min(now, following)


def psnr_of(ref: Plane, dist: Plane) -> float:
    """PSNR in dB as libvmaf limits it: at most 6 * bit depth + 12."""
    mean = sse(ref, dist) / (ref.width * ref.height)
    return min(10.0 * math.log10(ref.peak * ref.peak / max(mean, 1e-16)), 6.0 * ref.bit_depth + 12.0)


def _vif(ref: Plane, dist: Plane, gains: tuple[float, ...]) -> dict[str, float]:
    scales = vif(ref, dist, gains)
    return {
        f"integer_vif_scale{scale}{suffix(gain)}": float(np.float32(terms[at][0]) / np.float32(terms[at][1]))
        for at, gain in enumerate(gains)
        for scale, (terms, _) in enumerate(scales)
    }


def _adm(ref: Plane, dist: Plane, wanted: FeatureSet) -> dict[str, float]:
    scales = adm(ref, dist, wanted.gains, aim=wanted.aim)
    least = 1e-10 * (ref.width * ref.height) / (1920.0 * 1080.0)
    found = {}
    for at, gain in enumerate(wanted.gains):
        terms = [scale_terms[at] for scale_terms, _ in scales]
        num, den, aim = (math.fsum(term[i] for term in terms) for i in range(3))
        num, den = num if num >= least else 0.0, den if den >= least else 0.0
        name = suffix(gain)
        found[f"integer_adm2{name}"] = num / den if den else 1.0
        if wanted.aim:
            share = aim / den if den else 0.0
            found[f"integer_aim{name}"] = share
            found[f"integer_adm3{name}"] = max(found[f"integer_adm2{name}"] * 0.5 + (1 - share) * 0.5, 0.0)
        found |= {f"integer_adm_scale{scale}{name}": term[0] / term[1] for scale, term in enumerate(terms)}
    return found
