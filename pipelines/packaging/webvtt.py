"""WebVTT as far as a package needs it: is it one, when do its cues show; nothing is rewritten."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"^{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """When a text is shown.

    Attributes:
        start, end: seconds; where end is not after start, players show nothing.
        text: its lines, with their tags.
    """

    start: Fraction
    end: Fraction
    text: str


def read_cues(content: str) -> list[Cue]:
    """All cues of a WebVTT file, in their order.

    Raises:
        ValueError: says which line is not WebVTT, in words for the user.

    Source: W3C WebVTT section 4.1.
    """
    lines = content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise ValueError(f"line 1 is {lines[0][:40]!r}, wanted WEBVTT")
    cues: list[Cue] = []
    for number, line in enumerate(lines, 1):
        if "-->" not in line:
            continue
        found = _CUE.match(line.strip())
        if found is None:
            raise ValueError(f"line {number} is {line[:60]!r}, wanted 00:00:01.000 --> 00:00:02.000")
        start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
        cues.append(Cue(start=start, end=end, text=_text(lines[number:])))
    return cues


def _seconds(parts: tuple[str | None, ...]) -> Fraction:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return Fraction((hours * 60 + minutes) * 60000 + seconds * 1000 + milliseconds, 1000)


def _text(lines: list[str]) -> str:
    end = next((place for place, line in enumerate(lines) if not line.strip()), len(lines))
    return "\n".join(lines[:end])
