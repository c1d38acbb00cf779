"""How a title is looked at where that is not simply how it is stored: deinterlaced, cropped, tone-mapped, at another rate.

A view is made once, when a title is taken in. From then on the title's facts are those of what is seen (size, colour,
frames and their times), and `archer.media.frames` gives such frames, so that no later step knows the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from archer.media.index import FrameIndex, Ints
from archer.media.range import FrameRange
from archer.media.rate import common_tick

if TYPE_CHECKING:
    from archer.media.info import VideoStream

Fields = Literal["", "bwdif", "match"]
CONTEXT: dict[Fields, tuple[int, int]] = {"": (0, 0), "bwdif": (1, 1), "match": (6, 3)}
"""Stored frames before and after a picture from which it is made; more than enough, so that ranges join seamlessly."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """What is done to stored pictures, in this order.

    Attributes:
        fields: `bwdif` makes one whole frame of each interlaced one, `match` finds the film frames under a telecine,
            empty leaves them.
        crop: left, top, width, height of the part that is kept, stored samples; None for all of it.
        pad: left, top, width, height: where the kept part lies on a black picture of that size; None without.
        sdr: HDR is tone-mapped to BT.709.
        stored: facts of the stored video.
        index: of the stored frames; None where it is that of the title.
        sources: (n,) number of the stored frame that each frame of the title shows, never falling; None where all are
            shown, once each.
    """

    fields: Fields = ""
    crop: tuple[int, int, int, int] | None = None
    pad: tuple[int, int, int, int] | None = None
    sdr: bool = False
    stored: VideoStream
    index: FrameIndex | None = None
    sources: Ints | None = None

    def needed(self, wanted: FrameRange) -> FrameRange:
        """Stored frames from which frames of the title are made, with their context."""
        if self.sources is None:
            first, last = wanted.start, wanted.end - 1
        else:
            first, last = int(self.sources[wanted.start]), int(self.sources[wanted.end - 1])
        return FrameRange(first, last + 1).grown(*CONTEXT[self.fields], limit=self.stored.frames)

    def source(self, frame: int) -> int:
        """Number of the stored frame that frame `frame` of the title shows."""
        return frame if self.sources is None else int(self.sources[frame])

    def remarks(self) -> list[str]:
        """What it changes, for people."""
        found, stored = [], self.stored
        if self.fields == "bwdif":
            kind = stored.field_order
            marked = (
                "source marked as progressive" if kind == "progressive" else f"interlaced source ({kind})"
            )
            found.append(f"{marked} deinterlaced by bwdif: one frame for each of its frames")
        if self.fields == "match":
            kept = stored.frames if self.sources is None else len(self.sources)
            found.append(
                f"telecine undone by field matching: {kept} film frames of {stored.frames} video frames"
            )
        elif self.sources is not None:
            found.append(
                f"frame rate converted by repeating and dropping: {len(self.sources)} frames of {stored.frames}"
            )
        if self.crop:
            left, top, width, height = self.crop
            found.append(
                f"cropped from {stored.width}x{stored.height} to {width}x{height} at ({left}, {top})"
            )
        if self.pad:
            found.append(f"padded with black to {self.pad[2]}x{self.pad[3]}")
        if self.sdr:
            found.append(f"{hdr_kind(stored)} tone-mapped to SDR (BT.709) by zscale and tonemap")
        return found


def hdr_kind(video: VideoStream) -> str:
    """`HDR10 (PQ)` or `HLG`; empty for SDR."""
    return {16: "HDR10 (PQ)", 18: "HLG"}.get(video.colour.transfer, "")


def resampled(index: FrameIndex, time_base: Fraction, last: Fraction, rate: Fraction) -> tuple[Ints, int]:
    """Stored frames shown at a constant rate: the one that is on screen in the middle of each new frame's time.

    Args:
        index: the stored frames.
        time_base: seconds per tick.
        last: seconds that the last frame is shown.
        rate: frames per second wanted.

    Returns:
        The number of the stored frame for each new frame, and how many there are, at least one.
    """
    span = (int(index.pts[-1]) - int(index.pts[0])) * time_base + last
    count = max(1, round(span * rate))
    step = 1 / (rate * time_base)  # ticks per new frame
    middles = (np.arange(count, dtype=object) * 2 + 1) * step.numerator  # in 1 / (2 * denominator) ticks
    starts = (index.pts - index.pts[0]).astype(object) * (2 * step.denominator)
    places = np.searchsorted(starts.astype(np.int64), middles.astype(np.int64), side="right") - 1
    return places.astype(np.int64), count


def regular_index(
    count: int, start: Fraction, rate: Fraction, time_base: Fraction
) -> tuple[FrameIndex, Fraction]:
    """Index of frames at a constant rate from a time on, and the time base in which it is exact.

    Args:
        count: number of frames.
        start: presentation time of the first, seconds.
        rate: frames per second.
        time_base: that `start` is a multiple of.
    """
    step = 1 / rate
    exact = common_tick([step, time_base])
    first, ticks = int(start / exact), int(step / exact)
    pts = first + np.arange(count, dtype=np.int64) * ticks
    return FrameIndex(pts=pts, keys=np.array([], np.int64), last=ticks, counted_by="decode"), exact
