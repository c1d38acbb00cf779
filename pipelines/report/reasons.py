"""Why a shot has its setting on a rung, in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any


def reason(shot: Mapping[str, Any], number: int, place: int, rung: Mapping[str, Any], mode: str) -> str:
    """What was chosen, how it stands to the rung's mean, and by which rule.

    Args:
        shot: of a `choices@1` object.
        number: of the part, from 1.
        place: of the rung among the decided ones.
        rung: of the same object.
        mode: `dynamic`, `constant-vmaf` or `per-title`.
    """
    one = shot["choices"][place]
    where = f"Part {number} ({shot['frames']} frames) on {rung['name']}"
    words = [
        f"{where}: CRF {one['crf']} for {one['kbps']:,.0f} kb/s and VMAF {one['vmaf']:.1f}.",
        _beside(one, rung["planned"]),
        _rule(rung, mode),
        _ceiling(shot["hull"], one, rung["size"][1]),
    ]
    return " ".join(word for word in words if word)


def _beside(one: Mapping[str, Any], planned: Mapping[str, Any]) -> str:
    """Bits and quality beside those of the whole rung."""
    share, gain = one["kbps"] / max(planned["kbps"], 0.1), one["vmaf"] - planned["vmaf_mean"]
    if 0.95 <= share <= 1.05:
        bits = "It gets as many bits a second as the rung has on average"
    elif share < 1:
        bits = f"It gets {100 * (1 - share):.0f} % fewer bits a second than the rung has on average"
    else:
        bits = f"It gets {share:.1f} times the bits a second that the rung has on average"
    level = (
        "at the same quality"
        if abs(gain) < 0.5
        else f"and is {abs(gain):.1f} VMAF {'above' if gain > 0 else 'below'} it"
    )
    return f"{bits}, {level}."


def _rule(rung: Mapping[str, Any], mode: str) -> str:
    if mode == "constant-vmaf":
        return f"Rule: every shot of the rung has VMAF {rung['level']:.1f}."
    if mode == "per-title":
        return f"Rule: every shot of the rung has CRF {rung['level']:g}."
    return (
        f"Rule: one more kB gains {1000 * rung['level']:.3g} VMAF frames here as in every other shot of the rung, so moving "
        "bits between shots would lose quality."
    )


def _ceiling(hull: Sequence[Sequence[float]], one: Mapping[str, Any], height: int) -> str:
    """What the best size of all would give this shot for the same bits, by the chord of its hull."""
    for (low, worse, _), (high, better, best) in pairwise(hull):
        if low <= one["kbps"] <= high and best != height:
            there = worse + (better - worse) * (one["kbps"] - low) / max(high - low, 1e-9)
            if there - one["vmaf"] >= 0.5:
                return f"For these bits {best:.0f} lines would give VMAF {there:.1f}."
    return ""
