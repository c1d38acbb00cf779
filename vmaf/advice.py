"""Which VMAF v1 model fits a picture and its viewers, and what nobody has validated.

Source: the names and displays of Netflix's models `vmaf_v1.0.16_*`: 3d0h is a picture of 1080 lines seen from three heights, 5d0h
a phone, 1d5h_2160 and 3d0h_2160 a 4K display seen from 1.5 and 3 heights; `hfr` are for high frame rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vmaf.models import V1, Model, model_named

VIEWINGS = ("tv", "desk", "phone")
HIGH_RATE = 48
"""Frames per second from which the models for high rates are meant: twice the usual 24 to 30."""
NO_UPSCALING = 1440
"""Lines up to which a picture is judged as one of 1080 lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A model, and what to know about it.

    Attributes:
        model: the one that fits.
        reason: why.
        caveats: what is not validated, in sentences.
    """

    model: Model
    reason: str
    caveats: tuple[str, ...]


def advised_model(
    width: int,
    height: int,
    frame_rate: Fraction,
    *,
    bit_depth: int = 10,
    hdr: bool = False,
    viewing: str = "tv",
) -> Advice:
    """The v1 model for a picture.

    Args:
        width, height: as it is displayed; a portrait picture counts as lying.
        frame_rate: frames per second.
        bit_depth: of the samples that are scored.
        hdr: PQ or HLG.
        viewing: tv (three heights away), desk (1.5 heights from a 4K display) or phone (five heights).

    Raises:
        ValueError: the viewing is none of `VIEWINGS`.
    """
    if viewing not in VIEWINGS:
        raise ValueError(f"viewing {viewing}: wanted one of {', '.join(VIEWINGS)}")
    lines, large = min(width, height), min(width, height) > NO_UPSCALING
    fast = frame_rate >= HIGH_RATE
    seen = {
        "phone": "5d0h",
        "tv": "3d0h_2160" if large else "3d0h",
        "desk": "1d5h_2160" if large else "3d0h",
    }[viewing]
    heights = float(seen.split("h")[0].replace("d", "."))
    reason = f"{lines} lines seen from {heights:g} heights at {float(frame_rate):g} frames per second"
    return Advice(
        model=model_named(f"{V1}_{'hfr_' if fast else ''}{seen}"),
        reason=reason,
        caveats=_caveats(lines, large=large, bit_depth=bit_depth, hdr=hdr, viewing=viewing),
    )


def _caveats(lines: int, *, large: bool, bit_depth: int, hdr: bool, viewing: str) -> tuple[str, ...]:
    found = []
    if hdr:
        found.append("no VMAF model was validated with HDR: scores compare encodes of one title at best")
    if bit_depth < 10:
        found.append(
            "v1 is at its best with 10-bit samples; 8-bit ones are averaged before banding is looked for"
        )
    if large and viewing == "phone":
        found.append("there is no phone model for 2160 lines: the picture is scored at 1080")
    if not large and viewing == "desk":
        found.append(
            "the model for 1.5 heights is for 2160 lines: 1080 lines from three heights have the same angle"
        )
    if lines < 360:
        found.append("pictures below 360 lines were not in the models' training")
    return tuple(found)
