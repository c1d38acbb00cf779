"""Peak signal-to-noise ratio, from the exact sum of squared error."""

from __future__ import annotations

import math

from cinemill_native._kernels import sse
from cinemill_native.frames import Plane


def psnr(ref: Plane, dist: Plane) -> float:
    """Peak signal-to-noise ratio of two planes in dB.

    Args:
        ref: the reference; its bit depth gives the peak, 2 ** bit_depth - 1.
        dist: what is judged; same size and bit depth.

    Returns:
        10 log10(peak^2 / mean squared error); infinity for equal planes (callers that need a finite number,
        such as libvmaf's log, cap it themselves and say so).

    Raises:
        ShapeMismatch: the planes differ in size or bit depth.
        NotAPlane: an argument is no plane.
    """
    error = sse(ref, dist)
    if error == 0:
        return math.inf
    samples = ref.width * ref.height
    return 10 * math.log10(ref.peak * ref.peak * samples / error)
