"""The charts of a report: curves and ticks, ready for the template; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.report.material import Measured
from pipelines.report.plot import (
    Axis,
    Tick,
    envelope,
    path_data,
    rate_axis,
    rate_ticks,
    score_axis,
    step_data,
    ticks,
    time_ticks,
)
from pipelines.report.view import RungView, rate_step

COLUMNS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A line of a chart: the place of its rung, which gives its colour, and its SVG path."""

    place: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A labelled point of a chart, 0 to 1 in both directions.

    Attributes:
        place: of its rung.
        label: beside it.
        shot: which it is about, -1 for none.
        about: what there is to say of it; such a point can be pointed at.
    """

    place: int
    x: float
    y: float
    label: str
    shot: int = -1
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves and spots between ticks."""

    x: tuple[Tick, ...]
    y: tuple[Tick, ...]
    curves: tuple[Curve, ...] = ()
    spots: tuple[Spot, ...] = ()


def quality_chart(material: Measured, duration: float) -> Chart:
    """VMAF over time."""
    scores = [material.scores[video.name].columns["vmaf"] for video in material.videos]
    x, y = Axis(low=0, high=duration), score_axis(min(float(column.min()) for column in scores))
    times = material.times
    lines = [
        [(float(times[int(frame)]), value) for frame, value in envelope(column, columns=COLUMNS)]
        for column in scores
    ]
    curves = tuple(Curve(place=place, path=path_data(line, x, y)) for place, line in enumerate(lines))
    return Chart(x=tuple(time_ticks(duration, 8)), y=tuple(ticks(y, 5)), curves=curves)


def rate_chart(rungs: Sequence[RungView], duration: float) -> Chart:
    """Bit rate over time, in steps."""
    x, y = Axis(low=0, high=duration), rate_axis(max(rung.peak_kbps for rung in rungs))
    step = rate_step(duration)
    edges = [*(place * step for place in range(len(rungs[0].rates))), duration]
    curves = tuple(Curve(place=rung.place, path=step_data(rung.rates, edges, x, y)) for rung in rungs)
    return Chart(x=tuple(time_ticks(duration, 8)), y=tuple(ticks(y, 2)), curves=curves)


def ladder_chart(rungs: Sequence[RungView]) -> Chart:
    """Mean VMAF over bit rate, which is on a logarithmic scale; a line for each codec in each dynamic range."""
    logs = [float(np.log2(rung.kbps)) for rung in rungs]
    x = Axis(low=min(logs) - 0.5, high=max(logs) + 0.7)
    y = score_axis(min(rung.vmaf.mean for rung in rungs))
    lines: dict[str, list[tuple[float, float]]] = {}
    for rung, log in zip(rungs, logs, strict=True):
        lines.setdefault(rung.ladder, []).append((log, rung.vmaf.mean))
    spots = tuple(
        Spot(place=rung.place, x=x.place(log), y=y.place(rung.vmaf.mean), label=rung.name)
        for rung, log in zip(rungs, logs, strict=True)
    )
    return Chart(
        x=rate_ticks(x, 7),
        y=tuple(ticks(y, 5)),
        curves=tuple(Curve(place=-1, path=path_data(sorted(line), x, y)) for line in lines.values()),
        spots=spots,
    )


def share_chart(material: Measured) -> Chart:
    """Share of frames at or below each VMAF."""
    scores = [np.sort(material.scores[video.name].columns["vmaf"]) for video in material.videos]
    x, y = score_axis(min(float(column[0]) for column in scores)), Axis(low=0, high=100)
    curves = []
    for place, column in enumerate(scores):
        shares = np.linspace(0, 100, len(column) + 1)[1:]
        kept = np.unique(np.linspace(0, len(column) - 1, min(len(column), COLUMNS)).astype(int))
        line = [
            (x.low, 0.0),
            (float(column[0]), 0.0),
            *zip(column[kept].tolist(), shares[kept].tolist(), strict=True),
        ]
        curves.append(Curve(place=place, path=path_data([*line, (100.0, 100.0)], x, y)))
    return Chart(x=tuple(ticks(x, 5)), y=tuple(ticks(y, 4, " %")), curves=tuple(curves))
