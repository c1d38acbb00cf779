"""The exact index of a title's frames: when each is shown, and where decoding may start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
WHOLE = 1 << 62
"""Byte position beyond the end of every file."""


def _none() -> Ints:
    return np.array([], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameIndex:
    """Frames in presentation order.

    Attributes:
        pts: (n,) int64, presentation time of each frame in ticks of the stream's time base, strictly rising.
        keys: (k,) int64, rising indexes into `pts` of frames at which a decoder can start afresh: from there on every
            frame that is shown later comes out as in a decode from the start of the title.
        positions: (k,) int64, byte position of each key's packet in the file, -1 where the container has none.
        last: ticks that the last frame is shown for; 0 where the container does not say.
        damaged: rising indexes of frames that the decoder had to patch up, as found by a decode of the whole title.
        lost: packets that gave no frame at all because they are damaged.
        counted_by: `demux` (packets say it all) or `decode` (every frame was decoded to know).
        seekable: False where times are made up or frames cannot be told apart, so ranges decode from the start.
    """

    pts: Ints
    keys: Ints
    positions: Ints = field(default_factory=_none)
    last: int = 0
    damaged: Ints = field(default_factory=_none)
    lost: int = 0
    counted_by: str
    seekable: bool = True

    def __len__(self) -> int:
        return len(self.pts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameIndex) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # arrays do not hash

    @classmethod
    def empty(cls) -> Self:
        """The index of no frames."""
        return cls(pts=_none(), keys=_none(), counted_by="demux")

    def place(self, pts: int | None) -> int | None:
        """The frame that is shown at `pts`; None where there is none."""
        if pts is None:
            return None
        found = int(np.searchsorted(self.pts, pts))
        return found if found < len(self.pts) and self.pts[found] == pts else None

    def entries(self, frame: int) -> Iterator[tuple[int, int] | None]:
        """Places to start decoding for `frame`, best first: the key at or before it, earlier ones, at last the start.

        Yields:
            (key frame, byte position or -1); None means the start of the file.
        """
        nearest = int(np.searchsorted(self.keys, frame, side="right")) - 1 if self.seekable else -1
        for back in (0, 1, 3):
            place = nearest - back
            if place >= 0 and self.keys[place] > 0:
                yield int(self.keys[place]), int(self.positions[place]) if len(self.positions) else -1
        yield None

    def span(self, key: int, end: int) -> tuple[int, int] | None:
        """Half-open byte range of the packets that frames [key, end) need; None where the container does not tell.

        Where `end` lies within a group of pictures, its share of the group's bytes is taken, and a quarter more, as groups
        begin with their longest packet.
        """
        first, after = (int(place) for place in np.searchsorted(self.keys, (key, end)))
        if first >= len(self.positions) or self.positions[first] < 0:
            return None
        start = int(self.positions[first])
        if after == len(self.keys):
            return (start, WHOLE) if end >= len(self) else None
        last, stop = int(self.positions[after - 1]), int(self.positions[after])
        if not start <= last < stop:
            return None
        frames = int(self.keys[after] - self.keys[after - 1])
        share = min(4 * frames, 5 * int(end - self.keys[after - 1]))
        return start, last + (stop - last) * share // (4 * frames)

    def bytes_in(self, start: int, end: int) -> int:
        """About how many bytes of the file frames [start, end) take: a measure of how much happens in them.

        Frames of a group of pictures count alike, those of the last group as the others on average. 0 where the container
        does not tell, or there is but one group.
        """
        places = self.positions
        if len(places) < 2 or (np.diff(places, prepend=np.int64(-1)) <= 0).any():
            return 0
        share = (len(self) - self.keys[-1]) / (self.keys[-1] - self.keys[0])
        edges = np.append(self.keys, len(self))
        upto = np.append(places, places[-1] + share * (places[-1] - places[0]))
        first, after = np.interp((start, end), edges, upto)
        return round(float(after - first))

    def to_json(self) -> dict[str, Any]:
        """A JSON object; rising numbers as a first value and run lengths of equal distances."""
        return {
            "frames": len(self.pts),
            "pts": packed(self.pts),
            "keys": packed(self.keys),
            "positions": packed(self.positions),
            "last": self.last,
            "damaged": packed(self.damaged),
            "lost": self.lost,
            "counted_by": self.counted_by,
            "seekable": self.seekable,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The index that `to_json` wrote."""
        arrays = {name: unpacked(value[name]) for name in ("pts", "keys", "positions", "damaged")}
        return cls(
            **arrays,
            last=value["last"],
            lost=value["lost"],
            counted_by=value["counted_by"],
            seekable=value["seekable"],
        )


def packed(numbers: Ints) -> list[list[int]]:
    """Run lengths [distance, count] of `numbers`, whose first distance is from 0."""
    steps = np.diff(numbers, prepend=np.int64(0)).tolist()
    return [[step, len(list(run))] for step, run in groupby(steps)]


def unpacked(runs: list[list[int]]) -> Ints:
    """The numbers that `packed` wrote."""
    if not runs:
        return _none()
    steps, counts = np.array(runs, np.int64).T
    return np.cumsum(np.repeat(steps, counts), dtype=np.int64)
