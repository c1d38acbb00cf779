"""Which frames to look at: the worst ones, but not the same moment again and again; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def worst_frames(
    scores: npt.NDArray[np.float64], shots: Sequence[tuple[int, int]], *, count: int, apart: int
) -> list[int]:
    """Frames with the lowest scores, worst first.

    Args:
        scores: (n,) one score per frame.
        shots: half-open frame ranges that cover the frames.
        count: how many, at most.
        apart: frames nearer than this to a worse one in the same shot show the same fault, and are left out.
    """
    starts = np.array([start for start, _ in shots])
    taken: list[int] = []
    for frame in np.argsort(scores, kind="stable").tolist():
        if len(taken) == count:
            break
        shot = _shot_of(frame, starts)
        if all(abs(frame - other) >= apart or _shot_of(other, starts) != shot for other in taken):
            taken.append(frame)
    return taken


def _shot_of(frame: int, starts: npt.NDArray[np.int64]) -> int:
    return int(np.searchsorted(starts, frame, side="right")) - 1
