"""The plan of `cinemill analyze`: probe a title, find its shots, look at its pictures, judge them."""

from __future__ import annotations

from archer.artifact import Artifact
from archer.media.asset import Asset
from archer.plan import JobSpec, Node
from archer.templates import JobTemplate
from pipelines.ingest.stage import IngestParams
from pipelines.qc.stage import QcParams
from pipelines.shots.stage import ShotsParams
from pipelines.vision.stage import VisionParams
from pipelines.vision.stills import StillsParams
from pipelines.vision.tracks import TracksParams


def analyze_job(
    asset: Asset, params: QcParams | None = None, *, tracks: TracksParams | None = None
) -> JobSpec:
    """The job that analyzes `asset`.

    Results are `vision.frames`, `vision.shots`, `stills.stills`, `tracks.faces`, `tracks.tracks` and `qc.report`. Ingest is
    not strict: what the encoder would refuse can be looked at.

    Args:
        asset: the title.
        params: settings of quality control; None for the defaults.
        tracks: settings of the tracks of faces; None for the defaults.
    """
    title: dict[str, Asset | Artifact | str] = {"asset": asset, "media": "ingest.media"}
    seen: dict[str, Asset | Artifact | str] = {"shots": "shots.shots", "frames": "vision.frames"}
    nodes = [
        Node(id="ingest", stage="ingest", params=IngestParams(strict=False), inputs={"asset": asset}),
        Node(id="shots", stage="shots", params=ShotsParams(), inputs=title),
        Node(id="vision", stage="vision", params=VisionParams(), inputs=title | {"shots": "shots.shots"}),
        Node(
            id="stills",
            stage="stills",
            params=StillsParams(),
            inputs=title | seen | {"table": "vision.shots"},
        ),
        Node(
            id="tracks",
            stage="tracks",
            params=tracks or TracksParams(),
            inputs=title | {"shots": "shots.shots"},
        ),
        Node(
            id="qc",
            stage="qc",
            params=params or QcParams(),
            inputs={"media": "ingest.media", **seen, "stills": "stills.stills"},
        ),
    ]
    return JobSpec(nodes=nodes)


TEMPLATE = JobTemplate(
    name="analyze",
    summary="Look at the pictures of a title, and control their quality.",
    params=QcParams,
    build=lambda assets, params: analyze_job(assets["input"], params),
)
