"""The page beside the maps of some frames: pictures, scores, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from vmaf.maps import QualityMap

STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:90em;padding:0 1em;color:#222}"
    "figure{margin:0}figcaption{padding:.3em 0 1em}img{width:100%;height:auto;display:block}"
    ".maps{display:grid;grid-template-columns:repeat(auto-fit,minmax(24em,1fr));gap:1em}"
)


@dataclass(frozen=True, slots=True)
class Mapped:
    """One frame. Attributes: frame: its number; score: its VMAF; maps: by the name of the file of each."""

    frame: int
    score: float
    maps: dict[str, QualityMap]


def map_page(frames: Sequence[Mapped], model: str) -> str:
    """HTML that shows the pictures; they lie in the same folder."""
    parts = "".join(_section(frame, model) for frame in frames)
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Where quality is lost</title><style>{STYLE}</style>"
        "<h1>Where quality is lost</h1><p>Grey is the encode as it is; colour says how much is lost there, by the scale under "
        "each picture. The scales are the same for all frames, so that pictures can be compared; what is beyond a scale's "
        "end has the colour of the end. Values are those of overlapping tiles, each measured for itself: they say where to "
        f"look, and do not add up to the frame's score.</p>{parts}</html>\n"
    )


def _section(frame: Mapped, model: str) -> str:
    figures = "".join(_figure(frame.frame, name, found) for name, found in frame.maps.items())
    return (
        f"<h2>Frame {frame.frame}: {frame.score:.2f} ({escape(model)})</h2><div class='maps'>{figures}</div>"
    )


def _figure(frame: int, name: str, found: QualityMap) -> str:
    x, y = found.worst()
    highest = float(found.values.max())
    where = f"; most of it around ({x}, {y})" if highest > 0 else ""
    facts = f"{found.meaning}: {found.values.mean():.2f} on average, up to {highest:.2f}{where}"
    return (
        f"<figure><img src='{escape(name)}' alt='Frame {frame}, {escape(facts)}'>"
        f"<figcaption><b>{found.name.upper()}</b>: {escape(facts)}</figcaption></figure>"
    )
