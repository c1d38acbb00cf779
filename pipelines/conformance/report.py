"""The HTML report of a run: the verdict, a table of devices and renditions, what is wrong, and the screenshots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.conformance.devices import KNOWN
from pipelines.conformance.results import Result, Verdict

PAGE = "report.html"


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
    return rows
