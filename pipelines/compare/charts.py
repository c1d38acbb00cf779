"""The charts of a comparison as curves between ticks; pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipelines.compare.comparison import PairResult
from pipelines.compare.rates import RateResult
from pipelines.report.charts import COLUMNS, Chart, Curve, Spot
from pipelines.report.plot import (
    Axis,
    envelope,
    path_data,
    rate_axis,
    rate_ticks,
    score_axis,
    step_data,
    ticks,
    time_ticks,
)

A, B = 0, 5
"""Colours of the sides, among those of the report's rungs."""
QUIET = -1


def rate_chart(rate: RateResult, names: Sequence[Sequence[str]]) -> Chart:
    """Quality over bit rate, on a logarithmic scale, of both ladders.

    Args:
        rate: its points.
        names: of the rungs of A and B, in the order of their points.
    """
    logs = [[float(np.log2(kbps)) for kbps, _ in points] for points in (rate.a, rate.b)]
    values = [value for points in (rate.a, rate.b) for _, value in points]
    x = Axis(low=min(map(min, logs)) - 0.6, high=max(map(max, logs)) + 0.5)
    y = score_axis(min(values)) if not rate.unit else _around(values)
    curves, spots = [], []
    for place, log, points, labels in zip((A, B), logs, (rate.a, rate.b), names, strict=True):
        line = [(across, value) for across, (_, value) in zip(log, points, strict=True)]
        curves.append(Curve(place=place, path=path_data(line, x, y)))
        spots += [
            Spot(place=place, x=x.place(across), y=y.place(value), label=label)
            for (across, value), label in zip(line, labels, strict=True)
        ]
    return Chart(
        x=rate_ticks(x, 7),
        y=tuple(ticks(y, 5)),
        curves=tuple(curves),
        spots=tuple(spots),
    )


def frame_chart(pair: PairResult, times: npt.NDArray[np.float64], duration: float) -> Chart:
    """VMAF of B minus that of A: frame by frame, and the mean of each shot."""
    apart = pair.b.vmaf - pair.a.vmaf
    x, y = Axis(low=0, high=duration), difference_axis(float(np.abs(apart).max()))
    line = [(float(times[int(frame)]), value) for frame, value in envelope(apart, columns=COLUMNS)]
    means = [shot.mean_b - shot.mean_a for shot in pair.shots]
    return Chart(
        x=tuple(time_ticks(duration, 8)),
        y=tuple(ticks(y, 4)),
        curves=(
            Curve(place=B, path=path_data(line, x, y)),
            Curve(place=QUIET, path=step_data(means, _edges(pair, times, duration), x, y)),
        ),
    )


def shot_chart(pair: PairResult, times: npt.NDArray[np.float64], duration: float) -> Chart:
    """Bits of A and of B, shot by shot, in steps."""
    edges = _edges(pair, times, duration)
    x = Axis(low=0, high=duration)
    y = rate_axis(max(max(shot.kbps_a, shot.kbps_b) for shot in pair.shots))
    heights = {A: [shot.kbps_a for shot in pair.shots], B: [shot.kbps_b for shot in pair.shots]}
    return Chart(
        x=tuple(time_ticks(duration, 8)),
        y=tuple(ticks(y, 2)),
        curves=tuple(
            Curve(place=place, path=step_data(values, edges, x, y)) for place, values in heights.items()
        ),
    )


def _edges(pair: PairResult, times: npt.NDArray[np.float64], duration: float) -> list[float]:
    """Seconds at which shots begin, and the end."""
    return [*(float(times[shot.start]) for shot in pair.shots), duration]


def difference_axis(most: float) -> Axis:
    """From minus to plus a round number, at least 1, so that small differences do not look like large ones."""
    reach = next(step for step in (1, 2, 5, 10, 20, 40, 60, 100) if step >= min(most, 100.0))
    return Axis(low=-float(reach), high=float(reach))


def _around(values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), 0.5)
    return Axis(low=low - room, high=high + room)
