"""PSNR of every plane: libvmaf's `psnr_y`, `psnr_cb`, `psnr_cr`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cinemill_native import sse
from cinemill_native.frames import Plane
from vmaf.features.feature import Columns, Feature, Planes, chroma

NAMES = ("psnr_y", "psnr_cb", "psnr_cr")


@dataclass(frozen=True, slots=True)
class Psnr:
    """Peak signal to noise of each plane, in dB."""

    def measure(self, ref: Planes, dist: Planes) -> Columns:
        """See `Feature.measure`; planes that are not there have no column."""
        found = {NAMES[0]: psnr_of(ref[0], dist[0])}
        for place in range(1, min(len(ref), len(dist), len(NAMES))):
            found[NAMES[place]] = psnr_of(chroma(ref, place), chroma(dist, place))
        return found

    def joined(self, other: Feature) -> Feature | None:
        """Itself."""
        return self if isinstance(other, Psnr) else None


def psnr_of(ref: Plane, dist: Plane) -> float:
    """PSNR in dB as libvmaf limits it: at most 6 * bit depth + 12."""
    mean = sse(ref, dist) / (ref.width * ref.height)
    return min(10.0 * math.log10(ref.peak * ref.peak / max(mean, 1e-16)), 6.0 * ref.bit_depth + 12.0)
