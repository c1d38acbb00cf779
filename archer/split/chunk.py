"""Shots and chunks: where a title changes, and where it is cut into units of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archer.media.range import FrameRange

Transition = Literal["start", "cut", "dissolve", "fade"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A run of frames from one camera take.

    Attributes:
        frames: half-open range; shots of a title are contiguous and cover it.
        transition: how the shot begins; `start` for the first of a title.
        confidence_pct: certainty of the boundary at its start, integer 0 to 100.
        mixed: frames of a gradual transition at its start (of both shots, or of this one and black), which may begin
            before the shot; None for a cut.
        fade_out: frames in which it ends in black or another colour; None where it does not.
    """

    frames: FrameRange
    transition: Transition = "cut"
    confidence_pct: int = 100
    mixed: FrameRange | None = None
    fade_out: FrameRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Unit of work: a frame range with the context its map reads on each side.

    Attributes:
        index: position among the chunks of its split, 0-based.
        frames: the frames this chunk answers for.
        before, after: context frames that the map may read outside `frames`, already clipped to the title.
    """

    index: int
    frames: FrameRange
    before: int = 0
    after: int = 0

    @property
    def read(self) -> FrameRange:
        """Frames to read: `frames` grown by the context."""
        return FrameRange(self.frames.start - self.before, self.frames.end + self.after)
