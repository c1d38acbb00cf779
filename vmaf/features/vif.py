"""Visual information fidelity at four scales: libvmaf's `integer_vif_scale0..3`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cinemill_native import vif
from vmaf.features.feature import Columns, Feature, Planes, option, suffix

AT_ONCE = 2
"""Limits of the gain that one pass of the kernel takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VifOptions:
    """Attributes: vif_enhn_gain_limit: limit of the enhancement gain, 1 (NEG) to 100."""

    vif_enhn_gain_limit: float = option("egl", 100.0)


@dataclass(frozen=True, slots=True)
class Vif:
    """Integer VIF.

    Attributes:
        variants: options, all measured in as few passes as possible.
    """

    variants: tuple[VifOptions, ...] = (VifOptions(),)

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 17x17."""
        found: Columns = {}
        for start in range(0, len(self.variants), AT_ONCE):
            variants = self.variants[start : start + AT_ONCE]
            scales = vif(ref[0], dist[0], [variant.vif_enhn_gain_limit for variant in variants])
            for at, variant in enumerate(variants):
                for scale, (terms, _) in enumerate(scales):
                    quotient = np.float32(terms[at][0]) / np.float32(terms[at][1])
                    found[f"integer_vif_scale{scale}{suffix(variant)}"] = float(quotient)
        return found

    def joined(self, other: Feature) -> Feature | None:
        """With another's variants."""
        return Vif(tuple(dict.fromkeys(self.variants + other.variants))) if isinstance(other, Vif) else None
