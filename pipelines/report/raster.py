"""A chart as a PNG picture, for slides and tickets that take no SVG. Needs Pillow."""

from __future__ import annotations

import io
from typing import Any

from archer.errors import ToolMissing
from pipelines.report.drawing import LEFT, LIGHT, RIGHT, SIZE, Drawing, across, down, legend, lines

INK, SOFT, LINE, PAGE = "#1b1d21", "#5c626b", "#e3e3df", "#ffffff"
SHARPER = 3
"""Drawn at this many times the size and brought down, so that lines are smooth."""


def png_of(drawing: Drawing, *, scale: int = 2) -> bytes:
    """The drawing as PNG, light.

    Args:
        drawing: what to draw.
        scale: pixels of the picture per pixel of `SIZE`.

    Raises:
        ToolMissing: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise ToolMissing("pillow", "pip install 'cinemill[notebook]'") from error
    picture = Image.new("RGB", (SIZE[0] * scale, SIZE[1] * scale), PAGE)
    large = Image.new("RGB", (SIZE[0] * SHARPER, SIZE[1] * SHARPER), PAGE)
    _lines(ImageDraw.Draw(large), drawing)
    picture.paste(large.resize(picture.size, Image.Resampling.LANCZOS))
    _words(ImageDraw.Draw(picture), drawing, scale)
    content = io.BytesIO()
    picture.save(content, "png", optimize=True)
    return content.getvalue()


def _lines(draw: Any, drawing: Drawing) -> None:
    for tick in drawing.chart.y:
        height = down(tick.place) * SHARPER
        draw.line([(LEFT * SHARPER, height), ((SIZE[0] - RIGHT) * SHARPER, height)], fill=LINE, width=SHARPER)
    for line in lines(drawing.chart):
        points = [(x * SHARPER, y * SHARPER) for x, y in line.points]
        draw.line(points, fill=_colour(line.place), width=2 * SHARPER - 1, joint="curve")
    for spot in drawing.chart.spots:
        x, y, radius = across(spot.x) * SHARPER, down(spot.y) * SHARPER, (5 if spot.label else 3.5) * SHARPER
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=_colour(spot.place))
    for place, left, _ in legend(drawing.names):
        draw.rectangle(
            [left * SHARPER, 36 * SHARPER, (left + 10) * SHARPER, 46 * SHARPER], fill=_colour(place)
        )


def _words(draw: Any, drawing: Drawing, scale: int) -> None:
    from PIL import ImageFont

    font, title = ImageFont.load_default(12 * scale), ImageFont.load_default(15 * scale)
    name = drawing.title.replace(
        "\N{MULTIPLICATION SIGN}", "x"
    )  # a sign that Pillow's own font does not have

    def write(x: float, y: float, text: str, anchor: str) -> None:
        draw.text((x * scale, y * scale), text, fill=SOFT, font=font, anchor=anchor)

    draw.text((LEFT * scale, 24 * scale), name, fill=INK, font=title, anchor="ls")
    for _, left, rung in legend(drawing.names):
        write(left + 14, 45, rung, "ls")
    for tick in drawing.chart.y:
        write(LEFT - 8, down(tick.place), tick.label, "rm")
    for tick in drawing.chart.x:
        write(across(tick.place), down(0) + 20, tick.label, "ms")
    for spot in drawing.chart.spots:
        write(across(spot.x) + 9, down(spot.y) + 15, spot.label, "ls")


def _colour(place: int) -> str:
    return LIGHT[place % len(LIGHT)] if place >= 0 else SOFT
