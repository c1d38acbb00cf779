"""From measured points and what is wanted to one setting per shot and rung; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from archer.media import MediaInfo
from encoder import Rung
from encoder.candidates import Candidates, candidates, quality_grid
from encoder.errors import NoneUsable
from encoder.point import RDPoint, ShotPoints, Size
from encoder.prior import Prior
from encoder.rules import Decided, automatic, decide
from encoder.usable import Usable, plain
from pipelines.analyse.rungs import read_goals, read_rungs


def read_shots(points: Mapping[str, Any], info: MediaInfo) -> list[ShotPoints]:
    """The chunks of an `rd-points@1` object with their points."""
    times = [*info.index.pts, int(info.index.pts[0]) + round(info.duration / info.video.time_base)]
    return [
        ShotPoints(
            frames=row["end"] - row["start"],
            seconds=max(
                1e-3, float((int(times[row["end"]]) - int(times[row["start"]])) * info.video.time_base)
            ),
            points=tuple(_point(point) for point in row["points"]),
            crf=Decimal(row["crf"]) if row.get("crf") else None,
        )
        for row in points["shots"]
    ]


def decided_ladder(wanted: Mapping[str, Any], shots: Sequence[ShotPoints], usable: Usable) -> list[Decided]:
    """Every rung without a quality value of its own, decided.

    Args:
        wanted: a `rungs@1` object.
        shots: measured.
        usable: the quality values that there are.
    """
    rungs = [rung for rung in read_rungs(wanted) if not rung.crf]
    goals = read_goals(wanted)
    tables = tables_of(rungs, shots, usable, wanted)
    if wanted["automatic"]:
        shorts = {(rung.width, rung.height): min(rung.width, rung.height) for rung in rungs}
        return automatic(tables, goals.wanted, goals.rules, shorts)
    return decide(rungs, tables, goals.wanted)


def tables_of(
    rungs: Sequence[Rung],
    shots: Sequence[ShotPoints],
    usable: Usable,
    wanted: Mapping[str, Any],
) -> dict[Size, Candidates]:
    """What there is to choose from, for each size of the rungs. Raises: NoneUsable: all values near to measured ones broke."""
    codec = usable.codec
    grid = tuple(filter(usable.allows, quality_grid(codec, shots)))
    if not grid:
        raise NoneUsable(codec.name, tuple(f"quality {plain(crf)} broke" for crf in sorted(usable.broken)))
    sizes = dict.fromkeys((rung.width, rung.height) for rung in rungs)
    prior = Prior.of(shots, sizes, np.array([float(crf) for crf in grid]), codec)
    surfaces = [prior.surface(shot) for shot in shots]
    limits = read_goals(wanted).limits
    return {size: candidates(shots, surfaces, size, grid, limits) for size in sizes}


def _point(value: Mapping[str, Any]) -> RDPoint:
    return RDPoint(
        width=value["width"],
        height=value["height"],
        crf=Decimal(value["crf"]),
        size=value["bytes"],
        mean=value["mean"],
        harmonic=value["harmonic"],
    )
