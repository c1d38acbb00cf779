"""Rungs and ladders: which sizes a title is offered in, never larger than it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from archer.media import VideoStream, display_size
from encoder.errors import BadLadder

HEIGHTS = (2160, 1440, 1080, 720, 540, 360, 240)
"""Default rungs, by the shorter side of the picture as shown."""
MOST_RUNGS = 5
MOST_VMAF = 100
FILES = (".json", ".yaml", ".yml")
_NUMBER = r"\d+(?:\.\d+)?"
_WHOLE = r"[1-9]\d*"
_RUNG = re.compile(
    rf"(?:(?P<short>{_WHOLE})p|(?P<width>{_WHOLE})x(?P<height>{_WHOLE}))"
    rf"(?:@crf(?P<crf>{_NUMBER})|@vmaf(?P<vmaf>{_NUMBER})|@(?P<kbps>\d+)k)?"
    rf"(?:@peak(?P<peak_kbps>{_WHOLE})k(?:@buffer(?P<buffer_kbits>{_WHOLE})k)?)?(?:@(?P<dynamic_range>hdr|sdr))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One size of a ladder.

    Attributes:
        name: `720p`: the shorter side; unique in a ladder.
        width, height: even, square pixels, as shown (rotation applied).
        crf: constant quality of this rung alone, decimal text; empty for the title's.
        vmaf: pooled VMAF that this rung alone is to reach, decimal text; empty for none.
        kbps: average bit rate that this rung alone is to reach; 0 for none.
        peak_kbps, buffer_kbits: peak rate and buffer that all of it must keep to, see `encoder.vbv`; 0 for none, and for the
            usual buffer.
        dynamic_range: `hdr` or `sdr` where it is for titles, or ladders of a title, in that range alone; empty for all.
    """

    name: str
    width: int
    height: int
    crf: str = ""
    vmaf: str = ""
    kbps: int = 0
    peak_kbps: int = 0
    buffer_kbits: int = 0
    dynamic_range: str = ""

    def capped(self, kbps: int, buffer_kbits: int) -> Rung:
        """The rung with the title's peak rate and buffer, where it has none of its own."""
        return self if self.peak_kbps else replace(self, peak_kbps=kbps, buffer_kbits=buffer_kbits)


def default_ladder(video: VideoStream) -> tuple[Rung, ...]:
    """The source's own size, and up to four usual ones below it.

    Args:
        video: the source; its SAR and rotation count.
    """
    short = _even(min(display_size(video)))
    below = [height for height in HEIGHTS if height < short * 0.9]
    return tuple(rung_of(video, height) for height in [short, *below][:MOST_RUNGS])


def parse_ladder(
    text: str, video: VideoStream, dynamic_range: str = ""
) -> tuple[tuple[Rung, ...], tuple[str, ...]]:
    """The ladder that a user wrote, for this source.

    Args:
        text: `720p,540p@crf26,640x360,360p@800k@peak1200k@buffer2400k,240p@sdr`; empty: the default ladder.
        video: the source.
        dynamic_range: rungs that are for the other one are left out; empty: for whatever the source is in.

    Returns:
        Rungs, largest first, and notices about rungs that were left out because the source is smaller.

    Raises:
        BadLadder: a rung cannot be read, appears twice with one goal, or none is left.
    """
    if not text:
        return default_ladder(video), ()
    rungs: dict[str, Rung] = {}
    notices: list[str] = []
    wanted = dynamic_range or range_of(video)
    for word in _words(text):
        rung = _parsed(word, video, text)
        if rung.dynamic_range not in ("", wanted):
            if not dynamic_range:
                notices.append(f"rung {word} left out: the title is in {wanted.upper()}")
        elif rung.height * rung.width > _area(video):
            size = "{}x{}".format(*display_size(video))
            notices.append(f"rung {rung.name} left out: the source is {size}, and nothing is enlarged")
        else:
            named = _unique(rung, rungs, text)
            rungs[named.name] = named
    if not rungs:
        raise BadLadder(text, f"every rung is larger than the source, or not for {wanted.upper()}")
    return tuple(sorted(rungs.values(), key=lambda rung: -rung.width * rung.height)), tuple(notices)


def _unique(rung: Rung, known: Mapping[str, Rung], text: str) -> Rung:
    """The rung under a name of its own: `720p-2` for a second of one size with another goal."""
    same = [one for one in known.values() if (one.width, one.height) == (rung.width, rung.height)]
    if any(replace(one, name=rung.name) == rung for one in same):
        raise BadLadder(text, f"rung {rung.name} appears twice")
    return replace(rung, name=f"{rung.name}-{len(same) + 1}") if same else rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the text of a rung says of its quality.

    Attributes:
        text: all of it.
        crf, vmaf, kbps: as in `Rung`, as decimal text; empty where nothing is said.
    """

    text: str
    crf: str = ""
    vmaf: str = ""
    kbps: str = ""

    @property
    def goal(self) -> bool:
        """It is to reach something by itself."""
        return bool(self.vmaf or self.kbps)


def check_ladder(text: str) -> tuple[Asked, ...]:
    """Refuse a ladder that cannot be read, before anything is known of the source; what each rung asks for.

    Raises:
        BadLadder: a rung cannot be read, or is to reach what cannot be.
    """
    return tuple(_asked(word, text) for word in _words(text)) if text else ()


def _asked(word: str, text: str) -> Asked:
    found = _RUNG.fullmatch(word)
    if found is None:
        raise BadLadder(text, f"cannot read the rung {word!r}")
    asked = Asked(text=word, **{name: found[name] or "" for name in ("crf", "vmaf", "kbps")})
    if asked.vmaf and not 0 < Decimal(asked.vmaf) <= MOST_VMAF:
        raise BadLadder(text, f"rung {word!r} wants a VMAF of {asked.vmaf}, which goes from 0 to {MOST_VMAF}")
    if asked.kbps and not int(asked.kbps):
        raise BadLadder(text, f"rung {word!r} has no bits")
    return asked


def _parsed(word: str, video: VideoStream, text: str) -> Rung:
    found = _RUNG.fullmatch(word)
    if found is None:
        raise BadLadder(text, f"cannot read the rung {word!r}")
    if found["short"]:
        rung = rung_of(video, int(found["short"]))
    else:
        width, height = _even(int(found["width"])), _even(int(found["height"]))
        rung = Rung(name=f"{width}x{height}", width=width, height=height)
    kbps, peak, buffer = (int(found[name] or 0) for name in ("kbps", "peak_kbps", "buffer_kbits"))
    rung = rung.capped(peak, buffer)
    marked = replace(rung, dynamic_range=found["dynamic_range"] or "")
    return replace(marked, crf=found["crf"] or "", vmaf=found["vmaf"] or "", kbps=kbps)


def range_of(video: VideoStream) -> str:
    """`hdr` or `sdr`: what the pictures of a title are in."""
    return "hdr" if video.colour.is_hdr else "sdr"


def rung_of(video: VideoStream, short: int) -> Rung:
    """The rung whose shorter side this is, in the source's shape."""
    width, height = display_size(video)
    scale = short / min(width, height)
    return Rung(name=f"{short}p", width=_even(width * scale), height=_even(height * scale))


def _even(value: float) -> int:
    """The nearest even number, at least 2: 4:2:0 needs even sides."""
    return max(2, 2 * int(value / 2 + 0.5)) if value % 2 != 1 else int(value) - 1 or 2


def _area(video: VideoStream) -> int:
    width, height = display_size(video)
    return (width + 1) * (height + 1)


def ladder_text(text: str) -> str:
    """A ladder as a line of rungs: what a JSON or YAML file lists where `text` names one, else `text` itself.

    Raises:
        BadLadder: the file cannot be read, or does not hold a list of texts.
    """
    if not text.lower().endswith(FILES):
        return text
    import yaml

    try:
        raw = Path(text).read_text(encoding="utf-8-sig")
        value: Any = json.loads(raw) if text.lower().endswith(".json") else yaml.safe_load(raw)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadLadder(text, f"cannot be read: {' '.join(str(error).split())}") from error
    if not value or not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadLadder(text, "wanted a list of rungs, each a text as 720p or 540p@1500k")
    return ",".join(value)


def _words(text: str) -> Iterator[str]:
    yield from (word.strip() for word in text.split(","))
