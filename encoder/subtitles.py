"""Subtitles of text to WebVTT, with times counted from the title's first frame."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from archer.media import MediaInfo, TextStream
from archer.media.asset import urls_of
from archer.media.container import opened, packets
from archer.media.edit import Span

TEXT = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})
"""FFmpeg's names of formats that hold text; the others hold pictures."""
LAST_S = Fraction(4)
"""Shown for so long where neither its own duration nor a next cue ends it."""
_OVERRIDE = re.compile(r"\{([^}]*)\}")
_TAG = re.compile(r"\\(an?|i|b|u|p)(\d+)")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
LINES = {"7": "line:0", "8": "line:0", "9": "line:0", "4": "line:50%", "5": "line:50%", "6": "line:50%"}
SIDES = {"1": "align:left", "4": "align:left", "7": "align:left"} | dict.fromkeys("369", "align:right")
"""Numeric-pad positions of ASS -> settings of a WebVTT cue; 2, below in the middle, is what players do unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Text on screen from `start` to `end`, seconds; `settings` are WebVTT's."""

    start: Fraction
    end: Fraction
    text: str
    settings: str = ""


def write_webvtt(
    url: str, info: MediaInfo, track: TextStream, out: Path, *, streams: Sequence[TextStream | None] = ()
) -> int:
    """Write a track of text subtitles as WebVTT; returns the number of cues.

    Cues are cut to the time of the pictures; what lies outside is left out.

    Args:
        url: the title.
        info: its facts.
        track: one of its tracks, of a codec in `TEXT`.
        out: the file to write.
        streams: the track's stream in each input of a title that is put together of several; empty for `track` alone.
    """
    found = [
        [] if stream is None or stream.codec not in TEXT else counted(read_cues(place, stream), source.zero)
        for place, source, stream in zip(urls_of(url), info.sources, streams or [track], strict=True)
    ]
    return write_cues(list(title_cues(found, info)), out)


def write_cues(cues: Sequence[Cue], out: Path) -> int:
    """Write a WebVTT file; returns the number of cues."""
    out.write_text(webvtt(cues), encoding="utf-8")
    return len(cues)


def counted(cues: Iterable[Cue], zero: Fraction) -> list[Cue]:
    """Cues of a container, with times from its first frame, which is shown at `zero`."""
    return [replace(cue, start=cue.start - zero, end=cue.end - zero) for cue in cues]


def title_cues(cues: Sequence[Sequence[Cue]], info: MediaInfo) -> Iterator[Cue]:
    """Cues at their place in the title, in order of time, cut to its pictures.

    Args:
        cues: of each input, counted from its first frame.
        info: the title.
    """
    whole = Span(source=0, start=Fraction(0), end=info.duration, at=Fraction(0))
    for span in info.edit.spans() if info.edit else [whole]:
        shift = span.at - span.start
        for cue in trimmed(cues[span.source], span.start, span.end):
            yield replace(cue, start=cue.start + shift, end=cue.end + shift)


def read_cues(url: str, track: TextStream) -> Iterator[Cue]:
    """Cues of a track in the order of the file, in the container's time."""
    import av

    with opened(url) as container:
        stream = container.streams[track.index]
        for packet in packets(container, stream, broken=lambda _: None):  # type: ignore[arg-type]
            start = (packet.pts or 0) * Fraction(packet.time_base)
            length = (packet.duration or 0) * Fraction(packet.time_base) or LAST_S
            try:
                events = [getattr(event, "ass", b"") for event in packet.decode()]
            except av.FFmpegError:
                continue
            for event in events:
                text, settings = cue_text(event.decode("utf-8", "replace"))
                if text:
                    yield Cue(start=start, end=start + length, text=text, settings=settings)


def cue_text(event: str) -> tuple[str, str]:
    """Text with WebVTT's tags, and cue settings, of an event of FFmpeg's ASS (eight fields before the text).

    Bold, italic and underlined text and the place on the screen are kept, drawings left out; other styles have no
    counterpart that players agree on.
    """
    fields = event.split(",", 8)
    raw = fields[8] if len(fields) == 9 else event
    parts, open_tags, place, drawing = [], list[str](), "2", False
    at = 0
    for found in [*_OVERRIDE.finditer(raw), None]:
        piece = raw[at : found.start() if found else len(raw)]
        parts += [] if drawing else [piece.translate(_ESCAPES)]
        at = found.end() if found else at
        for name, value in _TAG.findall(found[1]) if found else ():
            place = value if name == "an" else place
            drawing = value != "0" if name == "p" else drawing
            if name in "ibu":
                parts += _toggled(name, open_tags, on=value != "0")
    parts += [f"</{name}>" for name in reversed(open_tags)]
    text = "".join(parts).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    settings = " ".join(filter(None, (LINES.get(place, ""), SIDES.get(place, ""))))
    return "\n".join(lines), settings


def _toggled(name: str, open_tags: list[str], *, on: bool) -> list[str]:
    """Tags that turn a style on or off; those opened later are closed and opened again."""
    if on == (name in open_tags):
        return []
    if on:
        open_tags.append(name)
        return [f"<{name}>"]
    inner = open_tags[open_tags.index(name) + 1 :]
    open_tags.remove(name)
    return [*(f"</{other}>" for other in reversed(inner)), f"</{name}>", *(f"<{other}>" for other in inner)]


def trimmed(cues: Sequence[Cue], start: Fraction, end: Fraction) -> Iterator[Cue]:
    """Cues cut to [start, end), in order of time."""
    for cue in sorted(cues, key=lambda cue: (cue.start, cue.end)):
        first, last = max(start, cue.start), min(end, cue.end)
        if first < last:
            yield replace(cue, start=first, end=last)


def webvtt(cues: Sequence[Cue]) -> str:
    """The text of a WebVTT file. Source: W3C WebVTT, section 4.1."""
    blocks = [
        f"{_time(cue.start)} --> {_time(cue.end)} {cue.settings}".rstrip() + f"\n{cue.text}" for cue in cues
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _time(seconds: Fraction) -> str:
    millis = round(seconds * 1000)
    return (
        f"{millis // 3_600_000:02d}:{millis // 60_000 % 60:02d}:{millis // 1000 % 60:02d}.{millis % 1000:03d}"
    )
