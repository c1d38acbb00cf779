"""Stage `report`: one HTML file that shows how good every rung is, where it is worst, how to make it again.

    from pipelines.report import load

    quality = load("out")                    # in a notebook it shows its ladder and VMAF over time
    quality.scores["720p"].pooled("vmaf")
    quality.plots["hulls"].save("hulls.png")

The page is made from `templates/` by Jinja2; style and scripts are written into it, so it needs nothing else.
With it come `features.parquet` (a row per frame and rendition) and the scores in libvmaf's JSON layout.
"""

from __future__ import annotations

from pipelines.report.quality import Plot as Plot
from pipelines.report.quality import Quality as Quality
from pipelines.report.quality import load as load

__all__ = ["Plot", "Quality", "load"]
