"""The plan of the main job: which stages, joined how."""

from __future__ import annotations

from archer.media.asset import Asset
from archer.plan import JobSpec, Node
from pipelines.encode.request import EncodeRequest
from pipelines.ingest.stage import IngestParams
from pipelines.shots.stage import ShotsParams

MEDIA, SHOTS, RENDITIONS = "ingest.media", "shots.shots", "assemble.parts"


def encode_job(asset: Asset, request: EncodeRequest, *, title: str) -> JobSpec:
    """The main job on `asset`: a package, or one file where `request.single` says so.

    Args:
        asset: the mezzanine.
        request: the user's settings, validated.
        title: name for people, shown in the report.
    """
    nodes = [*_read(asset), *_encode(asset, request), *_judge(asset, request, title)]
    return JobSpec(nodes=[*nodes, *(_single(asset, request) if request.single else _package(asset, request))])


def _read(asset: Asset) -> list[Node]:
    return [
        Node(id="ingest", stage="ingest", params=IngestParams(), inputs={"asset": asset}),
        Node(id="shots", stage="shots", params=ShotsParams(), inputs={"asset": asset, "media": MEDIA}),
    ]
