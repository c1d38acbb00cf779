"""How far predictions were off so far: each corrective point against what the points before it had said; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encoder.codecs import Codec
from encoder.point import RDPoint, ShotPoints, Size
from encoder.probes import first_probes
from encoder.surface import Surface


def error_seen(shots: Sequence[ShotPoints], sizes: Sequence[Size], codec: Codec) -> Mapping[str, Any]:
    """Mean absolute error over all corrective points, of VMAF and of bytes in percent; their number.

    Args:
        shots: measured points.
        sizes: of the ladder; they say which points came first.
        codec: as for `first_probes`.
    """
    first = set(first_probes(sizes, codec)) if sizes else set()
    off = [pair for shot in shots for pair in _of_shot(shot, first)]
    if not off:
        return {"points": 0, "vmaf": 0.0, "bytes_pct": 0.0}
    vmaf, size = np.abs(np.array(off)).mean(axis=0)
    return {"points": len(off), "vmaf": round(float(vmaf), 3), "bytes_pct": round(float(size), 2)}


def _of_shot(shot: ShotPoints, first: set[tuple[Size, Any]]) -> list[tuple[float, float]]:
    known = [point for point in shot.points if _probe(point) in first]
    later = [point for point in shot.points if _probe(point) not in first]
    found = []
    for point in later:
        curve = Surface(known, np.array([float(point.crf)])).curve((point.width, point.height))
        found.append(
            (point.mean - float(curve.mean[0]), 100 * (point.size / max(float(curve.size[0]), 1.0) - 1))
        )
    return found


def _probe(point: RDPoint) -> tuple[Size, Any]:
    return (point.width, point.height), point.crf
