"""Stage `ingest`: media facts and frame index of an asset, or the reason why it cannot be encoded."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from archer.media import MediaInfo, probe
from archer.stage import Item, Resources, Stage, TaskContext
from pipelines.ingest.refusal import refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestParams:
    """Settings of ingest.

    Attributes:
        strict: refuse what the encoder cannot take yet (HDR, interlaced); off where a file is only looked at.
    """

    strict: bool = True


class Ingest(Stage[IngestParams]):
    """Probes the asset once for all later stages."""

    name, version, params = "ingest", 1, IngestParams
    inputs = MappingProxyType({"asset": "asset"})
    outputs = MappingProxyType({"media": "media@1"})

    def resources(self, params: IngestParams) -> Resources:
        """One core; the index of a long title and one decoder."""
        return Resources(memory_mb=1024)

    def map(self, ctx: TaskContext, item: Item, params: IngestParams) -> None:
        """Write the `media@1` facts, or raise `RefusedInput`."""
        info: MediaInfo = probe(ctx.inputs.asset().url)
        reason = refusal(info) if params.strict else None
        if reason is not None:
            raise reason
        for problem in info.problems:
            ctx.log(f"warning: {problem.code}: {problem.message}")
        ctx.out_json("media", info.to_json())
