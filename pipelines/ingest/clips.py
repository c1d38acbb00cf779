"""Ranges of a title as users write them, and which frames they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from archer.media import FrameRange, MediaInfo
from pipelines.ingest.params import BadView

CLIP = re.compile(r"(?:(\d+)@)?([^-@]*)-([^-@+]*)(\+?)")
TIMECODE = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)([:;])(\d{2,3})")
CLOCK = re.compile(r"(?:(\d+):([0-5]\d):)?(\d+(?:\.\d+)?)")
FRAME = re.compile(r"(\d+)f")
SLACK_S = Fraction(1, 2000)
"""Written times are rounded, to milliseconds at worst: a frame that begins so little earlier is meant."""
WANTED = "wanted [INPUT@]START-END[+] with seconds (12.5), HH:MM:SS.fff, a timecode HH:MM:SS:FF, or a frame number (300f)"
DAY_H = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A range as it was written.

    Attributes:
        text: all of it.
        source: number of the input, from 0.
        start, end: points; empty for where the input begins and ends.
        inclusive: the frame at `end` belongs to it.
    """

    text: str
    source: int
    start: str
    end: str
    inclusive: bool


def parse_clips(text: str) -> tuple[Clip, ...]:
    """Ranges separated by commas, as `10-20,2@00:00:01:00-00:00:02:12+`.

    Raises:
        BadView: says which cannot be read.
    """
    return tuple(_clip(word.strip()) for word in text.split(",")) if text else ()


def _clip(word: str) -> Clip:
    found = CLIP.fullmatch(word)
    points = found.groups()[1:3] if found else ()
    if found is None or not any(points) or not all(not point or _readable(point) for point in points):
        raise BadView("--clip", word, WANTED)
    number = int(found[1] or 1)
    if number < 1:
        raise BadView("--clip", word, "inputs are counted from 1")
    return Clip(text=word, source=number - 1, start=found[2], end=found[3], inclusive=bool(found[4]))


def _readable(point: str) -> bool:
    return any(kind.fullmatch(point) for kind in (TIMECODE, CLOCK, FRAME))


def check_base(text: str) -> None:
    """Refuse what is no way to count timecodes. Raises: BadView."""
    for base in text.split("|"):
        if base not in ("", "zero", "embedded") and not TIMECODE.fullmatch(base):
            raise BadView("--timecode", base, "wanted zero, embedded, or the HH:MM:SS:FF of the first frame")


def clip_range(clip: Clip, info: MediaInfo, base: str = "") -> FrameRange:
    """The frames of a range: those that are shown from its start until just before its end.

    Args:
        clip: the range.
        info: the input.
        base: timecode of its first frame: `zero` or empty, `embedded` (zero where the file has none), or itself.

    Raises:
        BadView: it reaches beyond the input, is empty, or counts frames that have no constant rate.
    """
    start = _place(clip, clip.start, info, base) if clip.start else 0
    end = _end(clip, info, base) if clip.end else info.frame_count
    there = f"the input has {info.frame_count} frames, {float(info.duration):.3f} s"
    if not 0 <= start < info.frame_count or end > info.frame_count:
        raise BadView("--clip", clip.text, f"reaches beyond what is there: {there}")
    if end <= start:
        raise BadView("--clip", clip.text, f"holds no frame (from {start} to {end}); {there}")
    return FrameRange(start, end)


def _end(clip: Clip, info: MediaInfo, base: str) -> int:
    """Number behind the last frame."""
    if not clip.inclusive or not CLOCK.fullmatch(clip.end):
        return _place(clip, clip.end, info, base, behind=int(clip.inclusive))
    return _frame_at(_seconds(clip.end) + 2 * _slack(info), info)  # behind the one that is on screen then


def _place(clip: Clip, point: str, info: MediaInfo, base: str, *, behind: int = 0) -> int:
    """The frame of a point, or the one `behind` frames of the input behind it."""
    if found := FRAME.fullmatch(point):
        return int(found[1]) + behind
    if not TIMECODE.fullmatch(point):
        seconds = _seconds(point)
        beyond = seconds > info.duration + _slack(info)
        return info.frame_count + 1 if beyond else _frame_at(seconds, info)
    stored = info.stored
    if stored.video.vfr:
        why = "the input has no constant frame rate, so timecodes name no frames; use seconds, or add --fps"
        raise BadView("--clip", clip.text, why)
    first = {"": "", "zero": "", "embedded": info.timecode}.get(base, base)
    try:
        number = timecode_frames(point, stored.video.frame_rate, drop=";" in first)
        origin = (
            timecode_frames(first, stored.video.frame_rate, drop=";" in point)
            if TIMECODE.fullmatch(first)
            else 0
        )
    except ValueError as error:
        raise BadView("--clip", clip.text, str(error)) from error
    frame = number - origin + behind
    if stored is info:
        return frame
    if not 0 <= frame <= stored.frame_count:
        return -1 if frame < 0 else info.frame_count + 1
    return _frame_at(stored.time_of(frame), info)


def _seconds(point: str) -> Fraction:
    found = CLOCK.fullmatch(point)
    assert found is not None  # noqa: S101  it was checked when the range was read
    return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + Fraction(found[3])


def _frame_at(seconds: Fraction, info: MediaInfo) -> int:
    """The first frame that begins at a time or later; the number behind the last where there is none."""
    ticks = (seconds - _slack(info)) / info.video.time_base
    begin = info.index.pts - info.index.pts[0]
    return int(np.searchsorted(begin, -(-ticks.numerator // ticks.denominator)))


def _slack(info: MediaInfo) -> Fraction:
    """Seconds by which a written time may be behind the stored one of its frame, which is rounded to a container's ticks."""
    tick = info.video.time_base
    return SLACK_S + (tick / 2 if tick <= 2 * SLACK_S else 0)


def timecode_frames(text: str, rate: Fraction, *, drop: bool = False) -> int:
    """Frames from 00:00:00:00 to a timecode.

    Args:
        text: `HH:MM:SS:FF`; `HH:MM:SS;FF` counts without the numbers that drop-frame timecode leaves out.
        rate: frames per second.
        drop: leave them out in any case.

    Raises:
        ValueError: no such timecode at this rate.

    Source: SMPTE ST 12-1, 5.2 (the first two numbers of every minute but each tenth are left out, at 30000/1001).
    """
    found = TIMECODE.fullmatch(text)
    if found is None:
        raise ValueError(f"timecode {text}: wanted HH:MM:SS:FF")
    hours, minutes, seconds, frame = (int(found[place]) for place in (1, 2, 3, 5))
    base = round(rate)
    if frame >= base or hours >= DAY_H:
        raise ValueError(f"timecode {text}: wanted less than {base} frames in a second, and 24 hours")
    number = ((hours * 60 + minutes) * 60 + seconds) * base + frame
    if found[4] != ";" and not drop:
        return number
    if base % 30:
        raise ValueError(f"timecode {text}: {rate} frames per second are not counted by drop-frame timecode")
    left_out = base // 15
    if not seconds and frame < left_out and minutes % 10:
        raise ValueError(f"timecode {text}: drop-frame timecode leaves this number out")
    passed = hours * 60 + minutes
    return number - left_out * (passed - passed // 10)
