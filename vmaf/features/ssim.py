"""Structural similarity: libvmaf's `float_ssim` and `float_ms_ssim`."""

from __future__ import annotations

from dataclasses import dataclass

from cinemill_native import ssim
from vmaf.features.feature import Columns, Feature, Planes

LUMINANCE_POWERS = (0.0, 0.0, 0.0, 0.0, 0.1333)
POWERS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of luminance, and of contrast and structure, at the five scales. Source: Wang et al. 2003."""


@dataclass(frozen=True, slots=True)
class Ssim:
    """Similarity of luma, after averaging it down to about 256 lines."""

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 11x11."""
        ((similarity, luminance, contrast, structure),) = ssim(ref[0], dist[0])
        parts = {"l": luminance, "c": contrast, "s": structure}
        return {"float_ssim": similarity} | {f"float_ssim_{part}": value for part, value in parts.items()}

    def joined(self, other: Feature) -> Feature | None:
        """Itself."""
        return self if self == other else None


@dataclass(frozen=True, slots=True)
class MsSsim:
    """Similarity of luma at five scales."""

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 176x176."""
        found: Columns = {}
        score = 1.0
        for scale, (_, luminance, contrast, structure) in enumerate(ssim(ref[0], dist[0], 5)):
            score *= _power(luminance, LUMINANCE_POWERS[scale]) * _power(contrast, POWERS[scale])
            score *= _power(structure, POWERS[scale])
            parts = {"l": luminance, "c": contrast, "s": structure}
            found |= {f"float_ms_ssim_{part}_scale{scale}": value for part, value in parts.items()}
        return {"float_ms_ssim": score} | found

    def joined(self, other: Feature) -> Feature | None:
        """Itself."""
        return self if self == other else None


def _power(value: float, power: float) -> float:
    """NaN where the mean structure is negative, as C's pow gives: such pictures have nothing in common."""
    return float(value**power) if value >= 0 or power == 0 else float("nan")
