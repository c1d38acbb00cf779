"""The HTML report of a run: the verdict, a table of devices and renditions, what is wrong, and the screenshots."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipelines.conformance.devices import KNOWN
from pipelines.conformance.results import Result, Verdict

PAGE = "report.html"
SHOWN = {
    "presented": "{presented:g}/{wanted:g}",
    "worst_frames": "off by {worst_frames:g}",
    "least_db": "{least_db:.0f} dB",
    "key_frames": "{key_frames:g}",
}
"""Figures that stand beside the name of a test; the others are told where one points at it."""


def write_report(verdict: Verdict, out: Path, *, title: str) -> Path:
    """Write `report.html` beside the evidence; returns its path. It asks for nothing from outside its folder."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape

    templates = FileSystemLoader(Path(__file__).parent / "templates")
    page = Environment(loader=templates, autoescape=select_autoescape(default=True)).get_template(
        "report.html.j2"
    )
    path = out / PAGE
    path.write_text(page.render(**_view(verdict), title=title), encoding="utf-8")
    return path


def _view(verdict: Verdict) -> dict[str, Any]:
    titles = {device.name: device.title for device in KNOWN}
    names = dict.fromkeys([*(result.case.device for result in verdict.results), *verdict.unplayable])
    return {
        "verdict": verdict,
        "counts": verdict.counts,
        "shown": SHOWN,
        "devices": [
            {
                "name": name,
                "title": titles.get(name, name),
                "why": verdict.unplayable.get(name, ""),
                "rows": _rows(verdict, name),
            }
            for name in names
        ],
        "worst": [result for result in verdict.results if result.state in ("failed", "flaky")],
        "shots": [
            (result.case.label, picture)
            for result in verdict.results
            for picture in result.evidence
            if picture.endswith(".png")
        ],
    }


def _rows(verdict: Verdict, device: str) -> dict[str, list[Result]]:
    rows: dict[str, list[Result]] = {}
    for result in verdict.results:
        if result.case.device == device:
            rows.setdefault(result.case.rendition, []).append(result)
    return dict(sorted(rows.items(), key=lambda row: _place(row[0])))


def _place(rendition: str) -> tuple[int, str, int]:
    """Pictures before sound and text, each codec from its largest rung on; what failed before came first in the run."""
    kind, _, name = rendition.partition("-")
    number = re.match(r"\d+", name)
    codec = name[number.end() :] if number else name
    return (
        ("video", "audio", "text").index(kind) if kind in ("video", "audio", "text") else 3,
        codec,
        -int(number[0] if number else 0),
    )
