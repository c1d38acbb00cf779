"""AV1 by SVT-AV1, 8 and 10 bit, with HDR metadata and film grain tables."""

from __future__ import annotations

from decimal import Decimal

from archer.media import Hdr
from encoder.codecs.base import STRUCTURE, Codec, joined
from encoder.codecs.mastering import av1_light, av1_mastering
from encoder.codecs.options import FLAG, Kind, real, whole
from encoder.settings import EncodeSettings

MAX_PARALLELISM = 6
REFUSED = (
    *("keyint", "irefresh-type", "scd", "lp", "crf", "qp", "pred-struct", "enable-force-key-frames"),
    *("rc", "tbr", "pass", "fps-num", "fps-denom", "film-grain", "film-grain-denoise", "pin", "resize-mode"),
    *("superres-mode", "enable-dg", "lossless", "avif"),
)
OPTIONS: dict[str, Kind] = {
    "ac-bias": real(0, 8),
    "aq-mode": whole(0, 2),
    "enable-cdef": FLAG,
    "enable-dlf": whole(0, 2),
    "enable-overlays": FLAG,
    "enable-qm": FLAG,
    "enable-restoration": FLAG,
    "enable-tf": whole(0, 2),
    "enable-variance-boost": FLAG,
    "fast-decode": whole(0, 2),
    "hierarchical-levels": whole(2, 5),
    "lookahead": whole(-1, 120),
    "max-qp": whole(1, 63),
    "mbr": whole(0, 100_000),
    "min-qp": whole(1, 63),
    "qm-max": whole(0, 15),
    "qm-min": whole(0, 15),
    "qp-scale-compress-strength": real(0, 8),
    "scm": whole(0, 3),
    "sharpness": whole(-7, 7),
    "tf-strength": whole(0, 4),
    "tile-columns": whole(0, 4),
    "tile-rows": whole(0, 6),
    "tune": whole(0, 4),
    "variance-boost-curve": whole(0, 3),
    "variance-boost-strength": whole(1, 4),
    "variance-octile": whole(1, 8),
}

HEADERS = frozenset({"hierarchical-levels"})
"""Found by coding with each option, at other values than usual."""


def _arguments(settings: EncodeSettings, gop: int, hdr: Hdr | None) -> list[str]:
    """Key frames (not open-GOP intra frames) at a fixed distance; `lp` is SVT's level of parallelism."""
    fixed: dict[str, object] = {"scd": 0, "irefresh-type": 2, "lp": min(settings.threads, MAX_PARALLELISM)}
    if settings.peak_kbps:  # its capped CRF knows a rate, and no buffer
        fixed |= {"mbr": settings.peak_kbps}
    if settings.grain:
        fixed |= {"film-grain": settings.grain, "film-grain-denoise": 1}
    if hdr is not None:
        fixed |= av1_mastering(hdr) | av1_light(hdr)
    return ["-g", str(gop), "-svtav1-params", joined(fixed, settings.params)]


CODEC = Codec(
    name="svtav1",
    encoder="libsvtav1",
    quality=(Decimal(1), Decimal(63)),
    step=Decimal(1),
    first_guesses=("28", "40"),
    presets=tuple(str(preset) for preset in range(14)),
    default_preset="8",
    options=OPTIONS,
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    headers=HEADERS,
    formats=("yuv420p", "yuv420p10le"),
    sizes=(16, 16384),
    ten_bit=True,
    hdr=True,
    grain=True,
    arguments=_arguments,
)
