"""Edit decision list, CMX 3600: an event per shot, source and record alike, non-drop timecode that counts frames.

Timecodes begin at the title's start timecode. Lists of others are read by their record side, which is where shots are in
the title whatever they were cut from, of pictures alone, and in drop-frame timecode too. Rates that are no whole number
count frames as the next whole one does (23.976 as 24), as editors expect of non-drop lists. Details stand in comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from pipelines.ingest.clips import timecode_frames
from pipelines.shots.formats.base import Format, Found, Media, details_text, found, known_rate
from pipelines.shots.formats.timing import frame_of, timecode

EVENT = re.compile(
    r"^(\d+)\s+(\S+)\s+(\S+)\s+C\s+(?:\d+\s+)?" + r"\s+".join([r"(\d\d:\d\d:\d\d[:;]\d{2,3})"] * 4) + r"\s*$"
)
RATE = "* FRAME RATE: "
DETAILS = "* CINEMILL: "
COUNTING = "FCM:"


class Edl(Format):
    """CMX 3600 lists."""

    name, suffix = "edl", ".edl"

    def write(self, shots: Found, media: Media) -> str:
        """Header, then an event and its comment for each shot."""
        base = _base(Fraction(shots["frame_rate"]))
        offset = _offset(str(media.get("timecode", "")), base)
        lines = ["TITLE: CINEMILL", "FCM: NON-DROP FRAME", RATE + shots["frame_rate"], ""]
        for number, shot in enumerate(shots["shots"], 1):
            span = f"{timecode(shot['start'] + offset, base)} {timecode(shot['end'] + offset, base)}"
            lines += [f"{number:03d}  AX       V     C        {span} {span}", DETAILS + details_text(shot)]
        return "\n".join(lines) + "\n"

    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """Cuts of an EDL; the first event begins at frame 0. Events of sound are passed over, others than cuts are refused.

        Raises:
            ValueError: no events, events that are no cuts or do not join, or the frame rate is not known.
        """
        said = next((line.removeprefix(RATE) for line in text.splitlines() if line.startswith(RATE)), None)
        rate = known_rate(said, frame_rate)
        events = list(_events(text, rate))
        if not events:
            raise ValueError("no events")
        first = events[0][0]
        return found(((start - first, end - first, kept) for start, end, kept in events), rate)


def _events(text: str, rate: Fraction) -> Iterator[tuple[int, int, dict[str, Any]]]:
    waiting: tuple[int, int, dict[str, Any]] | None = None
    drop = False
    for line in text.splitlines():
        if line.startswith(COUNTING):
            drop = line.removeprefix(COUNTING).strip().startswith("DROP")
        elif line.startswith(DETAILS) and waiting:
            waiting[2].update(json.loads(line.removeprefix(DETAILS)))
        elif re.match(r"\d+\s", line) and not _of_sound(line):
            event = EVENT.match(line)
            if event is None:
                raise ValueError(f"event {line!r}: wanted a cut with four timecodes")
            if waiting:
                yield waiting
            waiting = _frame(event[6], rate, drop), _frame(event[7], rate, drop), {}
    if waiting:
        yield waiting


def _frame(text: str, rate: Fraction, drop: bool) -> int:  # noqa: FBT001
    """Raises ValueError: not a timecode of this rate."""
    return timecode_frames(text, rate, drop=True) if drop or ";" in text else frame_of(text, _base(rate))


def _of_sound(line: str) -> bool:
    """Whether an event is on tracks of sound alone: A, A2, AA."""
    words = line.split()
    return len(words) > 2 and re.fullmatch(r"A+\d*", words[2]) is not None


def _base(rate: Fraction) -> int:
    return max(1, -(-rate.numerator // rate.denominator))


def _offset(start: str, base: int) -> int:
    """Frames of a title's start timecode; 0 where it has none that counts without gaps."""
    try:
        return frame_of(start, base) if ";" not in start else 0
    except ValueError:
        return 0
