"""A chart as a picture of its own: SVG text, for documents and notebooks; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pipelines.report.charts import Chart
from pipelines.report.plot import HEIGHT as UNITS_HIGH
from pipelines.report.plot import WIDTH as UNITS_WIDE

SIZE = (880, 400)
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 58, 34
"""Margins around the field, pixels."""
LIGHT = ("#4338b8", "#0a78b5", "#0b8f78", "#7a8a00", "#b87500", "#c94a12", "#b42361", "#6a6f76")
DARK = ("#9a92ff", "#4fb6f0", "#3fd0b0", "#c3d44a", "#f2b544", "#ff9062", "#ff7fb0", "#aeb4bd")
"""Colours of rungs, as on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A chart with what is written around it.

    Attributes:
        title: what it shows.
        chart: what is drawn.
        names: of the rungs, by the places of the curves; they make the legend.
    """

    title: str
    chart: Chart
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve in pixels: the place of its rung (-1 for none) and its points."""

    place: int
    points: tuple[tuple[float, float], ...]


def lines(chart: Chart) -> list[Line]:
    """The curves of a chart in the pixels of a picture of `SIZE`."""
    return [
        Line(place=curve.place, points=tuple(_points(curve.path))) for curve in chart.curves if curve.path
    ]


def across(share: float) -> float:
    """Pixel of 0 (left) to 1 (right)."""
    return LEFT + share * (SIZE[0] - LEFT - RIGHT)


def down(share: float) -> float:
    """Pixel of 0 (bottom) to 1 (top)."""
    return SIZE[1] - BOTTOM - share * (SIZE[1] - TOP - BOTTOM)


def legend(names: Sequence[str]) -> list[tuple[int, float, str]]:
    """(place, pixel from the left, name) of each name, as many as have room."""
    entries, x = [], float(LEFT)
    for place, name in enumerate(names):
        width = 26 + 7.2 * len(name)
        if x + width > SIZE[0] - RIGHT:
            break
        entries.append((place, x, name))
        x += width
    return entries


def svg_of(drawing: Drawing) -> str:
    """The drawing as an SVG document; light or dark as its reader prefers; the same drawing gives the same text."""
    width, height = SIZE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(drawing.title)}</title>",
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(drawing.title)}</text>',
        *_legend(drawing.names),
        *_axes(drawing.chart),
        *(_curve(line) for line in lines(drawing.chart)),
        *_spots(drawing.chart),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _style() -> str:
    light = "".join(f".c{place}{{--c:{colour}}}" for place, colour in enumerate(LIGHT))
    dark = "".join(f".c{place}{{--c:{colour}}}" for place, colour in enumerate(DARK))
    return (
        f":root{{--page:#fff;--ink:#1b1d21;--soft:#5c626b;--line:#e3e3df}}{light}"
        ".page{fill:var(--page)}text{font:12px system-ui,sans-serif;fill:var(--soft)}"
        ".title{font-size:14px;font-weight:600;fill:var(--ink)}.grid{stroke:var(--line)}"
        ".curve{fill:none;stroke:var(--c,var(--soft));stroke-width:1.7;stroke-linejoin:round}"
        ".spot{fill:var(--c,var(--soft))}.end{text-anchor:end}.middle{text-anchor:middle}"
        f"@media(prefers-color-scheme:dark){{:root{{--page:#181b1f;--ink:#e9e7e3;--soft:#9aa1ab;--line:#2a2e34}}{dark}}}"
    )


def _legend(names: Sequence[str]) -> list[str]:
    return [
        f'<rect class="spot c{place % len(LIGHT)}" x="{x:.1f}" y="36" width="10" height="10" rx="2"/>'
        f'<text x="{x + 14:.1f}" y="45">{escape(name)}</text>'
        for place, x, name in legend(names)
    ]


def _axes(chart: Chart) -> list[str]:
    right, foot = SIZE[0] - RIGHT, SIZE[1] - BOTTOM
    rows = [
        f'<path class="grid" d="M{LEFT},{down(tick.place):.1f}H{right}"/>'
        f'<text class="end" x="{LEFT - 8}" y="{down(tick.place) + 4:.1f}">{escape(tick.label)}</text>'
        for tick in chart.y
    ]
    columns = [
        f'<text class="middle" x="{across(tick.place):.1f}" y="{foot + 20}">{escape(tick.label)}</text>'
        for tick in chart.x
    ]
    return [*rows, *columns]


def _curve(line: Line) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.points)
    colour = f" c{line.place % len(LIGHT)}" if line.place >= 0 else ""
    return f'<path class="curve{colour}" d="M{path}"/>'


def _spots(chart: Chart) -> list[str]:
    return [
        f'<circle class="spot c{spot.place % len(LIGHT)}" cx="{across(spot.x):.1f}" cy="{down(spot.y):.1f}" '
        f'r="{5 if spot.label else 3.5}"/>'
        f'<text x="{across(spot.x) + 9:.1f}" y="{down(spot.y) + 15:.1f}">{escape(spot.label)}</text>'
        for spot in chart.spots
    ]


def _points(path: str) -> list[tuple[float, float]]:
    """The points of an SVG path of `pipelines.report.plot`, in pixels."""
    pairs = (pair.split(",") for pair in path.removeprefix("M").split())
    return [(across(float(x) / UNITS_WIDE), down(1 - float(y) / UNITS_HIGH)) for x, y in pairs]
