"""All plots of a report as drawings, by name; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.report.charts import ladder_chart, quality_chart, rate_chart, share_chart
from pipelines.report.drawing import Drawing
from pipelines.report.material import Measured
from pipelines.report.optimizer import optimizer_view
from pipelines.report.view import rung_views


def drawings(measured: Measured, duration: float, choices: Mapping[str, Any] | None) -> dict[str, Drawing]:
    """The plots: `vmaf`, `bitrate`, `ladder`, `share`, and where shots were optimised `title` and `hulls`.

    Args:
        measured: the renditions.
        duration: of the title, seconds.
        choices: a `choices@1` object; None where nothing was optimised.
    """
    rungs = rung_views(measured, duration)
    names = [rung.name for rung in rungs]
    found = {
        "vmaf": Drawing(title="VMAF of every frame", chart=quality_chart(measured, duration), names=names),
        "bitrate": Drawing(title="Bit rate over time, kb/s", chart=rate_chart(rungs, duration), names=names),
        "ladder": Drawing(title="Mean VMAF over bit rate", chart=ladder_chart(rungs)),
        "share": Drawing(
            title="Share of frames at or below a VMAF", chart=share_chart(measured), names=names
        ),
    }
    view = optimizer_view(choices, rungs)
    if view is not None:
        sizes = f"The title at {', '.join(view.sizes)}: best VMAF over bit rate, and its rungs"
        found["title"] = Drawing(title=sizes, chart=view.title)
        found["hulls"] = Drawing(
            title="Every shot: its hull, and what each rung takes of it", chart=view.hulls, names=names
        )
    return found
