"""Times of frames, as files and people want them."""

from __future__ import annotations

from fractions import Fraction

from archer.media import MediaInfo
from pipelines.shots.formats.base import Media


def frame_times(media: Media) -> list[Fraction]:
    """Seconds of every frame from the first one, and of the end of the last one; exact, also where the rate varies."""
    info = MediaInfo.from_json(dict(media))
    first, base = int(info.index.pts[0]) if len(info.index) else 0, info.video.time_base
    return [(pts - first) * base for pts in info.index.pts.tolist()] + [info.duration]


def clock(seconds: Fraction) -> str:
    """`HH:MM:SS.mmm`, rounded to the nearest millisecond."""
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02}.{total % 1000:03}"


def timecode(frame: int, base: int) -> str:
    """`HH:MM:SS:FF`, non-drop, of a frame counted at `base` frames per second."""
    seconds, rest = divmod(frame, base)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"


def frame_of(text: str, base: int) -> int:
    """The frame of a non-drop timecode.

    Raises:
        ValueError: not a timecode of this base.
    """
    hours, minutes, seconds, frames = (int(part) for part in text.replace(";", ":").split(":"))
    if frames >= base:
        raise ValueError(f"timecode {text}: wanted less than {base} frames in a second")
    return ((hours * 60 + minutes) * 60 + seconds) * base + frames
