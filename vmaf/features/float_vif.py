"""Visual information fidelity at four scales in single precision: libvmaf's `vif_scale0..3`, as its float models take it."""

from __future__ import annotations

from dataclasses import dataclass

from cinemill_native import float_vif
from vmaf.features.feature import Columns, Feature, Planes, suffix
from vmaf.features.vif import AT_ONCE, VifOptions


@dataclass(frozen=True, slots=True)
class FloatVif:
    """VIF in single precision.

    Attributes:
        variants: options, all measured in as few passes as possible.
    """

    variants: tuple[VifOptions, ...] = (VifOptions(),)

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 17x17."""
        found: Columns = {}
        for start in range(0, len(self.variants), AT_ONCE):
            variants = self.variants[start : start + AT_ONCE]
            scales = float_vif(ref[0], dist[0], [variant.vif_enhn_gain_limit for variant in variants])
            for at, variant in enumerate(variants):
                for scale, (nums, den) in enumerate(scales):
                    found[f"vif_scale{scale}{suffix(variant)}"] = nums[at] / den
        return found

    def joined(self, other: Feature) -> Feature | None:
        """With another's variants."""
        if not isinstance(other, FloatVif):
            return None
        return FloatVif(tuple(dict.fromkeys(self.variants + other.variants)))
