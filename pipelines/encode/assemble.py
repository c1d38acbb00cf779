"""Stage `assemble`: join the coded chunks of a rung into one rendition, frame-exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from encoder import assemble, check_rendition
from encoder.cea import unpacked
from encoder.chunk import chunk_coder
from encoder.usable import broken_chunks
from encoder.vbv import Cap
from pipelines.encode.coded import CHUNKS, FACTS, broken_rows, coded_chunks, crf_span
from pipelines.encode.embedded import DATA
from pipelines.encode.ranges import OTHER, media_for
from pipelines.encode.settle import settled
from pipelines.encode.stage import EncodeParams, coding_resources, params_of, rung_of_item

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleParams:
    """How the rate is measured, and chunks were coded.

    Attributes:
        segment_s: length of a segment, seconds, decimal text.
        coding: how chunks are coded again that pass a peak rate together with their neighbours; None: they are not.
    """

    segment_s: str = "4"
    coding: EncodeParams | None = None


class Assemble(Stage[AssembleParams]):
    """One rendition per rung, with exactly the source's frames and presentation times."""

    name, version, params = "assemble", 2, AssembleParams
    inputs = MappingProxyType(
        {
            "media": "media@1",
            OTHER: "media@1?",
            "asset": "asset?",
            "chunks": "parts@1",
            EMBEDDED: f"{DATA}?",
        }
    )
    parts = MappingProxyType({"rendition": "rendition@1", "facts": "rendition-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "frames"

    def resources(self, params: AssembleParams) -> Resources:
        """Copying packets needs little; an encoder runs beside it where a chunk may be coded again."""
        return coding_resources(params.coding) if params.coding else Resources(memory_mb=1024)

    def fingerprint(self, params: AssembleParams) -> str:
        """The encoder's build, where it may run."""
        return chunk_coder() if params.coding else ""

    def settings_of(self, params: AssembleParams, item: Item) -> AssembleParams:
        """How chunks are coded counts where there is a peak rate."""
        coding = params.coding if item.values.get("peak_kbps") else None
        codec = str(item.values.get("codec", ""))
        return replace(params, coding=params_of(coding, codec) if coding else None)

    def trial(self) -> Trial:
        """The chunks that `encode` makes."""
        return Trial(feeds={"chunks": "encode.parts"})

    def split(self, inputs: Inputs, params: AssembleParams) -> Sequence[Item]:
        """One item per rung, using the chunks of that rung only."""
        rungs: dict[str, list[Part]] = {}
        for part in inputs.parts("chunks"):
            rungs.setdefault(part.item.variant, []).append(part)
        return [
            Item(
                variant=rung,
                values={key: value for key, value in parts[0].item.values.items() if key != "crf"},
                uses={
                    "media": media_for(inputs, parts[0].item),
                    CHUNKS: tuple(part.outputs["chunk"] for part in _in_order(parts)),
                    FACTS: tuple(part.outputs["facts"] for part in _in_order(parts)),
                    **({EMBEDDED: inputs[EMBEDDED]} if EMBEDDED in inputs else {}),
                    **({"asset": inputs["asset"]} if "asset" in inputs and _capped(parts) else {}),
                },
                weight=sum(part.item.weight for part in parts),
            )
            for rung, parts in rungs.items()
        ]

    def map(self, ctx: TaskContext, item: Item, params: AssembleParams) -> None:
        """Write the rendition, compare its times with the source's, and say what it is."""
        info, rung = ctx.inputs.media(), rung_of_item(item)
        out, window_s = ctx.out("rendition", ".mp4"), float(params.segment_s)
        chunks, remarks = coded_chunks(ctx), tuple[str, ...]()
        cap = Cap.of(rung.peak_kbps, rung.buffer_kbits, window_s)
        if cap and params.coding:
            chunks, remarks = settled(ctx, item, chunks, params.coding, cap)
        carried = unpacked(ctx.inputs.path(EMBEDDED).read_bytes()) if EMBEDDED in ctx.inputs else None
        files = [chunk.path for chunk in chunks]
        facts = assemble(files, info, rung, out, captions=carried, window_s=window_s)
        check_rendition(out, info)
        broken = broken_rows(chunks)
        notices = (*facts.notices, *remarks, *broken_chunks(rung.name, broken, len(chunks)))
        told = {"crf": crf_span(chunks), **({"broken": broken} if broken else {})}
        ctx.out_json("facts", {**asdict(replace(facts, notices=notices)), **told})


def _capped(parts: Sequence[Part]) -> bool:
    """The rung of these chunks has a peak rate."""
    return bool(parts[0].item.values.get("peak_kbps"))


def _in_order(parts: Sequence[Part]) -> list[Part]:
    """Parts by chunk index."""
    return sorted(parts, key=lambda part: part.item.chunk.index if part.item.chunk else 0)
