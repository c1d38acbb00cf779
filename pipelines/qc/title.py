"""What quality control knows of a title: its facts, its shots, columns of its frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media import VideoStream
from archer.media.range import FrameRange

Column = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
NEEDED = (
    "luma_mean", "luma_std", "luma_min", "luma_max", "luma_p99", "below_range", "above_range", "out_of_gamut", "blockiness",
    "bar_top", "bar_bottom", "bar_left", "bar_right", "change", "comb", "field_order", "top_change", "bottom_change", "spots",
    "spot_places", "flash", "flash_dark", "red_flash", "pan_x", "pan_y", "unexplained",
)  # fmt: skip
"""Columns of `vision-frames@1` that findings are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What a harder look at a shot found.

    Attributes:
        shot: its frames.
        frame: its key frame.
        banding: CAMBI of it.
    """

    shot: FrameRange
    frame: int
    banding: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Title:
    """A title to be judged.

    Attributes:
        video: facts of its stream.
        shots: contiguous ranges that cover it.
        columns: `NEEDED`, one value a frame; NaN in the first frame where there is nothing to compare with.
        stills: shots whose key frame was looked at, in order.
    """

    video: VideoStream
    shots: Sequence[FrameRange]
    columns: Mapping[str, Column]
    stills: Sequence[Still] = ()

    def __len__(self) -> int:
        return len(self.columns["change"])

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        return self.video.frame_rate

    @property
    def full_range(self) -> bool:
        """As the file says."""
        return bool(self.video.colour.full_range)

    def change(self) -> npt.NDArray[np.float32]:
        """Change from frame to frame within shots, 8-bit units; NaN where a shot begins."""
        found = self["change"].astype(np.float32)
        found[[shot.start for shot in self.shots]] = np.nan
        return found


def runs(mask: Mask) -> Iterator[FrameRange]:
    """Ranges where a mask is true."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        yield FrameRange(int(start), int(end))
