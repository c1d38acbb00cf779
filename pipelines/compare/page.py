"""The page of a comparison: views into the template, with style, scripts and the player written into it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.compare.charts import A, B, rate_chart
from pipelines.compare.comparison import Comparison
from pipelines.compare.side import JobSide
from pipelines.compare.view import (
    MOST_SHOTS,
    bits_tone,
    page_data,
    pair_views,
    player_sides,
    player_worst,
    score_tone,
    shot_rows,
)
from pipelines.report.page import TEMPLATES as REPORT
from pipelines.report.player import pieces
from pipelines.report.plot import clock
from pipelines.report.view import signed

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
MANY_SHOTS = 60
"""From here on the table of shots is folded."""


def render(found: Comparison, folder: Path) -> str:
    """The page as one HTML document; the same input gives the same text.

    Args:
        found: the comparison.
        folder: where the page is going to lie; videos are linked from there.
    """
    from markupsafe import Markup

    player = pieces(player_sides(found, folder), shots=found.a.shots, worst=player_worst(found))
    style = "\n".join(
        path.read_text(encoding="utf-8") for path in (REPORT / "style.css", TEMPLATES / "compare.css")
    )
    script = (TEMPLATES / "compare.js").read_text(encoding="utf-8")
    return (
        _environment()
        .get_template("compare.html")
        .render(
            found=found,
            sides=(("A", A, found.a), ("B", B, found.b)),
            views=pair_views(found),
            charts=[
                (rate, rate_chart(rate, _names(found)))
                for rate in found.rates
                if rate.metric != "VMAF harmonic"
            ],
            times=found.a.times,
            length=clock(found.a.duration, tenths=True),
            most_shots=MOST_SHOTS,
            folded=len(found.a.shots) > MANY_SHOTS,
            player=player,
            version=version("cinemill"),
            style=Markup(style),  # noqa: S704  our own files
            script=Markup(script),  # noqa: S704
            data=Markup(page_data(found)),  # noqa: S704  escaped for its place
        )
    )


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "signed": signed,
        "score_tone": score_tone,
        "bits_tone": bits_tone,
        "kbps": lambda rate: f"{rate:,.0f}",
        "clock": lambda seconds: clock(seconds, tenths=True),
        "seconds": _seconds,
    }
    environment.globals |= {"shot_rows": shot_rows, "ratio": _ratio}
    return environment


def _names(found: Comparison) -> tuple[list[str], list[str]]:
    """Names of the rungs of both sides, slowest rate first, as the points of the charts are."""
    return _by_rate(found.a), _by_rate(found.b)


def _by_rate(side: JobSide) -> list[str]:
    return [rung.name for rung in sorted(side.rungs, key=lambda rung: rung.kbps(side.duration))]


def _seconds(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:,.1f}"


def _ratio(a: float | None, b: float | None) -> str:
    """B against A, as `1.25` times."""
    return "\N{EN DASH}" if not a or b is None else f"{b / a:.2f} \N{MULTIPLICATION SIGN}"
