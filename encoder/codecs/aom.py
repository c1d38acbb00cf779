"""AV1 by libaom, the reference encoder, 8 and 10 bit, with film grain tables."""

from __future__ import annotations

from decimal import Decimal

from archer.media import Hdr
from encoder.codecs.base import STRUCTURE, Codec
from encoder.codecs.options import FLAG, Kind, pairs, whole
from encoder.settings import EncodeSettings

REFUSED = (
    *("g", "keyint_min", "crf", "b", "minrate", "maxrate", "usage", "cpu-used", "threads", "pass"),
    *("drop-threshold", "error-resilience", "still-picture", "denoise-noise-level", "aom-params"),
)
OPTIONS: dict[str, Kind] = {
    "aq-mode": whole(0, 3),
    "arnr-max-frames": whole(0, 15),
    "arnr-strength": whole(0, 6),
    "auto-alt-ref": FLAG,
    "denoise-block-size": whole(8, 128),
    "enable-cdef": FLAG,
    "enable-global-motion": FLAG,
    "enable-intrabc": FLAG,
    "enable-palette": FLAG,
    "enable-restoration": FLAG,
    "lag-in-frames": whole(0, 48),
    "qmax": whole(0, 63),
    "qmin": whole(0, 63),
    "row-mt": FLAG,
    "tile-columns": whole(0, 6),
    "tile-rows": whole(0, 6),
}

HEADERS = frozenset({"enable-cdef", "enable-restoration"})
"""Found by coding with each option, at other values than usual."""


def _arguments(settings: EncodeSettings, gop: int, hdr: Hdr | None) -> list[str]:  # noqa: ARG001
    """Key frames at a fixed distance only, none of them forward ones, and the level of the sequence left open."""
    own = [word for name, value in pairs(settings.params) for word in (f"-{name}", value)]
    structure = ["-g", str(gop), "-keyint_min", str(gop), "-b:v", "0", "-usage", "good"]
    grain = ["-denoise-noise-level", str(settings.grain)] if settings.grain else []
    return ["-threads", str(settings.threads), *structure, *grain, *own]


CODEC = Codec(
    name="aom",
    encoder="libaom-av1",
    quality=(Decimal(0), Decimal(63)),
    step=Decimal(1),
    first_guesses=("25", "36"),
    presets=tuple(str(preset) for preset in range(9)),
    default_preset="5",
    preset_flag="-cpu-used",
    options=OPTIONS,
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    headers=HEADERS,
    formats=("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    sizes=(16, 16384),
    ten_bit=True,
    hdr=True,
    grain=True,
    arguments=_arguments,
)
