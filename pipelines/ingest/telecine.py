"""Film in interlaced video: find the 3:2 pattern, and undo it by matching fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media.index import Ints
from cinemill_native.frames import Frame

CYCLE = 5
"""Video frames that hold four film frames."""
SAMPLE = 100
"""Frames in a row that are looked at."""
STRENGTH = 5.0
"""Least ratio of the variance between the phases of a cycle to that within them; chance gives about 1."""
TILT = 0.04
"""Least difference of the phases' medians, as part of the movement of both fields."""


def is_telecined(frames: Iterable[Frame]) -> bool:
    """Frames in a row show 3:2 pull-down.

    In every five frames one top and one bottom field repeat the frame before, two frames apart. So the difference of what
    both fields change has a period of five, which is found by an analysis of variance over the phases; it shows through
    the noise of a codec, and true interlaced video has none.

    Args:
        frames: stored frames in a row, some dozens.
    """
    return is_pulled_down(np.array(list(_field_steps(frames))).reshape(-1, 2))


def is_pulled_down(steps: npt.NDArray[np.floating[Any]]) -> bool:
    """Changes of fields from frame to frame show 3:2 pull-down; see `is_telecined`.

    Args:
        steps: (n, 2) mean absolute changes of the top and the bottom field, 8-bit units, frames in a row; fewer than 20
            say nothing.
    """
    if len(steps) < 4 * CYCLE:
        return False
    tilt = (steps[:, 0] - steps[:, 1]) / (steps.sum(axis=1) + 0.1)
    cycles = tilt[: len(tilt) // CYCLE * CYCLE].reshape(-1, CYCLE)
    medians = np.median(cycles, axis=0)
    within = float(cycles.var(axis=0, ddof=1).mean()) or 1e-12
    strength = float(cycles.mean(axis=0).var()) * len(cycles) * CYCLE / (CYCLE - 1) / within
    apart = (int(medians.argmax()) - int(medians.argmin())) % CYCLE
    return strength >= STRENGTH and float(np.ptp(medians)) >= TILT and apart in (2, 3)


def _field_steps(frames: Iterable[Frame]) -> Iterator[tuple[float, float]]:
    """Mean difference of each field from that of the frame before, of 255."""
    for before, after in pairwise(frames):
        step = _difference(before, after) / (1 << before.luma.bit_depth - 8)
        yield float(step[::2].mean()), float(step[1::2].mean())


def _difference(before: Frame, after: Frame) -> npt.NDArray[np.float32]:
    one, other = before.luma.samples.astype(np.float32), after.luma.samples
    difference: npt.NDArray[np.float32] = np.abs(one - other)
    return difference


def film_frames(matched: Iterable[Frame]) -> Ints:
    """Numbers of the frames to keep after field matching: in every five, the one most like its predecessor goes.

    Args:
        matched: all frames of the title, fields matched.
    """
    steps = [0.0]
    for before, after in pairwise(matched):
        steps.append(float(_difference(before, after).mean()))
    steps[0] = np.inf
    kept: list[int] = []
    for start in range(0, len(steps), CYCLE):
        cycle = list(range(start, min(start + CYCLE, len(steps))))
        if len(cycle) == CYCLE:
            cycle.remove(min(cycle, key=lambda place: steps[place]))
        kept += cycle
    return np.array(kept, np.int64)
