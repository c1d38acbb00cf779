"""The page: views into the template, with style and scripts written into it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.report.charts import ladder_chart, quality_chart, rate_chart, share_chart
from pipelines.report.gallery import Gallery
from pipelines.report.material import Material
from pipelines.report.optimizer import optimizer_view, other_views
from pipelines.report.sides import compared
from pipelines.report.view import (
    page_data,
    qc_views,
    rung_views,
    shot_views,
    size_text,
    title_facts,
    worst_views,
)

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("data.js", "curves.js", "timeline.js", "marks.js", "shots.js", "hulls.js", "cost.js", "page.js")
GOOD, BAD = 95.0, 60.0
"""VMAF at which the scale of colours is all good and all bad."""


def render(material: Material, gallery: Gallery, *, title: str, settings: str, command: str) -> str:
    """The report as one HTML document; the same input gives the same text.

    Args:
        material: the job.
        gallery: its pictures.
        title: name for people.
        settings: JSON object of what was asked for.
        command: the command line that makes it again; empty where there is none.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": _bytes, "kbps": _kbps, "heat": heat, "label": _label}
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    script = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return environment.get_template("report.html").render(
        title=title,
        notices=material.notices,
        settings=[
            (key, value) for key, value in sorted(json.loads(settings).items()) if value not in ("", None)
        ],
        command=command,
        version=version("cinemill"),
        style=Markup(style),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704
        **_views(material, gallery),
    )


def _views(material: Material, gallery: Gallery) -> dict[str, Any]:
    from markupsafe import Markup

    duration = float(material.info.duration)
    rungs = rung_views(material, duration)
    scores = material.scores[rungs[0].name]
    lowest = min(rungs, key=lambda rung: rung.vmaf.min)
    worst = worst_views(material, gallery)
    return {
        "player": compared(material, worst),
        "qc": qc_views(material),
        "rungs": rungs,
        "shots": shot_views(material, gallery, duration),
        "worst": worst,
        "optimizer": optimizer_view(material.choices, rungs),
        "others": other_views(material.choices, rungs),
        "lowest": (lowest, worst[lowest.name][0]),
        "audios": material.audios,
        "kept_sound": [f"{track.codec} {track.layout} {track.language}" for track in material.info.audio],
        "facts": title_facts(material),
        "identity": material.asset.identity,
        "model": scores.model,
        "scorer": scores.scorer,
        "display": _display(scores.model, rungs[0].size, material),
        "quality": quality_chart(material, duration),
        "rate": rate_chart(rungs, duration),
        "ladder": ladder_chart(rungs),
        "share": share_chart(material),
        "data": Markup(page_data(material, rungs, duration)),  # noqa: S704  escaped for its place
    }


def _display(model: str, fallback: str, material: Material) -> str:
    """Size at which the model saw both sides."""
    from archer.media import display_size
    from vmaf.models import MODELS

    if model not in MODELS:
        return fallback
    return size_text(*MODELS[model].fit(*display_size(material.info.video)))


def heat(score: float) -> str:
    """How good a VMAF is, in percent of the scale of colours."""
    return f"{100 * min(max((score - BAD) / (GOOD - BAD), 0.0), 1.0):.0f}%"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB" if size < 1e8 else f"{size / 1e9:.2f} GB"


def _kbps(rate: float) -> str:
    return f"{rate:,.0f}"


def _label(key: str) -> str:
    """`gop_s` -> `gop (s)`, `target_vmaf` -> `target vmaf`."""
    words = key.split("_")
    return f"{' '.join(words[:-1])} (s)" if words[-1] == "s" and len(words) > 1 else " ".join(words)
