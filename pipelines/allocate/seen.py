"""How far predictions were off so far: each corrective point against what the points before it had said; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from encoder.candidates import quality_grid
from encoder.codecs import Codec
from encoder.point import ShotPoints, Size
from encoder.prior import Prior, pilots
from encoder.probes import first_probes


def error_seen(shots: Sequence[ShotPoints], sizes: Sequence[Size], codec: Codec) -> Mapping[str, Any]:
    """Mean absolute error over all corrective points, of VMAF and of bytes in percent; their number.

    A corrective point is one after the first ones of a chunk that was measured first, or after the first one of any other.

    Args:
        shots: measured points, in the order in which they were asked for.
        sizes: of the ladder; they say which points came first.
        codec: as for `first_probes`.
    """
    off = list(_errors(shots, sizes, codec)) if sizes and shots else []
    if not off:
        return {"points": 0, "vmaf": 0.0, "bytes_pct": 0.0}
    vmaf, size = np.abs(np.array(off)).mean(axis=0)
    return {"points": len(off), "vmaf": round(float(vmaf), 3), "bytes_pct": round(float(size), 2)}


def _errors(
    shots: Sequence[ShotPoints], sizes: Sequence[Size], codec: Codec
) -> Iterator[tuple[float, float]]:
    """(VMAF, percent of bytes) of each corrective point."""
    grid = np.array([float(crf) for crf in quality_grid(codec, shots)])
    prior = Prior.of(shots, sizes, grid, codec)
    first, known = pilots(len(shots)), len(first_probes(sizes, codec))
    for place, shot in enumerate(shots):
        for number in range(known if place in first else 1, len(shot.points)):
            point = shot.points[number]
            before = replace(shot, points=shot.points[:number])
            curve = prior.surface(before).curve((point.width, point.height))
            mean, size = (np.interp(float(point.crf), grid, line) for line in (curve.mean, curve.size))
            yield point.mean - float(mean), 100 * (point.size / max(float(size), 1.0) - 1)
