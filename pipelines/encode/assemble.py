"""Stage `assemble`: join the coded chunks of a rung into one rendition, frame-exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from encoder import assemble, check_rendition
from encoder.cea import unpacked
from encoder.chunk import chunk_coder
from encoder.vbv import Cap
from pipelines.encode.embedded import DATA
from pipelines.encode.limits import coder_resources
from pipelines.encode.ranges import OTHER, media_for
from pipelines.encode.settle import settled
from pipelines.encode.stage import EncodeParams, params_of, rung_of_item

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

    name, version, params = "assemble", 1, AssembleParams
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
        """Copying packets needs little memory; an encoder runs beside it where a chunk is coded again."""
        return coder_resources(params.coding.settings) if params.coding else Resources(memory_mb=1024)

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
                values={
                    **parts[0].item.values,
                    "crf": _span([_crf(part, inputs) for part in parts]),
                    **(
                        {"crfs": ",".join(_crf(part, inputs) for part in _in_order(parts))}
                        if _capped(parts)
                        else {}
                    ),
                },
                uses={
                    "media": media_for(inputs, parts[0].item),
                    "chunks": tuple(part.outputs["chunk"] for part in _in_order(parts)),
                    **({EMBEDDED: inputs[EMBEDDED]} if EMBEDDED in inputs else {}),
                    **({"asset": inputs["asset"]} if "asset" in inputs and _capped(parts) else {}),
                },
                weight=sum(part.item.weight for part in parts),
            )
            for rung, parts in rungs.items()
        ]

    def map(self, ctx: TaskContext, item: Item, params: AssembleParams) -> None:
        """Write the rendition, compare its times with the source's, and say what it is."""
        info, values = ctx.inputs.media(), item.values
        rung = rung_of_item(item)
        out = ctx.out("rendition", ".mp4")
        chunks = [ctx.path(chunk) for chunk in ctx.inputs.artifacts("chunks")]
        cap, crf = Cap.of(rung.peak_kbps, rung.buffer_kbits, float(params.segment_s)), str(values["crf"])
        if cap and params.coding:
            chunks, crfs = settled(ctx, item, chunks, str(values["crfs"]).split(","), params.coding, cap)
            crf = _span(crfs)
        carried = unpacked(ctx.inputs.path(EMBEDDED).read_bytes()) if EMBEDDED in ctx.inputs else None
        facts = assemble(chunks, info, rung, out, captions=carried, window_s=float(params.segment_s))
        check_rendition(out, info)
        ctx.out_json("facts", {**asdict(facts), "crf": crf})


def _capped(parts: Sequence[Part]) -> bool:
    """The rung of these chunks has a peak rate."""
    return bool(parts[0].item.values.get("peak_kbps"))


def _in_order(parts: Sequence[Part]) -> list[Part]:
    """Parts by chunk index."""
    return sorted(parts, key=lambda part: part.item.chunk.index if part.item.chunk else 0)


def _crf(part: Part, inputs: Inputs) -> str:
    """The quality value of a chunk; a poorer one than was planned where a peak rate held it down."""
    planned = str(part.item.values["crf"])
    return str(inputs.read(part.outputs["facts"])["crf"]) if part.item.values.get("peak_kbps") else planned


def _span(crfs: Sequence[str]) -> str:
    """The quality value of all chunks, or the least and the greatest: `19.4-26.2`."""
    low, high = min(crfs, key=Decimal), max(crfs, key=Decimal)
    return low if low == high else f"{low}-{high}"
