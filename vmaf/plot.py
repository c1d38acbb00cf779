"""Scores over time as one HTML file without anything from outside."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from vmaf.scores import FrameScores

WIDTH, HEIGHT, LEFT, BOTTOM = 1200, 360, 48, 28
MOST = 4000
"""Points of a curve; longer titles are drawn by the lowest score of each run of frames, because dips are what matters."""


AROUND = 24
"""Frames on each side that a band is taken over: two seconds of film."""
PLACES = 400
"""Corners of a band."""


def html_plot(scores: FrameScores, metric: str = "vmaf") -> str:
    """A page with the curve of one metric and its mean; bands hold the middle 80 and 50 % of the frames around."""
    values, pooled = scores.columns[metric], scores.pooled(metric)
    low, high = axis(values)
    lines = "".join(_rule(level, low, high) for level in np.linspace(low, high, 6))
    caption = (
        f"{metric}: mean {pooled.mean:.2f}, 5 % {pooled.p5:.2f}, min {pooled.min:.2f}; {len(scores)} frames"
    )
    facts = escape(f"{caption}; model {scores.model}; {scores.scorer}")
    return (
        f"<!doctype html><meta charset='utf-8'><title>{escape(metric)}</title>"
        "<style>body{font:14px sans-serif;margin:2em}svg{width:100%;height:auto}path{fill:none;stroke:#1565c0}"
        "polygon{fill:#1565c0;opacity:.15}line{stroke:#ddd}text{font-size:12px;fill:#555}</style>"
        f"<p>{facts}</p><svg viewBox='0 0 {WIDTH} {HEIGHT}' role='img' aria-label='{facts}'>{lines}"
        f"{_band(values, (10, 90), low, high)}{_band(values, (25, 75), low, high)}"
        f"<path d='{_path(values, low, high)}'/><text x='{LEFT}' y='{HEIGHT - 8}'>{_first(scores)}</text>"
        f"<text x='{WIDTH}' y='{HEIGHT - 8}' text-anchor='end'>{_last(scores)}</text></svg>\n"
    )


def axis(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Lowest and highest level of a plot: at least 90 to 100; some models go up to 110, and other metrics have other ranges."""
    known = values[np.isfinite(values)]
    low = min(float(known.min(initial=100.0)), 90.0) // 10 * 10
    return low, max(100.0, float(-(-known.max(initial=100.0) // 10) * 10))


def _first(scores: FrameScores) -> str:
    return f"frame {scores.frames[0]}" if len(scores) else ""


def _last(scores: FrameScores) -> str:
    return f"frame {scores.frames[-1]}" if len(scores) else ""


def _y(value: float, low: float, high: float) -> float:
    return (HEIGHT - BOTTOM) * (1 - (value - low) / (high - low)) + 4


def _rule(level: float, low: float, high: float) -> str:
    y = _y(level, low, high)
    return f"<line x1='{LEFT}' x2='{WIDTH}' y1='{y:.1f}' y2='{y:.1f}'/><text x='0' y='{y + 4:.1f}'>{level:.0f}</text>"


def _path(values: npt.NDArray[np.float64], low: float, high: float) -> str:
    step = -(-len(values) // MOST) or 1
    lowest = [float(values[at : at + step].min()) for at in range(0, len(values), step)]
    scale = (WIDTH - LEFT) / max(len(lowest) - 1, 1)
    points = (f"{LEFT + index * scale:.1f} {_y(value, low, high):.1f}" for index, value in enumerate(lowest))
    return "M" + " L".join(points) if lowest else ""


def _band(values: npt.NDArray[np.float64], percents: tuple[int, int], low: float, high: float) -> str:
    """Between two percentiles of the frames around each place."""
    if len(values) < 2:
        return ""
    places, lower, upper = band(values, percents)
    scale = (WIDTH - LEFT) / (len(values) - 1)
    edges = (
        [(LEFT + at * scale, _y(end, low, high)) for at, end in zip(places, ends, strict=True)]
        for ends in (lower.tolist(), upper.tolist())
    )
    there, back = edges
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in there + back[::-1])
    return f"<polygon points='{points}'/>"


def band(
    values: npt.NDArray[np.float64], percents: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two percentiles of the frames around some places: the places, the lower and the upper ones."""
    places = np.unique(np.linspace(0, len(values) - 1, min(len(values), PLACES)).astype(np.int64))
    around = (values[max(0, at - AROUND) : at + AROUND + 1] for at in places.tolist())
    ends = np.array([np.nanpercentile(part, percents) for part in around])
    return places, ends[:, 0], ends[:, 1]
