"""Why a rung is what it is: what else would have reached the same quality, and what the curves of the title look like; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from encoder.allocate import FAMILIES, Choice, Goal, Mode, Pool, allocate
from encoder.candidates import Candidates
from encoder.hull import upper_hull
from encoder.point import ShotPoints, Size
from encoder.rules import Decided
from encoder.usable import plain

LEVELS = 24
"""Points of a drawn curve."""


def explained(
    decided: Sequence[Decided], tables: Mapping[Size, Candidates], shots: Sequence[ShotPoints], pool: Pool
) -> dict[str, Any]:
    """What a report shows of the decision, as a JSON object.

    Args:
        decided: the ladder.
        tables: what there was to choose from.
        shots: the measured points.
        pool: the pooled VMAF that counts.
    """
    return {
        "rungs": [_rung(one, tables, pool) for one in decided],
        "curves": [
            {"size": list(size), "points": title_curve(table, pool)} for size, table in tables.items()
        ],
        "shots": [_shot(place, shot, decided, tables) for place, shot in enumerate(shots)],
        "encodes": sum(len(shot.points) for shot in shots),
    }


def predicted(choice: Choice) -> dict[str, Any]:
    """Bytes, bit rate and quality of a title's rung."""
    return {
        "bytes": round(choice.bytes),
        "kbps": round(choice.kbps, 1),
        "vmaf_mean": round(choice.vmaf("mean"), 3),
        "vmaf_harmonic": round(choice.vmaf("harmonic"), 3),
    }


def title_curve(table: Candidates, pool: Pool, mode: Mode = "dynamic") -> list[list[float]]:
    """[kb/s, VMAF] of the title at one size, from few bits to many."""
    rows: list[list[float]] = []
    for share in np.linspace(0.25, 1, LEVELS * 3):
        places, level = FAMILIES[mode](table, pool, float(share))
        choice = Choice(table=table, places=places, level=level, met=True)
        row = [round(choice.kbps, 1), round(choice.vmaf(pool), 2)]
        if not rows or row[1] > rows[-1][1] + 0.5:
            rows.append(row)
    return rows


def _rung(one: Decided, tables: Mapping[Size, Candidates], pool: Pool) -> dict[str, Any]:
    """The choice beside what would have reached the same pooled quality."""
    choice, level = one.choice, one.choice.vmaf(pool)
    same = Goal(vmaf=level)
    modes: list[Mode] = ["dynamic", "constant-vmaf", "per-title"]
    others = [
        {"what": mode, **_alternative(allocate([choice.table], same, mode=mode, pool=pool))} for mode in modes
    ]
    sizes = [
        {"what": f"{size[0]}x{size[1]}", **_alternative(allocate([table], same, mode="dynamic", pool=pool))}
        for size, table in tables.items()
        if size != choice.table.at
    ]
    return {
        "name": one.rung.name,
        "size": list(choice.table.at),
        "goal": {"vmaf": round(one.goal.vmaf, 3), "kbps": round(one.goal.kbps, 1)},
        "met": choice.met,
        "peak": {"kbps": choice.table.limits.peak_kbps, "shots": held_shots(choice)},
        "level": float(f"{choice.level:.6g}"),
        "planned": predicted(choice),
        "modes": others,
        "sizes": sizes,
    }


def held_shots(choice: Choice) -> int:
    """How many shots have the best setting that the peak rate lets them have."""
    table, peak = choice.table, choice.table.limits.peak_kbps
    rates = table.size * 8 / 1000 / table.lasting[:, None]
    finer = np.maximum(choice.places - 1, 0)
    return int((rates[np.arange(len(finer)), finer] > peak).sum()) if peak else 0


def _alternative(choice: Choice) -> dict[str, Any]:
    return {"kbps": round(choice.kbps, 1), "vmaf_mean": round(choice.vmaf("mean"), 2), "met": choice.met}


def _shot(
    place: int, shot: ShotPoints, decided: Sequence[Decided], tables: Mapping[Size, Candidates]
) -> dict[str, Any]:
    return {
        "frames": shot.frames,
        "seconds": round(shot.seconds, 3),
        "points": [
            {
                "size": [point.width, point.height],
                "crf": plain(point.crf),
                "bytes": point.size,
                "vmaf": point.mean,
            }
            for point in shot.points
        ],
        "hull": shot_hull(place, shot, tables),
        "choices": [
            {
                "crf": plain(one.choice.crfs[place]),
                "kbps": round(
                    float(one.choice.of(one.choice.table.size)[place]) * 8 / 1000 / shot.seconds, 1
                ),
                "vmaf": round(float(one.choice.of(one.choice.table.mean)[place]), 2),
            }
            for one in decided
        ],
    }


def shot_hull(place: int, shot: ShotPoints, tables: Mapping[Size, Candidates]) -> list[list[float]]:
    """[kb/s, VMAF, height] of the upper convex hull of a shot over all sizes, thinned to vertices 1 VMAF apart."""
    rates = np.concatenate([table.size[place] for table in tables.values()]) * 8 / 1000 / shot.seconds
    quality = np.concatenate([table.mean[place] for table in tables.values()])
    heights = np.concatenate([np.full(len(table.crfs), size[1]) for size, table in tables.items()])
    kept: list[list[float]] = []
    for vertex in upper_hull(rates.tolist(), quality.tolist()):
        value = float(quality[vertex.place])
        if not kept or value > kept[-1][1] + 1:
            kept.append([round(float(rates[vertex.place]), 1), round(value, 2), int(heights[vertex.place])])
    return kept
