"""Shots of many clips as one title, from the points of the titles that they were measured in; nothing is encoded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rd_points import RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """A title whose shots are those of other titles, at sizes that all of them have.

    Attributes:
        name: of the title.
        titles: whose shots it has, in this order.
        heights: sizes of its rungs, by the shorter side, largest first.
    """

    name: str
    titles: tuple[str, ...]
    heights: tuple[int, ...]


LARGE = ("live_720p", "bbb_1080p", "dark_720p", "popeye_1074p")
MIXED = (
    Mixed(name="mixed_720p", titles=LARGE, heights=(720, 540, 360)),
    Mixed(name="mixed_540p", titles=(*LARGE, "dashcam_540p", "trailer_540p"), heights=(540, 360)),
)


def joined(mixed: Mixed, codec: str) -> dict[str, Any] | None:
    """What a file of `rd_points` would hold of it; None where a title is not measured whole."""
    paths = [RESULTS / f"{title}.{codec}.json" for title in mixed.titles]
    if not all(path.is_file() for path in paths):
        return None
    parts = [json.loads(path.read_bytes()) for path in paths]
    if any(len(part["shots"]) < 5 or not part["fixed"] for part in parts):
        return None
    shots = [
        {**shot, "points": [point for point in shot["points"] if point["height"] in mixed.heights]}
        for part in parts
        for shot in part["shots"]
    ]
    common = {"title": mixed.name, "kind": "shots of many clips", "heights": list(mixed.heights)}
    return {**parts[0], **common, "shots": shots, "fixed": _fixed(parts)}


def _fixed(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rungs of the fixed ladder that all titles have."""
    by_rate = [{rung["kbps"]: rung for rung in part["fixed"]} for part in parts]
    rates = [rate for rate in by_rate[0] if all(rate in rungs for rungs in by_rate)]
    return [_one_rung([rungs[rate] for rungs in by_rate]) for rate in rates]


def _one_rung(rungs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "height": rungs[0]["height"],
        "kbps": rungs[0]["kbps"],
        "frames": sum(rung["frames"] for rung in rungs),
        "bytes": sum(rung["bytes"] for rung in rungs),
        "vmaf": [score for rung in rungs for score in rung["vmaf"]],
    }
