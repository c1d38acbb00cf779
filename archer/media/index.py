"""The exact index of a title's frames: when each is shown, and where decoding may start."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameIndex:
    """Frames in presentation order.

    Attributes:
        pts: (n,) int64, presentation time of each frame in ticks of the stream's time base, strictly rising.
        keys: (k,) int64, indexes into `pts` of frames at which a decoder can start.
        counted_by: `demux` (packets say it all) or `decode` (every frame was decoded to know).
        seekable: False where seeking cannot be trusted to give the same frames, so ranges decode from the start.
    """

    pts: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    counted_by: str
    seekable: bool = True

    def __len__(self) -> int:
        return len(self.pts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameIndex) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # compared in tests only; arrays do not hash

    def key_before(self, frame: int, back: int = 0) -> int:
        """The nearest key frame at or before `frame`, or the one `back` key frames earlier; 0 at the latest."""
        if not self.seekable:
            return 0
        place = int(np.searchsorted(self.keys, frame, side="right")) - 1 - back
        return int(self.keys[place]) if place >= 0 else 0

    def to_json(self) -> dict[str, Any]:
        """A JSON object; presentation times as first value and run lengths of equal distances."""
        return {
            "first": int(self.pts[0]) if len(self.pts) else 0,
            "steps": _runs(self.pts),
            "keys": self.keys.tolist(),
            "frames": len(self.pts),
            "counted_by": self.counted_by,
            "seekable": self.seekable,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The index that `to_json` wrote."""
        steps = (step for step, count in value["steps"] for _ in range(count))
        pts = list(accumulate(steps, initial=value["first"])) if value["frames"] else []
        return cls(
            pts=np.array(pts, np.int64),
            keys=np.array(value["keys"], np.int64),
            counted_by=value["counted_by"],
            seekable=value["seekable"],
        )


def _runs(pts: npt.NDArray[np.int64]) -> list[list[int]]:
    runs: list[list[int]] = []
    for before, after in pairwise(pts.tolist()):
        if runs and runs[-1][0] == after - before:
            runs[-1][1] += 1
        else:
            runs.append([after - before, 1])
    return runs
