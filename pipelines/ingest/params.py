"""How a title is to be looked at, as the user says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from cinemill_native.errors import CinemillError

Deinterlace = Literal["auto", "bwdif", "film", "off"]
Range = Literal["hdr", "sdr"]
SHORTENED = Fraction(1, 200)
"""Frames per second by which rates like 24000/1001 are off as people write them: 23.98."""
_CROP = re.compile(r"(\d+):(\d+):(\d+):(\d+)")
_PAD = re.compile(r"([1-9]\d*):([1-9]\d*)")


class BadView(CinemillError, ValueError):
    """What was said about how to look at a title cannot be read, or does not fit it.

    Attributes:
        option: its name on the command line.
        got: what was given.
        wanted: what fits.
    """

    def __init__(self, option: str, got: str, wanted: str) -> None:
        super().__init__(option, got, wanted)
        self.option, self.got, self.wanted = option, got, wanted

    def __str__(self) -> str:
        return f"{self.option} {self.got}: {self.wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestParams:
    """Settings of ingest.

    Attributes:
        strict: refuse what the encoder cannot take; off where a file is only looked at, as it is stored.
        deinterlace: `auto` (interlaced titles by bwdif, telecined film refused), `bwdif` (one whole frame for each, of a title
            that is marked as progressive, too), `film` (field matching: film frames under a telecine), `off` (refuse
            interlaced titles).
        crop: `W:H:X:Y` in stored samples, `auto` to cut black borders off, empty for none.
        pad: `16:9`: black is added until the picture has this shape; empty for none.
        dynamic_range: `hdr` keeps PQ and HLG, `sdr` tone-maps them.
        needs_hdr: refuse titles that are in SDR.
        fps: constant frame rate to convert to, `25` or `30000/1001`; empty keeps the source's times.
        clips: ranges that are wanted, see `pipelines.ingest.clips`; empty for all.
        timecode: timecode of the first frame of inputs: `zero` or empty, `embedded`, or `HH:MM:SS:FF`; one for each input with
            `|` between, the last for all further ones.
        audio, subtitles: tracks that will be asked for, see `pipelines.ingest.tracks`: refused here where there are none.
    """

    strict: bool = True
    deinterlace: Deinterlace = "auto"
    crop: str = ""
    pad: str = ""
    dynamic_range: Range = "hdr"
    needs_hdr: bool = False
    fps: str = ""
    clips: str = ""
    timecode: str = ""
    audio: str = ""
    subtitles: str = ""


def crop_of(text: str) -> tuple[int, int, int, int]:
    """Left, top, width and height of `W:H:X:Y`. Raises: BadView."""
    found = _CROP.fullmatch(text)
    if found is None or not (int(found[1]) and int(found[2])):
        raise BadView("--crop", text, "wanted auto, or W:H:X:Y in samples, as 1920:800:0:140")
    width, height, left, top = map(int, found.groups())
    return left, top, width, height


def pad_of(text: str) -> Fraction:
    """The shape of `16:9`. Raises: BadView."""
    found = _PAD.fullmatch(text)
    if found is None:
        raise BadView("--pad", text, "wanted the shape of the picture, as 16:9")
    return Fraction(int(found[1]), int(found[2]))


def fps_of(text: str) -> Fraction:
    """Frames per second of `25` or `30000/1001`; `23.976`, `23.98`, `29.97` and `59.94` are short for such. Raises: BadView."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    slowed = Fraction(round(rate * 1001 / 1000) * 1000, 1001)
    if "." in text and rate.denominator > 1 and abs(slowed - rate) < SHORTENED:
        rate = slowed
    if not 1 <= rate <= 480:
        raise BadView("--fps", text, "wanted frames per second from 1 to 480, as 25 or 30000/1001")
    return rate


def check_view(params: IngestParams) -> None:
    """Refuse what cannot be read, before anything is known of the title. Raises: BadView."""
    from pipelines.ingest.clips import check_base, parse_clips

    if params.crop not in ("", "auto"):
        crop_of(params.crop)
    if params.pad:
        pad_of(params.pad)
    if params.fps:
        fps_of(params.fps)
    parse_clips(params.clips)
    check_base(params.timecode)
    if params.fps and params.deinterlace == "film":
        raise BadView("--fps", params.fps, "--deinterlace film sets the frame rate; give one of them")
