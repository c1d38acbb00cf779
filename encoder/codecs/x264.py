"""H.264 by libx264, 8 bit; 10 bit and other chroma on request."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from archer.media import Hdr
from encoder.codecs.base import STRUCTURE, Codec, joined, tuning, vbv_params
from encoder.codecs.options import FLAG, Kind, Pair, real, whole, words
from encoder.settings import EncodeSettings
from encoder.vbv import Cap

REFUSED = (
    *("keyint", "min-keyint", "scenecut", "open-gop", "intra-refresh", "threads", "stitchable"),
    *("crf", "qp", "bitrate", "pass", "fps", "force-cfr", "interlaced", "tff", "bff"),
)
PARTITIONS = tuple("none all i4x4 i8x8 p8x8 b8x8 i4x4,i8x8 p8x8,b8x8 p8x8,b8x8,i8x8,i4x4".split())  # noqa: SIM905
WITHOUT_SEI = "filter_units=remove_types=6"
"""Leaves out libx264's own description, 700 bytes that every chunk would begin with; no other SEI is asked of it."""
OPTIONS: dict[str, Kind] = {
    "aq-mode": whole(0, 3),
    "aq-strength": real(0, 3),
    "b-adapt": whole(0, 2),
    "b-bias": whole(-100, 100),
    "b-pyramid": words("none strict normal 0 1 2"),
    "bframes": whole(0, 16),
    "cabac": FLAG,
    "chroma-qp-offset": whole(-12, 12),
    "crf-max": real(0, 63),
    "deadzone-inter": whole(0, 32),
    "deadzone-intra": whole(0, 32),
    "deblock": Pair(Decimal(-6), Decimal(6)),
    "dct-decimate": FLAG,
    "direct": words("none spatial temporal auto"),
    "fast-pskip": FLAG,
    "ipratio": real(1, 10),
    "level": words("1 1.1 1.2 1.3 2 2.1 2.2 3 3.1 3.2 4 4.1 4.2 5 5.1 5.2 6 6.1 6.2"),
    "mbtree": FLAG,
    "me": words("dia hex umh esa tesa"),
    "merange": whole(4, 64),
    "mixed-refs": FLAG,
    "no-deblock": FLAG,
    "partitions": words(" ".join(PARTITIONS)),
    "pbratio": real(1, 10),
    "psy": FLAG,
    "psy-rd": Pair(Decimal(0), Decimal(10)),
    "qcomp": real(0, 1),
    "qpmax": whole(0, 81),
    "qpmin": whole(0, 81),
    "qpstep": whole(1, 81),
    "rc-lookahead": whole(0, 250),
    "ref": whole(1, 16),
    "sliced-threads": FLAG,
    "slices": whole(0, 64),
    "subme": whole(0, 11),
    "trellis": whole(0, 2),
    "tune": words("film animation grain stillimage psnr ssim fastdecode"),
    "vbv-bufsize": whole(1, 10_000_000),
    "vbv-init": real(0, 1),
    "vbv-maxrate": whole(1, 10_000_000),
    "weightb": FLAG,
    "weightp": whole(0, 2),
}


def _arguments(settings: EncodeSettings, gop: int, hdr: Hdr | None) -> list[str]:  # noqa: ARG001
    """Closed GOPs of a fixed length, the same in every rung; nothing that depends on the length of the chunk."""
    fixed: dict[str, object] = {
        "keyint": gop,
        "min-keyint": gop,
        "scenecut": 0,
        "open-gop": 0,
        "stitchable": 1,
    }
    profile = [] if settings.pixel_format else ["-profile:v", "high"]
    if cap := Cap.of(settings.peak_kbps, settings.buffer_kbits):
        fixed |= vbv_params(cap)
    tune, params = tuning(settings.params)
    fixed["zones"] = f"0,0,b={_intra_ratio(tune, params)}"
    coding = ["-threads", str(settings.threads), *profile, *tune, "-x264-params", joined(fixed, params)]
    return [*coding, "-bsf:v", WITHOUT_SEI]


def _intra_ratio(tune: Sequence[str], params: str) -> str:
    """How much finer than a P picture an intra picture is to be quantised, for the first one of a chunk, too.

    With mbtree x264 applies `ipratio` to every intra picture but the first of a stream, so that each chunk would begin
    with a picture about 3 QP coarser than one in the middle of a title. A zone is applied to that one alone.
    """
    given = [entry.partition("=")[2] for entry in params.split(":") if entry.startswith("ipratio=")]
    return given[-1] if given else "1.1" if "grain" in tune else "1.4"


CODEC = Codec(
    name="x264",
    encoder="libx264",
    quality=(Decimal(1), Decimal(51)),  # below 1 it codes without loss, which profile High does not have
    step=Decimal("0.1"),
    first_guesses=("21", "27"),
    presets=(
        "placebo", "veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast", "superfast", "ultrafast",
    ),
    default_preset="medium",
    options=OPTIONS,
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    formats=("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    sizes=(2, 16384),
    ten_bit=False,
    vbv=True,
    level="level",
    arguments=_arguments,
)  # fmt: skip
