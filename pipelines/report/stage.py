"""Stage `report`: the page for people, the table for notebooks, the scores for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from archer.stage import Item, Resources, Stage, TaskContext, Trial
from archer.store.artifacts import json_bytes
from pipelines.encode.ranges import OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportParams:
    """What a report says beside what it is made from.

    Attributes:
        title: name for people.
        settings: what was asked for, as the text of a JSON object.
        command: the command line that makes it again; empty where there is none.
    """

    title: str
    settings: str = "{}"
    command: str = ""


class Report(Stage[ReportParams]):
    """Joins everything that is known about a job."""

    name, version, params = "report", 4, ReportParams
    inputs = MappingProxyType(
        {
            "asset": "asset",
            "media": "media@1",
            OTHER: "media@1?",
            "shots": "shots@1",
            "ladder": "ladder@1",
            "renditions": "parts@1",
            "audio": "parts@1?",
            "scores": "frame-scores@1",
            "choices": "choices@1?",
            "proxies": "parts@1?",
            "qc": "qc@1?",
        }
    )
    outputs = MappingProxyType(
        {
            "report": "report@1",
            "features": "features@1",
            "scores_json": "tree/scores@1",
            "plots": "tree/plots@1",
        }
    )
    unit = "pictures"

    def resources(self, params: ReportParams) -> Resources:
        """The scores of a long title, and one decoder of the source beside one of a rung."""
        return Resources(memory_mb=2048)

    def trial(self) -> Trial:
        """Everything that the main job makes before."""
        feeds = {
            "shots": "shots.shots",
            "ladder": "search.ladder",
            "renditions": "assemble.parts",
            "audio": "audio.parts",
        }
        return Trial(params=ReportParams(title="sample"), feeds=feeds)

    def map(self, ctx: TaskContext, item: Item, params: ReportParams) -> None:
        """Write the page, the table of all frames, and a libvmaf log per rendition."""
        from archer.media import frames
        from pipelines.report.drawing import svg_of
        from pipelines.report.features import feature_table
        from pipelines.report.gallery import make_gallery
        from pipelines.report.material import load
        from pipelines.report.page import render
        from pipelines.report.plots import drawings
        from vmaf.scores import libvmaf_log, write_parquet

        material = load(ctx)
        table = feature_table(material.info, material.ranges, material.videos, material.scores)
        write_parquet(table, ctx.out("features", ".parquet"))
        logs = ctx.out_tree("scores_json")
        for name, scores in material.scores.items():
            (logs / f"{name}.json").write_bytes(json_bytes(libvmaf_log(scores)))
        plots = ctx.out_tree("plots")
        for name, drawing in drawings(material, float(material.info.duration), material.choices).items():
            (plots / f"{name}.svg").write_text(svg_of(drawing), encoding="utf-8")
        gallery = make_gallery(material, partial(frames, material.asset, threads=ctx.threads), ctx.progress)
        page = render(
            material,
            gallery,
            title=params.title,
            settings=params.settings,
            command=params.command,
        )
        ctx.out("report", ".html").write_text(page, encoding="utf-8")
