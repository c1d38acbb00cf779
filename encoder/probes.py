"""Which encodes to make of a shot before its rungs are decided: a few that span them, then one where each rung landed; pure.

Where other shots are known (see `encoder.prior`), the first few are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from encoder.codecs.base import Codec
from encoder.point import ShotPoints, Size
from encoder.rules import Decided
from encoder.usable import Usable

LIMITS = (5, 7, 9)
"""Analysis encodes of a shot: up to the next of these are made at a time, so that some are left for where better curves say that
its rungs land."""
MOST = LIMITS[-1]
"""All together."""
Probe = tuple[Size, Decimal]


def first_probes(sizes: Sequence[Size], codec: Codec, usable: Usable | None = None) -> tuple[Probe, ...]:
    """Two qualities at the largest size and at the smallest: everything else lies between or near them.

    Quality falls slower at small sizes, where scaling is what it is lost by; so much so that one point at the smallest size
    does not say which size a rung should have (see `benchmarks/bd_rate.py`).

    Args:
        sizes: of the ladder, in any order.
        codec: its first guesses are for a VMAF around 93, and one step below it.
        usable: which qualities there are, where some broke; others than usual stand for these then, or none.
    """
    ordered = sorted(set(sizes), key=lambda size: -size[0] * size[1])
    good, less = (Decimal(guess) for guess in codec.first_guesses)
    poor = min(codec.quality[1], good + 2 * (less - good))
    ends = [(usable or Usable(codec=codec)).nearest(crf) for crf in (good, poor)]
    return tuple(
        dict.fromkeys((size, crf) for size in (ordered[0], ordered[-1]) for crf in ends if crf is not None)
    )


NEAR, BEYOND = 3, 4
"""Parts of the distance of a codec's first guesses that are near enough to a measured point; in the end the second beyond the
last one, where curves are continued and not interpolated."""


def corrections(
    decided: Sequence[Decided], shots: Sequence[ShotPoints], codec: Codec, *, again: bool = False
) -> tuple[tuple[Probe, ...], ...]:
    """Per shot the settings that its rungs would use and that nothing measured is near to.

    Where that is more than `LIMITS` allow, the ones that are farthest from a measured point are kept.

    Args:
        decided: the ladder from the points so far.
        shots: those points; of some there may be none yet.
        codec: what is near depends on the distance of its first guesses.
        again: the shots were corrected before; more is asked for beyond the known curves then.
    """
    good, less = (Decimal(guess) for guess in codec.first_guesses)
    near, beyond = ((less - good) / part for part in (NEAR, BEYOND if again else NEAR))
    return tuple(_of_shot(place, shot, decided, near, beyond) for place, shot in enumerate(shots))


def _of_shot(
    place: int, shot: ShotPoints, decided: Sequence[Decided], near: Decimal, beyond: Decimal
) -> tuple[Probe, ...]:
    distances: dict[Probe, Decimal] = {}
    for one in decided:
        size, crf = one.choice.table.at, one.choice.crfs[place]
        there = [point.crf for point in shot.points if (point.width, point.height) == size]
        distance = min((abs(known - crf) for known in there), default=Decimal(1000))
        enough = near if there and min(there) <= crf <= max(there) else beyond
        if distance > enough and all(
            other != size or abs(value - crf) > enough for other, value in distances
        ):
            distances[size, crf] = distance
    farthest = sorted(distances, key=lambda probe: -distances[probe])
    made = len(shot.points)
    return tuple(farthest[: next((limit for limit in LIMITS if limit > made), MOST) - made])
