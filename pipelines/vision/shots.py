"""From frames to shots: means, a key frame, what the camera does, which shots look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from pipelines.vision.phash import distances

Columns = Mapping[str, npt.NDArray[Any]]
NEEDED = (
    "luma_mean",
    "contrast",
    "colourfulness",
    "sharpness",
    "noise",
    "si",
    "ti",
    "pan_x",
    "pan_y",
    "zoom",
    "phash",
)
"""Columns of frames that tables of shots are made of."""

ALIKE = 8
"""Bits in which hashes of nearly equal pictures differ at most."""
MATCH = 20
"""Bits in which hashes of pictures that are composed alike differ at most; those of any two differ in 32, give or take 4."""
STILL, MOVING = 0.05, 0.12
"""Per cent of the width per frame below which a camera stands; above which it moves for certain."""
STEADY = 0.6
"""Share of the path that a camera that pans goes in one direction."""


def shot_row(number: int, frames: FrameRange, columns: Columns) -> dict[str, Any]:
    """The row of one shot, without `like_shot` and `colours`."""
    part = {name: columns[name][frames.start : frames.end] for name in NEEDED}
    inner = {name: part[name][1:] for name in ("ti", "pan_x", "pan_y", "zoom")}
    key = key_frame(part["sharpness"])
    length = np.hypot(inner["pan_x"], inner["pan_y"] * 9 / 16)
    return {
        "shot": number,
        "start": frames.start,
        "end": frames.end,
        **{name: float(part[name].mean()) for name in ("luma_mean", "contrast", "colourfulness")},
        **{name: float(np.median(part[name])) for name in ("sharpness", "noise")},
        "si": float(part["si"].max()),
        "ti": float(inner["ti"].max()) if len(inner["ti"]) else None,
        "motion": float(length.mean()) if len(length) else None,
        "camera": camera(inner["pan_x"], inner["pan_y"], inner["zoom"]),
        "key_frame": frames.start + key,
        "phash": int(part["phash"][key]),
    }


def key_frame(sharpness: npt.NDArray[np.float32]) -> int:
    """The sharpest frame of the middle half."""
    first = len(sharpness) // 4
    return first + int(sharpness[first : len(sharpness) - first].argmax())


def camera(
    pan_x: npt.NDArray[np.float32], pan_y: npt.NDArray[np.float32], zoom: npt.NDArray[np.float32]
) -> str:
    """What a camera does: `static`, `pan`, `tilt`, `zoom`, `handheld` or `mixed`.

    Args:
        pan_x, pan_y, zoom: per frame, as the table has them.
    """
    ways = {
        "pan": pan_x,
        "tilt": pan_y * np.float32(9 / 16),
        "zoom": zoom / 2,
    }  # all in % of the width, at the border
    path = {name: float(np.abs(way).mean()) if len(way) else 0.0 for name, way in ways.items()}
    most = max(path, key=lambda name: path[name])
    if path[most] < STILL:
        return "static"
    net = abs(float(ways[most].mean()))
    if net >= STEADY * path[most] and net >= MOVING / 2:
        rest = max(abs(float(way.mean())) for name, way in ways.items() if name != most)
        return most if rest < net / 2 else "mixed"
    return "handheld" if path[most] >= STILL else "static"


def like_shots(hashes: Sequence[int]) -> list[int | None]:
    """For each shot the first earlier one whose key frame looks nearly the same."""
    table = np.array(hashes, np.uint64)
    found: list[int | None] = []
    for place, one in enumerate(hashes):
        near = np.flatnonzero(distances(one, table[:place]) <= ALIKE)
        found.append(int(near[0]) if len(near) else None)
    return found


def match_shots(hashes: Sequence[int]) -> list[tuple[int, int] | None]:
    """For each shot the one composed most alike that is not nearly the same, and in how many bits their hashes differ.

    Of several equally near ones the first; None where none is near enough to be a candidate for a match cut.
    """
    table = np.array(hashes, np.uint64)
    found: list[tuple[int, int] | None] = []
    for place, one in enumerate(hashes):
        apart = distances(one, table).astype(np.int64)
        apart[(apart <= ALIKE) | (np.arange(len(apart)) == place)] = MATCH + 1
        nearest = int(apart.argmin())
        found.append((nearest, int(apart[nearest])) if apart[nearest] <= MATCH else None)
    return found
