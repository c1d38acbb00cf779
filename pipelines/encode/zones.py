"""Zones: other settings for ranges of frames, as Av1an's `--zones` has them.

    # start end settings: 0-based, the end not included, -1 for the end of the title
    0 240 crf=18
    1200 -1 x264 reset --crf 30 --aq-mode=3

An encoder's name may stand before the settings: of one that is used; where several are, they are for that one alone. `reset`
forgets the encoder parameters of the title for this zone. `crf` (also `cq-level` and `qp`) is the constant quality of the
zone, in every rung; all else are parameters of the encoder, as `--encoder-params` takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise

from archer.media import FrameRange
from archer.split import Chunk, Shot, plan_chunks
from encoder import EncodeSettings, codec_named
from pipelines.encode.errors import BadSetting

QUALITY = frozenset({"crf", "cq-level", "qp"})
NAMES = {
    "x264": "x264",
    "x265": "x265",
    "svt-av1": "svtav1",
    "svtav1": "svtav1",
    "aom": "aom",
    "vpx": "vp9",
    "vp9": "vp9",
}
"""Encoders as Av1an and we call them -> our names."""
FIXED = frozenset({"preset", "cpu-used", "grain", "film-grain", "photon-noise"})
"""What must not change inside a rendition: it would change the headers that all of its chunks share."""
_RANGE = re.compile(r"(\d+)\s+(-1|\d+)(?:\s+(.*))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Settings of a range of frames.

    Attributes:
        start, end: half-open; an end of -1 is that of the title.
        crf: constant quality, decimal text; empty for the rung's.
        params: further encoder parameters, `key=value:key=value`.
        reset: the title's encoder parameters do not hold here.
        other: it is for another codec of the title, which has the same chunks; it changes nothing.
    """

    start: int
    end: int
    crf: str = ""
    params: str = ""
    reset: bool = False
    other: bool = False

    def holds(self, frame: int) -> bool:
        """Whether it changes something at a frame."""
        return not self.other and self.start <= frame and (self.end < 0 or frame < self.end)

    def applied(self, settings: EncodeSettings) -> EncodeSettings:
        """The settings inside the zone."""
        params = [] if self.reset else [settings.params]
        return replace(
            settings, crf=self.crf or settings.crf, params=":".join(filter(None, [*params, self.params]))
        )


@lru_cache(maxsize=16)
def parse_zones(text: str, codec: str) -> tuple[Zone, ...]:
    """Zones of a text, by their start.

    Args:
        text: a zone per line; empty lines and those that begin with `#` are passed over.
        codec: name of the codec that is used.

    Raises:
        BadSetting: a line cannot be read, or zones of the codec overlap.
        BadOption: the codec does not take a setting.
    """
    lines = [line.strip() for line in text.splitlines()]
    zones = sorted(
        (_zone(line, codec) for line in lines if line and not line.startswith("#")),
        key=lambda zone: zone.start,
    )
    for one, other in pairwise(zone for zone in zones if not zone.other):
        if one.end < 0 or one.end > other.start:
            got = f"{one.start} {one.end} and {other.start} {other.end}"
            raise BadSetting("--zones", got, "zones overlap; a frame has one zone at most")
    return tuple(zones)


def check_encoders(text: str, codecs: Sequence[str]) -> None:
    """Refuse zones for encoders that the title has not. Raises: BadSetting."""
    for line in text.splitlines():
        found = _RANGE.fullmatch(line.strip())
        word = next(iter((found[3] or "").split()), "") if found else ""
        if NAMES.get(word, codecs[0]) not in codecs:
            raise BadSetting("--zones", line.strip(), f"the title's encoder is {' or '.join(codecs)}")


def _zone(line: str, codec: str) -> Zone:
    found = _RANGE.fullmatch(line)
    start, end = (int(found[1]), int(found[2])) if found else (0, 0)
    if found is None or (end >= 0 and end <= start):
        raise BadSetting("--zones", line, "wanted START END SETTINGS, as 0 240 crf=18")
    words = (found[3] or "").split()
    if words and words[0] in NAMES:
        if NAMES[words[0]] != codec:
            return Zone(start=start, end=end, other=True)
        words = words[1:]
    reset = words[:1] == ["reset"]
    crf, params = "", list[str]()
    for name, value in _settings(words[reset:], line):
        if name in FIXED:
            raise BadSetting("--zones", line, f"{name} must be the same for the whole title; leave it out")
        crf = value if name in QUALITY else crf
        params += [] if name in QUALITY else [f"{name}={value}"]
    joined = ":".join(params)
    codec_named(codec).check(crf=crf, preset="", encoder_params=joined)
    return Zone(start=start, end=end, crf=crf, params=joined, reset=reset)


def _settings(words: Sequence[str], line: str) -> Iterator[tuple[str, str]]:
    """Names and values of `name=value`, `--name=value` and `--name value`."""
    waiting = ""
    for word in words:
        name, separator, value = word.lstrip("-").partition("=")
        if waiting:
            yield waiting, word
            waiting = ""
        elif separator and value:
            yield name, value
        elif word.startswith("--"):
            waiting = name
        else:
            raise BadSetting("--zones", line, f"cannot read {word!r}; wanted name=value")
    if waiting:
        raise BadSetting("--zones", line, f"{waiting} has no value; wanted name=value")


def fitted(zones: Sequence[Zone], frames: int) -> tuple[Zone, ...]:
    """Zones with open ends filled in.

    Raises:
        BadSetting: a zone reaches beyond the title.
    """
    for zone in zones:
        if zone.start >= frames or zone.end > frames:
            got = f"{zone.start} {zone.end}"
            raise BadSetting(
                "--zones", got, f"the title has {frames} frames; wanted 0 to {frames}, or -1 for its end"
            )
    return tuple(replace(zone, end=frames if zone.end < 0 else zone.end) for zone in zones)


def title_zones(text: str, codec: str, frames: int) -> tuple[Zone, ...]:
    """Zones of a text, fitted to a title. Raises: see `parse_zones` and `fitted`."""
    return fitted(parse_zones(text, codec), frames)


def zoned_chunks(
    shots: Sequence[Shot],
    zones: Sequence[Zone],
    *,
    shortest: int,
    longest: int,
    entries: Sequence[int] = (),
    gop: int = 1,
) -> tuple[Chunk, ...]:
    """Chunks as `plan_chunks` makes them, but none that lies in two zones; without zones just those.

    Args:
        shots: contiguous, from frame 0.
        zones: fitted to the title.
        shortest, longest: frames of a chunk; the edge of a zone may make a shorter one.
        entries, gop: see `plan_chunks`.
    """
    plan = partial(plan_chunks, shortest=shortest, longest=longest, entries=entries, gop=gop)
    if not zones or not shots:
        return plan(shots)
    frames = shots[-1].frames.end
    edges = sorted({0, frames, *(zone.start for zone in zones), *(zone.end for zone in zones)})
    ranges = [chunk.frames for start, end in pairwise(edges) for chunk in plan(_inside(shots, start, end))]
    return tuple(Chunk(index=index, frames=part) for index, part in enumerate(ranges))


def _inside(shots: Sequence[Shot], start: int, end: int) -> list[Shot]:
    cut = [(max(start, shot.frames.start), min(end, shot.frames.end)) for shot in shots]
    return [Shot(frames=FrameRange(first, last)) for first, last in cut if first < last]


def settings_in(zones: Sequence[Zone], part: FrameRange, settings: EncodeSettings) -> EncodeSettings:
    """The settings of a chunk, which lies in one zone or in none; ends of zones may be open."""
    zone = next((zone for zone in zones if zone.holds(part.start)), None)
    return zone.applied(settings) if zone else settings
