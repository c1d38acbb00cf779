"""Distortion of chroma: libvmaf's `speed_chroma_u`, `speed_chroma_v`, `speed_chroma_uv` (SpEED-QA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cinemill_native import speed
from vmaf.errors import MissingChroma
from vmaf.features.feature import Columns, Feature, Planes, chroma, option, suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedOptions:
    """Options as libvmaf names them.

    Attributes:
        speed_kernelscale: factor of the filters; 1 only.
        speed_max_val: highest value.
        speed_nn_floor: share of the neural noise below which nothing is seen.
        speed_prescale: chroma is resized by this first.
        speed_prescale_method: how; only bilinear is supported here, nearest only for a prescale of 1.
        speed_sigma_nn: deviation of neural noise.
        speed_weight_var_mode: how variances weigh entropies, 0 to 6.
    """

    speed_kernelscale: float = option("ks", 1.0)
    speed_max_val: float = option("mxv", 1000.0)
    speed_nn_floor: float = option("nnf", 0.0)
    speed_prescale: float = option("ps", 1.0)
    speed_prescale_method: str = option("psm", "nearest")
    speed_sigma_nn: float = option("snn", 0.29)
    speed_weight_var_mode: int = option("wvm", 0)

    def __post_init__(self) -> None:
        """Raises: ValueError: an option is not supported here."""
        if self.speed_kernelscale != 1.0:
            raise ValueError(f"speed_kernelscale: wanted 1, got {self.speed_kernelscale:g}")
        if self.resizes and self.speed_prescale_method != "bilinear":
            raise ValueError(f"speed_prescale_method: wanted bilinear, got {self.speed_prescale_method}")

    @property
    def resizes(self) -> bool:
        """Whether chroma is resized at all."""
        return abs(self.speed_prescale - 1.0) >= 1e-3


@dataclass(frozen=True, slots=True)
class Speed:
    """SpEED-QA of both chroma planes.

    Attributes:
        options: of all columns.
    """

    options: SpeedOptions = SpeedOptions()

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; chroma must be at least 80x80 after its resizing."""
        if len(ref) < 3 or len(dist) < 3:
            raise MissingChroma("speed_chroma (a part of VMAF v1)")
        (u, u_singular), (v, v_singular) = (self._plane(ref, dist, place) for place in (1, 2))
        both = float(np.float32((np.float32(u) + np.float32(v)) / 2.0))
        if u_singular != v_singular:  # one plane is flat: the other speaks for both
            both = v if u_singular else u
        columns = {"u": u, "v": v, "uv": both}
        name, most = suffix(self.options), self.options.speed_max_val
        return {f"speed_chroma_{plane}{name}": min(score, most) for plane, score in columns.items()}

    def joined(self, other: Feature) -> Feature | None:
        """Itself."""
        return self if self == other else None

    def _plane(self, ref: Planes, dist: Planes, place: int) -> tuple[float, bool]:
        options, sides = self.options, [chroma(side, place) for side in (ref, dist)]
        width, height = sides[0].width, sides[0].height
        if options.resizes:
            width, height = (int(side * options.speed_prescale + 0.5) for side in (width, height))
        return speed(
            *sides,
            width=width,
            height=height,
            noise=options.speed_sigma_nn,
            noise_floor=options.speed_nn_floor,
            weighting=options.speed_weight_var_mode,
        )
