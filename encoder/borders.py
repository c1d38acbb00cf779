"""Runs of segments across the borders of chunks that were coded apart: which chunk gives way, and how far; pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

from encoder.vbv import ABOVE, Cap, Coded, greatest_share, holds, runs


def joined(parts: Sequence[Coded]) -> Coded:
    """Chunks behind one another."""
    starts = [0, *accumulate(len(part.sizes) for part in parts)]
    return Coded(
        sizes=[size for part in parts for size in part.sizes],
        times=[*(time for part in parts for time in part.times[:-1]), parts[-1].times[-1]],
        keys=[start + key for start, part in zip(starts, parts, strict=False) for key in part.keys],
    )


def offender(parts: Sequence[Coded], cap: Cap, but: Collection[int] = ()) -> int | None:
    """Place of the chunk that has most of the heaviest run above the peak; None where no run is above it.

    Args:
        parts: the chunks of a rendition, in order.
        cap: what it keeps to.
        but: chunks that cannot give way: of each run another one is asked then, and runs of these alone count no more.
    """
    whole = joined(parts)
    starts = [0, *accumulate(len(part.sizes) for part in parts)]
    above = [run for run in runs(whole, cap.window_s) if run.rate > cap.kbps * ABOVE]
    for run in sorted(above, key=lambda run: -run.rate):
        inside = {
            place: sum(whole.sizes[max(start, run.start) : min(end, run.end)])
            for place, (start, end) in enumerate(pairwise(starts))
            if place not in but and start < run.end and end > run.start
        }
        if inside:
            return max(inside, key=inside.__getitem__)
    return None


def fitting_beside(parts: Sequence[Coded], place: int, cap: Cap) -> float:
    """The greatest share of a chunk's bytes, up to 1, with which it keeps to the cap, and so do all runs that touch it.

    Args:
        parts: the chunks of a rendition, in order; all but one stay as they are.
        place: of the one.
        cap: what it keeps to.
    """
    reach = 1.5 * cap.window_s
    own = parts[place]
    first = next(at for at in range(place + 1) if own.times[0] - parts[at].times[-1] <= reach)
    near = parts[
        first : next(
            (at for at in range(place, len(parts)) if parts[at].times[0] - own.times[-1] > reach), None
        )
    ]
    start = sum(len(part.sizes) for part in near[: place - first])

    def fits(share: float) -> bool:
        part = replace(own, sizes=[int(size * share) for size in own.sizes])
        beside = joined([*near[: place - first], part, *near[place - first + 1 :]])
        touching = (
            run
            for run in runs(beside, cap.window_s)
            if run.start < start + len(own.sizes) and run.end > start
        )
        return holds(own, cap, share) and all(run.rate <= cap.kbps * ABOVE for run in touching)

    return greatest_share(fits)
