"""Whether two sides show the same frames at the same times: frames are matched by number, which VFR breaks."""

from __future__ import annotations

import numpy as np

from archer.media import FrameRange, MediaInfo
from vmaf.errors import TimingMismatch


def check_times(reference: MediaInfo, distorted: MediaInfo, part: FrameRange, *, offset: int = 0) -> None:
    """Refuse sides of which one has a variable rate and whose frames are out of step.

    Times are compared from the first frame of the part on. Sides of constant rate are not compared: a raw stream has no
    times of its own, and a title that was sped up as a whole still matches by number.

    Args:
        reference, distorted: the files.
        part: frames of the reference.
        offset: distorted frame n + offset shows reference frame n.

    Raises:
        TimingMismatch: a frame lies more than half a frame from where its number says.
    """
    if not (reference.video.vfr or distorted.video.vfr) or len(part) == 0:
        return
    one = _seconds(reference, part.start, part.end)
    other = _seconds(distorted, part.start + offset, part.end + offset)
    apart = np.abs(one - other)
    wrong = np.flatnonzero(apart > 0.5 / float(reference.video.frame_rate))
    if len(wrong):
        first = int(wrong[0])
        raise TimingMismatch(part.start + first, float(one[first]), float(other[first]))


def _seconds(info: MediaInfo, start: int, end: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    ticks = info.index.pts[start:end]
    return np.asarray((ticks - ticks[0]) * float(info.video.time_base), np.float64)
