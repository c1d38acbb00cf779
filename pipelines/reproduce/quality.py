"""How much the scores of two runs differ, by rendition; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vmaf import FrameScores


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityResult:
    """VMAF of one rendition, then and now.

    Attributes:
        name: the rendition.
        recorded, now: mean VMAF.
        most: greatest difference of a frame; None where the numbers of frames differ.
        frame: the frame with it.
    """

    name: str
    recorded: float
    now: float
    most: float | None
    frame: int | None


def quality_results(then: Mapping[str, FrameScores], now: Mapping[str, FrameScores]) -> list[QualityResult]:
    """Renditions that are on both sides and whose frames have other scores."""
    found = []
    for name in then:
        if name not in now:
            continue
        one, other = then[name].columns["vmaf"], now[name].columns["vmaf"]
        if np.array_equal(one, other):
            continue
        apart = np.abs(other - one) if one.shape == other.shape else None
        found.append(
            QualityResult(
                name=name,
                recorded=float(one.mean()),
                now=float(other.mean()),
                most=None if apart is None else float(apart.max()),
                frame=None if apart is None else int(apart.argmax()),
            )
        )
    return found
