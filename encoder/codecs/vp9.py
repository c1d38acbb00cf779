"""VP9 by libvpx, 8 and 10 bit, one pass of constant quality."""

from __future__ import annotations

from decimal import Decimal

from archer.media import Hdr
from encoder.codecs.base import STRUCTURE, Codec
from encoder.codecs.options import FLAG, Kind, pairs, whole
from encoder.settings import EncodeSettings

REFUSED = (
    *(
        "g",
        "keyint_min",
        "crf",
        "b",
        "minrate",
        "maxrate",
        "deadline",
        "quality",
        "cpu-used",
        "speed",
        "threads",
    ),
    *("pass", "drop-threshold", "lossless", "error-resilient", "ts-parameters", "level"),
)
OPTIONS: dict[str, Kind] = {
    "aq-mode": whole(0, 4),
    "arnr-maxframes": whole(0, 15),
    "arnr-strength": whole(0, 6),
    "auto-alt-ref": whole(0, 6),
    "enable-tpl": FLAG,
    "frame-parallel": FLAG,
    "lag-in-frames": whole(0, 25),
    "max-intra-rate": whole(0, 10_000),
    "min-gf-interval": whole(0, 250),
    "noise-sensitivity": whole(0, 4),
    "qmax": whole(0, 63),
    "qmin": whole(0, 63),
    "row-mt": FLAG,
    "static-thresh": whole(0, 1_000_000),
    "tile-columns": whole(0, 6),
    "tile-rows": whole(0, 2),
    "tune-content": whole(0, 2),
}


def _arguments(settings: EncodeSettings, gop: int, hdr: Hdr | None) -> list[str]:  # noqa: ARG001
    """Key frames at a fixed distance only: libvpx places none of its own where least and greatest distance are equal."""
    own = [word for name, value in pairs(settings.params) for word in (f"-{name}", value)]
    structure = ["-g", str(gop), "-keyint_min", str(gop), "-b:v", "0", "-deadline", "good"]
    return ["-threads", str(settings.threads), *structure, *own]


CODEC = Codec(
    name="vp9",
    encoder="libvpx-vp9",
    quality=(Decimal(0), Decimal(63)),
    step=Decimal(1),
    first_guesses=("28", "38"),
    presets=tuple(str(preset) for preset in range(6)),
    default_preset="2",
    preset_flag="-cpu-used",
    options=OPTIONS,
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    formats=("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    sizes=(2, 16384),
    ten_bit=True,
    hdr=True,
    arguments=_arguments,
)
