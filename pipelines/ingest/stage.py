"""Stage `ingest`: media facts and frame index of an asset, or the reason why it cannot be encoded."""

from __future__ import annotations

from types import MappingProxyType

from archer.media import MediaInfo, frames, probe
from archer.stage import Item, Resources, Stage, TaskContext
from pipelines.ingest.params import IngestParams as IngestParams
from pipelines.ingest.refusal import refusal
from pipelines.ingest.view import viewed


class Ingest(Stage[IngestParams]):
    """Probes the asset once for all later stages, and settles how it is looked at."""

    name, version, params = "ingest", 1, IngestParams
    inputs = MappingProxyType({"asset": "asset"})
    outputs = MappingProxyType({"media": "media@1"})

    def resources(self, params: IngestParams) -> Resources:
        """One core; the index of a long title and one decoder."""
        return Resources(memory_mb=1024)

    def map(self, ctx: TaskContext, item: Item, params: IngestParams) -> None:
        """Write the `media@1` facts, or raise `RefusedInput`."""
        url = ctx.inputs.asset().url
        info: MediaInfo = probe(url)
        reason = refusal(info, params) if params.strict else None
        if reason is not None:
            raise reason
        if params.strict:
            info = viewed(info, params, lambda facts, part: frames(url, part, info=facts))
        for problem in info.problems:
            ctx.log(f"warning: {problem.code}: {problem.message}")
        ctx.out_json("media", info.to_json())
