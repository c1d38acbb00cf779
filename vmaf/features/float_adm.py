"""Detail loss and additive impairment in single precision: libvmaf's `adm2`, `aim`, `adm3`, `adm_scale0..3`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cinemill_native import float_adm
from vmaf.features.feature import Columns, Feature, Planes, option, suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatAdmOptions:
    """Options as libvmaf names them, without those that no model of its uses.

    Attributes:
        adm_dlm_weight: share of `adm2` in `adm3`; the rest is 1 - `aim`.
        adm_enhn_gain_limit: limit of the enhancement gain, 1 (NEG) to 100.
        adm_min_val: least `adm3`.
        adm_noise_weight: of the noise that is added to every band.
        adm_norm_view_dist: distance of the viewer in heights of the display.
        adm_ref_display_height: of the display, lines.
    """

    adm_dlm_weight: float = option("dlmw", 0.5)
    adm_enhn_gain_limit: float = option("egl", 100.0)
    adm_min_val: float = option("min", 0.0)
    adm_noise_weight: float = option("nw", 0.03125)
    adm_norm_view_dist: float = option("nvd", 3.0)
    adm_ref_display_height: int = option("rdf", 1080)


@dataclass(frozen=True, slots=True)
class FloatAdm:
    """ADM in single precision.

    Attributes:
        variants: options; a pass for each.
        aim: also the additive impairment (`aim`, `adm3`).
    """

    variants: tuple[FloatAdmOptions, ...] = (FloatAdmOptions(),)
    aim: bool = False

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 17x17."""
        least = 1e-10 * (ref[0].width * ref[0].height) / (1920.0 * 1080.0)
        found: Columns = {}
        for variant in self.variants:
            terms = float_adm(
                ref[0],
                dist[0],
                variant.adm_enhn_gain_limit,
                aim=self.aim,
                view_distance=variant.adm_norm_view_dist,
                display_height=variant.adm_ref_display_height,
                noise_weight=variant.adm_noise_weight,
            )
            found |= self._columns(variant, terms, least)
        return found

    def joined(self, other: Feature) -> Feature | None:
        """With another's variants."""
        if not isinstance(other, FloatAdm):
            return None
        return FloatAdm(tuple(dict.fromkeys(self.variants + other.variants)), self.aim or other.aim)

    def _columns(
        self, options: FloatAdmOptions, terms: list[tuple[float, float, float]], least: float
    ) -> Columns:
        num, whole, impairment = (math.fsum(term[i] for term in terms) for i in range(3))
        num, den = num if num >= least else 0.0, whole if whole >= least else 0.0
        name, kept = suffix(options), num / den if den else 1.0
        found = {f"adm2{name}": kept}
        if self.aim:
            share, weight = min(impairment / whole, 1.0) if den else 0.0, options.adm_dlm_weight
            found[f"aim{name}"] = share
            found[f"adm3{name}"] = max(kept * weight + (1 - share) * (1 - weight), options.adm_min_val)
        scales = {
            f"adm_scale{scale}{name}": num / den if den else 1.0 for scale, (num, den, _) in enumerate(terms)
        }
        return found | scales
