"""Chunks that are coded again because runs of segments across their borders pass the peak rate of their rung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from archer.stage import Item, TaskContext
from encoder.borders import fitting_beside, offender
from encoder.capped import coded_file, encode_capped, poorer
from encoder.codecs import codec_named
from encoder.errors import NoneRight, PeakBroken
from encoder.vbv import Cap, Coded, part_times
from pipelines.encode.coded import CodedChunk
from pipelines.encode.limits import coder_limits
from pipelines.encode.stage import EncodeParams, chunk_settings, rung_of_item

LEAST = 0.01
"""No encode gives a smaller share of a chunk's bytes: it is not tried where only that would fit."""


def settled(
    ctx: TaskContext, item: Item, chunks: Sequence[CodedChunk], coding: EncodeParams, cap: Cap
) -> tuple[list[CodedChunk], tuple[str, ...]]:
    """The chunks of a rung with which the joined rendition keeps to its peak, and what is to be told where it does not.

    The chunk that has most of the heaviest run is coded again with less, until no run is above the peak. Where that chunk
    cannot give way, or has done so already, the one that has most of the rest of the run is asked.

    Args:
        ctx: of a task whose inputs are the `asset` and its `media`.
        item: of the rung; see `pipelines.encode.stage`.
        chunks: coded apart, each within the peak, in order.
        coding: how they were coded.
        cap: peak, buffer, and length of a segment.
    """
    found = list(chunks)
    coded = [coded_file(chunk.path, part_times(ctx.inputs.media(), chunk.part)) for chunk in found]
    asked: set[int] = set()
    stuck: list[int] = []
    while (place := offender(coded, cap, asked)) is not None:
        asked.add(place)
        try:
            found[place] = _less(ctx, item, found[place], (coded, place), coding, cap)
        except (PeakBroken, NoneRight) as error:
            ctx.log(str(error))
            stuck.append(place)
        else:
            coded[place] = coded_file(found[place].path, coded[place].times)
    held = offender(coded, cap) is None
    return found, () if held else (_above(item, [chunks[place].part.start for place in sorted(stuck)], cap),)


def _above(item: Item, frames: Sequence[int], cap: Cap) -> str:
    """Says that the peak is not kept, and by which chunks."""
    which = f"those at frames {', '.join(map(str, frames))}" if frames else "those that were asked"
    return (
        f"rung {item.variant}: chunks keep to the peak of {cap.kbps} kb/s alone but not behind one another, and {which} cannot "
        "give way far enough; allow a higher peak or a smaller size"
    )


def _less(
    ctx: TaskContext,
    item: Item,
    chunk: CodedChunk,
    among: tuple[Sequence[Coded], int],
    coding: EncodeParams,
    cap: Cap,
) -> CodedChunk:
    """One chunk, coded so that it fits among the others. Raises: PeakBroken, NoneRight: it cannot be."""
    coded, place = among
    info, rung, part = ctx.inputs.media(), rung_of_item(item), chunk.part
    share = fitting_beside(coded, place, cap)
    if share < LEAST:
        raise PeakBroken(rung.name, part.start, cap.kbps, share)
    settings = chunk_settings(coding, {**item.values, "crf": chunk.crf}, part)
    crf = poorer(codec_named(settings.codec), Decimal(chunk.crf), share)
    settings = replace(settings, crf=f"{crf:f}")
    out = ctx.scratch / f"chunk-{place}.mp4"

    def fits(own: Coded) -> float:
        return fitting_beside([*coded[:place], own, *coded[place + 1 :]], place, cap)

    facts = encode_capped(
        lambda: ctx.frames(ctx.inputs.asset(), part),
        info,
        part,
        rung,
        settings,
        out,
        window_s=cap.window_s,
        fits=fits,
        broken=chunk.broken,
        limits=coder_limits(settings),
    )
    ctx.log(
        f"chunk at frame {part.start} coded again with quality {facts.crf}: with its neighbours it passed the peak"
    )
    return replace(chunk, path=out, crf=facts.crf, broken=facts.broken)
