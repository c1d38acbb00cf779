"""From scores per frame to one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WAYS = {"mean": "mean", "harmonic": "harmonic_mean", "min": "min", "max": "max", "median": ""}
"""Name of a way to pool -> its attribute of `Pooled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """One column in a few numbers; NaN where there is no frame.

    Attributes:
        mean, min, max: over all frames.
        harmonic_mean: as libvmaf defines it, 1 / mean(1 / (score + 1)) - 1, which 0 does not break.
        p1, p5: 1st and 5th percentile (linear interpolation): the worst moments.
    """

    mean: float
    harmonic_mean: float
    min: float
    max: float
    p1: float
    p5: float


def pool(values: npt.NDArray[np.float64]) -> Pooled:
    """Pool one column. Source of the harmonic mean: libvmaf 3, `vmaf_feature_score_pooled`."""
    if len(values) == 0:
        return Pooled(mean=np.nan, harmonic_mean=np.nan, min=np.nan, max=np.nan, p1=np.nan, p5=np.nan)
    with np.errstate(divide="ignore"):
        harmonic = 1.0 / float(np.mean(1.0 / (values + 1.0))) - 1.0
    return Pooled(
        mean=float(np.mean(values)),
        harmonic_mean=harmonic,
        min=float(np.min(values)),
        max=float(np.max(values)),
        p1=float(np.percentile(values, 1)),
        p5=float(np.percentile(values, 5)),
    )


def percentile(values: npt.NDArray[np.float64], percent: float) -> float:
    """A percentile of one column, linearly interpolated: 5 is the score that 5 % of the frames stay below."""
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def pooled_by(values: npt.NDArray[np.float64], way: str) -> float:
    """One column in one number.

    Args:
        values: (n,) scores.
        way: mean, harmonic, min, max, median, or p and a percentage, as in p5 or p0.1.

    Raises:
        ValueError: there is no such way.
    """
    if way.startswith("p"):
        try:
            percent = float(way[1:])
        except ValueError:
            percent = -1.0
        if 0 <= percent <= 100:
            return percentile(values, percent)
    elif way in WAYS:
        return percentile(values, 50) if way == "median" else float(getattr(pool(values), WAYS[way]))
    raise ValueError(f"pooling {way}: wanted one of {', '.join(WAYS)}, or a percentile as p5")


def rolling(values: npt.NDArray[np.float64], window: int) -> npt.NDArray[np.float64]:
    """Means of every `window` consecutive frames, (n - window + 1,); empty where there are fewer frames.

    Raises:
        ValueError: the window is below 1.
    """
    if window < 1:
        raise ValueError(f"window: wanted at least 1 frame, got {window}")
    if len(values) < window:
        return np.empty(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1), np.float64)


def per_shot(
    frames: npt.NDArray[np.int64], values: npt.NDArray[np.float64], starts: Sequence[int]
) -> list[Pooled]:
    """One column pooled shot by shot.

    Args:
        frames: numbers of the frames, rising; `values`: their scores.
        starts: first frames of the shots, rising; the last shot goes to the end.
    """
    bounds = np.searchsorted(frames, starts)
    return [pool(part) for part in np.split(values, bounds[1:])]
