"""Static HDR metadata as encoders take it on their command lines."""

from __future__ import annotations

from fractions import Fraction

from archer.media import Hdr
from archer.media.hdr import Point

CHROMATICITY, LUMINANCE = 50_000, 10_000
"""Units per 1.0 and per cd/m2 of HEVC's mastering display message (H.265, D.3.28)."""


def hevc_mastering(hdr: Hdr) -> dict[str, str]:
    """`master-display` of x265: chromaticities in 0.00002, luminance in 0.0001 cd/m2; empty where not all is known."""
    found = hdr.mastering
    if found is None or not (found.green and found.blue and found.red and found.white):
        return {}
    points = {"G": found.green, "B": found.blue, "R": found.red, "WP": found.white}
    light = [_scaled(value or Fraction(0), LUMINANCE) for value in (found.max_luminance, found.min_luminance)]
    parts = [f"{name}({_units(point)})" for name, point in points.items()]
    return {"master-display": "".join([*parts, f"L({light[0]},{light[1]})"])}


def hevc_light(hdr: Hdr) -> dict[str, str]:
    """`max-cll` of x265, cd/m2; empty where it is not known."""
    return {"max-cll": f"{hdr.max_cll},{hdr.max_fall or 0}"} if hdr.max_cll else {}


def av1_mastering(hdr: Hdr) -> dict[str, str]:
    """`mastering-display` of SVT-AV1: plain numbers; empty where not all is known."""
    found = hdr.mastering
    if found is None or not (found.green and found.blue and found.red and found.white):
        return {}
    points = {"G": found.green, "B": found.blue, "R": found.red, "WP": found.white}
    parts = [f"{name}({float(x):.5f},{float(y):.5f})" for name, (x, y) in points.items()]
    light = [float(value or 0) for value in (found.max_luminance, found.min_luminance)]
    return {"mastering-display": "".join([*parts, f"L({light[0]:.4f},{light[1]:.4f})"])}


def av1_light(hdr: Hdr) -> dict[str, str]:
    """`content-light` of SVT-AV1, cd/m2; empty where it is not known."""
    return {"content-light": f"{hdr.max_cll},{hdr.max_fall or 0}"} if hdr.max_cll else {}


def _units(point: Point) -> str:
    return ",".join(str(_scaled(value, CHROMATICITY)) for value in point)


def _scaled(value: Fraction, units: int) -> int:
    return round(value * units)
