"""Stage `assemble`: join the coded chunks of a rung into one rendition, frame-exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from types import MappingProxyType

from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from encoder import Rung, assemble, check_rendition
from encoder.cea import unpacked
from pipelines.encode.embedded import DATA
from pipelines.encode.ranges import OTHER, media_for
from pipelines.encode.stage import CAPS

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembleParams:
    """How the rate is measured.

    Attributes:
        segment_s: length of a segment, seconds, decimal text.
    """

    segment_s: str = "4"


class Assemble(Stage[AssembleParams]):
    """One rendition per rung, with exactly the source's frames and presentation times."""

    name, version, params = "assemble", 1, AssembleParams
    inputs = MappingProxyType(
        {"media": "media@1", OTHER: "media@1?", "chunks": "parts@1", EMBEDDED: f"{DATA}?"}
    )
    parts = MappingProxyType({"rendition": "rendition@1", "facts": "rendition-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "frames"

    def resources(self, params: AssembleParams) -> Resources:
        """Copying packets needs little memory."""
        return Resources(memory_mb=1024)

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
                },
                uses={
                    "media": media_for(inputs, parts[0].item),
                    "chunks": tuple(part.outputs["chunk"] for part in _in_order(parts)),
                    **({EMBEDDED: inputs[EMBEDDED]} if EMBEDDED in inputs else {}),
                },
                weight=sum(part.item.weight for part in parts),
            )
            for rung, parts in rungs.items()
        ]

    def map(self, ctx: TaskContext, item: Item, params: AssembleParams) -> None:
        """Write the rendition, compare its times with the source's, and say what it is."""
        info, values = ctx.inputs.media(), item.values
        rung = Rung(
            name=str(values["name"]),
            width=int(values["width"]),
            height=int(values["height"]),
        ).capped(*(int(values.get(name, 0)) for name in CAPS))
        out = ctx.out("rendition", ".mp4")
        chunks = [ctx.path(chunk) for chunk in ctx.inputs.artifacts("chunks")]
        carried = unpacked(ctx.inputs.path(EMBEDDED).read_bytes()) if EMBEDDED in ctx.inputs else None
        facts = assemble(chunks, info, rung, out, captions=carried, window_s=float(params.segment_s))
        check_rendition(out, info)
        ctx.out_json("facts", {**asdict(facts), "crf": values["crf"]})


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
