"""The plan of `cinemill analyze`: probe a title, find its shots, look at its pictures, judge them."""

from __future__ import annotations

from archer.media.asset import Asset
from archer.plan import JobSpec, Node
from archer.templates import JobTemplate
from pipelines.ingest.stage import IngestParams
from pipelines.qc.stage import QcParams
from pipelines.shots.stage import ShotsParams
from pipelines.vision.stage import VisionParams
from pipelines.vision.stills import StillsParams


def analyze_job(asset: Asset, params: QcParams | None = None) -> JobSpec:
    """The job that analyzes `asset`.

    Results are `vision.frames`, `vision.shots`, `stills.stills` and `qc.report`. Ingest is not strict: what the encoder
    would refuse can be looked at.

    Args:
        asset: the title.
        params: settings of quality control; None for the defaults.
    """
    nodes = [
        Node(id="ingest", stage="ingest", params=IngestParams(strict=False), inputs={"asset": asset}),
        Node(
            id="shots",
            stage="shots",
            params=ShotsParams(),
            inputs={"asset": asset, "media": "ingest.media"},
        ),
        Node(
            id="vision",
            stage="vision",
            params=VisionParams(),
            inputs={"asset": asset, "media": "ingest.media", "shots": "shots.shots"},
        ),
        Node(
            id="stills",
            stage="stills",
            params=StillsParams(),
            inputs={
                "asset": asset,
                "media": "ingest.media",
                "shots": "shots.shots",
                "frames": "vision.frames",
                "table": "vision.shots",
            },
        ),
        Node(
            id="qc",
            stage="qc",
            params=params or QcParams(),
            inputs={
                "media": "ingest.media",
                "shots": "shots.shots",
                "frames": "vision.frames",
                "stills": "stills.stills",
            },
        ),
    ]
    return JobSpec(nodes=nodes)


TEMPLATE = JobTemplate(
    name="analyze",
    summary="Look at the pictures of a title, and control their quality.",
    params=QcParams,
    build=lambda assets, params: analyze_job(assets["input"], params),
)
