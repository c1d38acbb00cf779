"""HEVC by libx265, 8 and 10 bit, with HDR metadata."""

from __future__ import annotations

from decimal import Decimal

from archer.media import Hdr
from encoder.codecs.base import STRUCTURE, Codec, joined, tuning, vbv_params
from encoder.codecs.mastering import hevc_light, hevc_mastering
from encoder.codecs.options import FLAG, Kind, real, whole, words
from encoder.settings import EncodeSettings
from encoder.vbv import Cap

REFUSED = (
    *("keyint", "min-keyint", "scenecut", "open-gop", "intra-refresh", "radl", "gop-lookahead", "hist-scenecut"),
    *("crf", "qp", "bitrate", "pass", "fps", "interlace", "field", "input-depth", "output-depth", "input-csp"),
    *("pools", "frame-threads", "numa-pools", "repeat-headers", "annexb", "aud", "hrd", "info", "opt-qp-pps"),
    *("opt-ref-list-length-pps", "multi-pass-opt-rps", "total-frames", "chunk-start", "chunk-end", "lossless"),
)  # fmt: skip
OPTIONS: dict[str, Kind] = {
    "amp": FLAG,
    "aq-mode": whole(0, 5),
    "aq-strength": real(0, 3),
    "b-adapt": whole(0, 2),
    "b-intra": FLAG,
    "b-pyramid": FLAG,
    "bframes": whole(0, 16),
    "cbqpoffs": whole(-12, 12),
    "crf-max": real(0, 51),
    "crqpoffs": whole(-12, 12),
    "ctu": words("16 32 64"),
    "cutree": FLAG,
    "deblock": whole(-6, 6),
    "early-skip": FLAG,
    "ipratio": real(1, 10),
    "limit-modes": FLAG,
    "limit-refs": whole(0, 3),
    "limit-tu": whole(0, 4),
    "max-merge": whole(1, 5),
    "max-tu-size": words("4 8 16 32"),
    "me": words("dia hex umh star sea full"),
    "merange": whole(0, 32768),
    "min-cu-size": words("8 16 32"),
    "nr-inter": whole(0, 2000),
    "nr-intra": whole(0, 2000),
    "pbratio": real(1, 10),
    "psy-rd": real(0, 5),
    "psy-rdoq": real(0, 50),
    "qcomp": real("0.5", 1),
    "qpmax": whole(0, 69),
    "qpmin": whole(0, 69),
    "qpstep": whole(1, 69),
    "rc-lookahead": whole(0, 250),
    "rd": whole(1, 6),
    "rdoq-level": whole(0, 2),
    "rect": FLAG,
    "ref": whole(1, 16),
    "rskip": whole(0, 2),
    "sao": FLAG,
    "selective-sao": whole(0, 4),
    "strong-intra-smoothing": FLAG,
    "subme": whole(0, 7),
    "tu-inter-depth": whole(1, 4),
    "tu-intra-depth": whole(1, 4),
    "tune": words("psnr ssim grain fastdecode zerolatency animation"),
    "vbv-bufsize": whole(1, 10_000_000),
    "vbv-init": real(0, 1),
    "vbv-maxrate": whole(1, 10_000_000),
    "weightb": FLAG,
    "weightp": FLAG,
}


def _arguments(settings: EncodeSettings, gop: int, hdr: Hdr | None) -> list[str]:
    """Closed GOPs of a fixed length; headers once, before the stream, the same for every chunk; no version in it."""
    fixed: dict[str, object] = {
        "keyint": gop, "min-keyint": gop, "scenecut": 0, "open-gop": 0, "repeat-headers": 0, "info": 0,
        "opt-qp-pps": 0, "opt-ref-list-length-pps": 0, "frame-threads": 1, "pools": settings.threads,
        "log-level": "error",
    }  # fmt: skip
    if cap := Cap.of(settings.peak_kbps, settings.buffer_kbits):
        fixed |= vbv_params(cap)
    tune, rest = tuning(settings.params)
    if hdr is not None:
        fixed |= {"hdr10": 1, "hdr10-opt": 1}
        fixed |= hevc_mastering(hdr) | hevc_light(hdr)
    return ["-threads", str(settings.threads), *tune, "-tag:v", "hvc1", "-x265-params", joined(fixed, rest)]


CODEC = Codec(
    name="x265",
    encoder="libx265",
    quality=(Decimal(0), Decimal(51)),
    step=Decimal("0.1"),
    first_guesses=("22", "28"),
    presets=(
        "placebo", "veryslow", "slower", "slow", "medium", "fast", "faster", "veryfast", "superfast", "ultrafast",
    ),
    default_preset="medium",
    options=OPTIONS,
    refused=dict.fromkeys(REFUSED, STRUCTURE),
    formats=("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
    sizes=(32, 16384),
    ten_bit=True,
    hdr=True,
    vbv=True,
    level="level-idc",
    arguments=_arguments,
)  # fmt: skip
