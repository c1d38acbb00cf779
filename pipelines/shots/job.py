"""The plan of `cinemill shots`: probe a title, find its shots."""

from __future__ import annotations

from archer.media.asset import Asset
from archer.plan import JobSpec, Node
from archer.templates import JobTemplate
from pipelines.ingest.stage import IngestParams
from pipelines.shots.stage import ShotsParams


def shots_job(asset: Asset, params: ShotsParams | None = None) -> JobSpec:
    """The job that finds the shots of `asset`; results are `ingest.media` and `shots.shots`.

    Ingest is not strict: shots can be found in what the encoder would refuse (HDR, interlaced).

    Args:
        asset: the title.
        params: settings of the detection; None for the defaults.
    """
    return JobSpec(
        nodes=[
            Node(id="ingest", stage="ingest", params=IngestParams(strict=False), inputs={"asset": asset}),
            Node(
                id="shots",
                stage="shots",
                params=params or ShotsParams(),
                inputs={"asset": asset, "media": "ingest.media"},
            ),
        ]
    )


TEMPLATE = JobTemplate(
    name="shots",
    summary="Find the shots of a title.",
    params=ShotsParams,
    build=lambda assets, params: shots_job(assets["input"], params),
)
