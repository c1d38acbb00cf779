"""Detail loss and additive impairment: libvmaf's `integer_adm2`, `integer_aim`, `integer_adm3`, `integer_adm_scale0..3`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

from cinemill_native import adm
from vmaf.features.feature import Columns, Feature, Planes, option, suffix

AT_ONCE = 2
"""Limits of the gain that one pass of the kernel takes."""
Term = tuple[float, float, float]
"""Numerator, denominator, numerator of AIM; of one scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmOptions:
    """Options as libvmaf names them.

    Attributes:
        adm_csf_mode: contrast sensitivity: 0 Watson 1997, 2 Barten and Watson blended (the v1 models).
        adm_dlm_weight: share of `adm2` in `adm3`; the rest is 1 - `aim`.
        adm_enhn_gain_limit: limit of the enhancement gain, 1 (NEG) to 100.
        adm_min_val: least `adm3`.
        adm_noise_weight: of the noise that is added to every band.
        adm_norm_view_dist: distance of the viewer in heights of the display.
        adm_ref_display_height: of the display, lines.
    """

    adm_csf_mode: int = option("csf", 0)
    adm_dlm_weight: float = option("dlmw", 0.5)
    adm_enhn_gain_limit: float = option("egl", 100.0)
    adm_min_val: float = option("min", 0.0)
    adm_noise_weight: float = option("nw", 0.03125)
    adm_norm_view_dist: float = option("nvd", 3.0)
    adm_ref_display_height: int = option("rdh", 1080)

    @property
    def viewing(self) -> tuple[int, float, int, float]:
        """What variants of one pass must have in common."""
        return self.adm_csf_mode, self.adm_norm_view_dist, self.adm_ref_display_height, self.adm_noise_weight


@dataclass(frozen=True, slots=True)
class Adm:
    """Integer ADM.

    Attributes:
        variants: options, all measured in as few passes as possible.
        aim: also the additive impairment (`integer_aim`, `integer_adm3`).
    """

    variants: tuple[AdmOptions, ...] = (AdmOptions(),)
    aim: bool = False

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; luma must be at least 17x17."""
        found: Columns = {}
        for viewing, group in groupby(
            sorted(self.variants, key=lambda one: one.viewing), key=lambda one: one.viewing
        ):
            alike = list(group)
            for start in range(0, len(alike), AT_ONCE):
                found |= self._pass(ref, dist, viewing, alike[start : start + AT_ONCE])
        return found

    def joined(self, other: Feature) -> Feature | None:
        """With another's variants."""
        if not isinstance(other, Adm):
            return None
        return Adm(tuple(dict.fromkeys(self.variants + other.variants)), self.aim or other.aim)

    def _pass(
        self, ref: Planes, dist: Planes, viewing: tuple[int, float, int, float], variants: list[AdmOptions]
    ) -> Columns:
        mode, distance, height, noise = viewing
        scales = adm(
            ref[0],
            dist[0],
            tuple(dict.fromkeys(variant.adm_enhn_gain_limit for variant in variants)),
            aim=self.aim,
            csf_mode=mode,
            view_distance=distance,
            display_height=height,
            noise_weight=noise,
        )
        gains = list(dict.fromkeys(variant.adm_enhn_gain_limit for variant in variants))
        least = 1e-10 * (ref[0].width * ref[0].height) / (1920.0 * 1080.0)
        found: Columns = {}
        for variant in variants:
            at = gains.index(variant.adm_enhn_gain_limit)
            found |= self._columns(variant, [terms[at] for terms, _ in scales], least)
        return found

    def _columns(self, options: AdmOptions, terms: list[Term], least: float) -> Columns:
        num, den, impairment = (math.fsum(term[i] for term in terms) for i in range(3))
        num, den = num if num >= least else 0.0, den if den >= least else 0.0
        name, kept = suffix(options), num / den if den else 1.0
        found = {f"integer_adm2{name}": kept}
        if self.aim:
            share, weight = impairment / den if den else 0.0, options.adm_dlm_weight
            found[f"integer_aim{name}"] = share
            found[f"integer_adm3{name}"] = max(
                kept * weight + (1 - share) * (1 - weight), options.adm_min_val
            )
        return found | {
            f"integer_adm_scale{scale}{name}": term[0] / term[1] for scale, term in enumerate(terms)
        }
