"""All checks over a title, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pipelines.qc import level, time
from pipelines.qc.finding import KINDS, SEVERITIES, Finding
from pipelines.qc.profile import Profile
from pipelines.qc.title import Title

SCHEMA = "qc@1"
Check = Callable[[Title, Profile], level.Found]
CHECKS: dict[str, Check] = {
    "black": time.black,
    "white": time.white,
    "freeze": time.freeze,
    "duplicate": time.duplicate,
    "dropped": time.dropped,
    "dead_pixel": level.dead_pixel,
    "range": level.range,
    "gamut": level.gamut,
    "flash": time.flash,
    "field_order": level.field_order,
    "blocks": level.blocks,
    "banding": level.banding,
    "telecine": time.telecine,
}
"""Kind of finding -> who looks for it."""


def findings(title: Title, profile: Profile) -> list[Finding]:
    """What is wrong with a title, by frame."""
    found = [
        Finding(
            kind=kind,
            severity=profile.severity.get(kind, KINDS[kind]),  # type: ignore[arg-type]
            start=span.start,
            end=span.end,
            message=message,
        )
        for kind, check in CHECKS.items()
        if kind not in profile.skip and len(title)
        for span, message in check(title, profile)
    ]
    return sorted(found, key=lambda each: (each.start, each.kind, each.end))


def report(title: Title, found: list[Finding]) -> dict[str, Any]:
    """A `qc@1` object: integers and text only."""
    worst = max((SEVERITIES.index(each.severity) for each in found), default=-1)
    return {
        "schema": SCHEMA,
        "frames": len(title),
        "frame_rate": str(title.rate),
        "verdict": "pass" if worst < 0 else SEVERITIES[worst],
        "picture": picture(title),
        "findings": [each.to_json() for each in found],
    }


def picture(title: Title) -> dict[str, int]:
    """Where the picture lies within its black bars: columns, rows, from the frames that are not dark."""
    lit = title["luma_p99"] > 40
    bars = {
        side: int(np.median(title[f"bar_{side}"][lit])) if lit.any() else 0
        for side in ("top", "bottom", "left", "right")
    }
    width, height = title.video.width, title.video.height
    return {
        "left": bars["left"],
        "top": bars["top"],
        "width": max(0, width - bars["left"] - bars["right"]),
        "height": max(0, height - bars["top"] - bars["bottom"]),
    }
