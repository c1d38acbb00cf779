"""Where B is worst against A; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.compare.match import Pair
from pipelines.report.worst import worst_frames

MOST = 6
"""Regressions of a pair of rungs that are shown."""
LEAST = 0.5
"""Points of VMAF below which a difference is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A frame where B has less VMAF than A, the worst of its surroundings."""

    frame: int
    time_s: float
    shot: int
    a: float
    b: float

    @property
    def delta(self) -> float:
        """Points that B lacks, negative."""
        return self.b - self.a


def regressions(
    pair: Pair, shots: Sequence[tuple[int, int]], times: Sequence[float], rate: float
) -> list[Regression]:
    """The worst frames of B against A, worst first, at least a second apart within a shot.

    Args:
        pair: the rungs.
        shots: half-open frame ranges that cover the title.
        times: seconds of each frame.
        rate: frames per second.
    """
    one, other = (rung.vmaf for rung in pair)
    found = worst_frames(other - one, shots, count=MOST, apart=max(1, round(rate)))
    return [
        Regression(
            frame=frame,
            time_s=float(times[frame]),
            shot=next(place for place, (start, end) in enumerate(shots) if start <= frame < end),
            a=float(one[frame]),
            b=float(other[frame]),
        )
        for frame in found
        if other[frame] - one[frame] <= -LEAST
    ]
