"""Subtitle files that come beside a title, SubRip or WebVTT, as cues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import mezzfs
from encoder.errors import BadCaptions
from encoder.subtitles import Cue, cue_text

TIME = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})"
TIMES = re.compile(rf"\s*{TIME}\s+-->\s+{TIME}(?:[ \t]+(.*?))?\s*")
LARGEST = 16 << 20
"""Bytes; the subtitles of a film are some hundred thousand."""
HTML = re.compile(r"<(/?)([biu])>", re.IGNORECASE)
OTHER_TAGS = re.compile(r"</?[A-Za-z][^>\n]*>")
ASS_EVENT = "0,0,Default,,0,0,0,,"
"""Fields before the text of an event of FFmpeg's ASS, whose last one is empty here."""


def read_captions(url: str) -> list[Cue]:
    """The cues of a file at a path or URL, in its own time.

    Raises:
        BadCaptions: too large, no text, or not SubRip or WebVTT. mezzfs.MezzError: it cannot be read.
    """
    with mezzfs.open(url) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise BadCaptions(url, f"larger than {LARGEST >> 20} MiB; wanted a SubRip or WebVTT file")
    try:
        utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        return parse_captions(data.decode("utf-16" if utf16 else "utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadCaptions(url, f"byte {error.start} is not UTF-8; save it as UTF-8") from error
    except ValueError as error:
        raise BadCaptions(url, str(error)) from error


def parse_captions(text: str) -> list[Cue]:
    """The cues of a SubRip or WebVTT file.

    Places and tags of WebVTT are kept as they are; of SubRip bold, italic and underlined text, and places as `{\\an8}`.

    Raises:
        ValueError: says which line is neither.

    Source: W3C WebVTT, section 4.1.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    web = re.match(r"WEBVTT(?:[ \t]|$)", lines[0]) is not None
    found = list(_cues(lines, web=web))
    if not found and not web:
        raise ValueError(f"line 1 is {lines[0][:40]!r}; wanted a SubRip or WebVTT file")
    return found


def _cues(lines: list[str], *, web: bool) -> Iterator[Cue]:
    for number, line in enumerate(lines, 1):
        if "-->" not in line:
            continue
        times = TIMES.fullmatch(line)
        if times is None:
            raise ValueError(f"line {number} is {line[:60]!r}, wanted 00:00:01.000 --> 00:00:02.000")
        start, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:8])
        body = _body(lines[number:])
        words, settings = (body, times[9] or "") if web else _subrip(body)
        if words and start < end:
            yield Cue(start=start, end=end, text=words, settings=settings)


def _body(lines: list[str]) -> str:
    end = next((place for place, line in enumerate(lines) if not line.strip()), len(lines))
    return "\n".join(lines[:end])


def _subrip(body: str) -> tuple[str, str]:
    """Text and settings of WebVTT, by way of ASS."""
    styled = HTML.sub(lambda tag: f"{{\\{tag[2].lower()}{0 if tag[1] else 1}}}", body)
    plain = OTHER_TAGS.sub("", styled).replace("\n", "\\N")
    return cue_text(ASS_EVENT + plain)


def _seconds(parts: tuple[str | None, ...]) -> Fraction:
    hours, minutes, seconds = (int(part or 0) for part in parts[:3])
    return (hours * 60 + minutes) * 60 + seconds + Fraction(int((parts[3] or "").ljust(3, "0")), 1000)
