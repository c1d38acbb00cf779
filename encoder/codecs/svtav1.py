"""AV1 by SVT-AV1, 8 and 10 bit."""

from __future__ import annotations

from decimal import Decimal

from encoder.codecs.base import STRUCTURE, Codec, joined
from encoder.settings import EncodeSettings

MAX_PARALLELISM = 6
REFUSED = (
    *("keyint", "irefresh-type", "scd", "lp", "crf", "qp"),
    *("rc", "tbr", "pass", "fps-num", "fps-denom"),
)


def _arguments(settings: EncodeSettings, gop: int) -> list[str]:
    """Key frames (not open-GOP intra frames) at a fixed distance; `lp` is SVT's level of parallelism."""
    fixed = {"scd": 0, "irefresh-type": 2, "lp": min(settings.threads, MAX_PARALLELISM)}
    return ["-g", str(gop), "-svtav1-params", joined(fixed, settings.params)]


CODEC = Codec(
    name="svtav1",
    encoder="libsvtav1",
    quality=(Decimal(1), Decimal(63)),
    step=Decimal(1),
    first_guesses=("28", "40"),
    presets=tuple(str(preset) for preset in range(14)),
    default_preset="8",
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    ten_bit=True,
    arguments=_arguments,
)
