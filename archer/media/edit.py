"""A title that is put together of ranges of one file or of several: which of its frames is which of theirs. Nothing is written.

Like a view, an edit is settled once, when a title is taken in. The title's facts are those of what is seen; `archer.media.frames`
gives its frames, and whoever reads sound or text asks for its spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from archer.media.index import FrameIndex, Ints
from archer.media.range import FrameRange
from archer.media.rate import common_tick

if TYPE_CHECKING:
    from archer.media.info import MediaInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Frames of a file, not empty.

    Attributes:
        source: number of the file, from 0.
        frames: its frames, as its view shows them.
    """

    source: int
    frames: FrameRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Time of a file, and where it is in the title.

    Attributes:
        source: number of the file, from 0.
        start, end: seconds from the first frame of the file; `end` is that of its last frame.
        at: seconds from the first frame of the title.
    """

    source: int
    start: Fraction
    end: Fraction
    at: Fraction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edit:
    """What a title is put together of.

    Attributes:
        sources: facts of each file, as it is looked at.
        pieces: their frames, in the order of the title.
        notes: what was changed about the files so that they fit each other, for people.
    """

    sources: tuple[MediaInfo, ...]
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = ()

    def parts(self, wanted: FrameRange) -> Iterator[tuple[int, Piece]]:
        """What a range of the title is made of: the number of the first frame in the title, and the frames of a file."""
        first = 0
        for piece in self.pieces:
            start, end = max(wanted.start, first), min(wanted.end, first + len(piece.frames))
            if start < end:
                shift = piece.frames.start - first
                yield start, Piece(source=piece.source, frames=FrameRange(start + shift, end + shift))
            first += len(piece.frames)

    def spans(self) -> tuple[Span, ...]:
        """The times of all pieces, in the order of the title."""
        found, at = [], Fraction(0)
        for piece in self.pieces:
            source = self.sources[piece.source]
            start, end = source.time_of(piece.frames.start), source.time_of(piece.frames.end)
            found.append(Span(source=piece.source, start=start, end=end, at=at))
            at += end - start
        return tuple(found)

    def index(self) -> tuple[FrameIndex, Fraction]:
        """The index of the title's frames, the first at 0, and the time base in which all of their times are exact."""
        tick = common_tick(
            [each.video.time_base for each in self.sources] + [span.end - span.start for span in self.spans()]
        )
        times, keys, damaged, first = list[Ints](), list[Ints](), list[Ints](), 0
        for piece, span in zip(self.pieces, self.spans(), strict=True):
            source, part = self.sources[piece.source], piece.frames
            pts = source.index.pts[part.start : part.end]
            times.append(int(span.at / tick) + (pts - pts[0]) * int(source.video.time_base / tick))
            for found, numbers in ((keys, source.index.keys), (damaged, source.index.damaged)):
                inside = numbers[(numbers >= part.start) & (numbers < part.end)]
                found.append(inside - part.start + first)
            first += len(part)
        end = int((span.at + span.end - span.start) / tick)
        made = FrameIndex(
            pts=np.concatenate(times),
            keys=np.concatenate(keys),
            last=end - int(times[-1][-1]),
            damaged=np.concatenate(damaged),
            lost=sum(each.index.lost for each in self.sources),
            counted_by="decode",
        )
        return made, tick

    def remarks(self) -> list[str]:
        """What it and the views of its files change, for people."""
        several = len(self.sources) > 1
        found = (
            [f"put together of {len(self.pieces)} pieces of {len(self.sources)} inputs"] if several else []
        )
        if not several:
            frames = sum(len(piece.frames) for piece in self.pieces)
            found.append(f"cut to {frames} of {self.sources[0].frame_count} frames")
        for place, source in enumerate(self.sources, 1):
            words = source.view.remarks() if source.view else []
            found += [f"input {place}: {remark}" if several else remark for remark in words]
        return [*found, *self.notes]
