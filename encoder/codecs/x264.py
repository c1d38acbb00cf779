"""H.264 by libx264, 8 bit."""

from __future__ import annotations

from decimal import Decimal

from encoder.codecs.base import STRUCTURE, Codec, joined
from encoder.settings import EncodeSettings

REFUSED = (
    *("keyint", "min-keyint", "scenecut", "open-gop", "intra-refresh", "threads"),
    *("crf", "qp", "bitrate", "pass", "fps", "force-cfr"),
)


def _arguments(settings: EncodeSettings, gop: int) -> list[str]:
    """Closed GOPs of a fixed length, the same in every rung; nothing that depends on the length of the chunk."""
    fixed = {"keyint": gop, "min-keyint": gop, "scenecut": 0, "open-gop": 0, "stitchable": 1}
    return [
        "-threads",
        str(settings.threads),
        "-profile:v",
        "high",
        "-x264-params",
        joined(fixed, settings.params),
    ]


CODEC = Codec(
    name="x264",
    encoder="libx264",
    quality=(Decimal(0), Decimal(51)),
    step=Decimal("0.1"),
    first_guesses=("21", "27"),
    presets=(
        "placebo", "veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast", "superfast", "ultrafast",
    ),
    default_preset="medium",
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    ten_bit=False,
    arguments=_arguments,
)  # fmt: skip
