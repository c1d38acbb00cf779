"""Chunks that are coded again because runs of segments across their borders pass the peak rate of their rung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, pairwise
from pathlib import Path

from archer.media import FrameRange
from archer.stage import Item, TaskContext
from encoder.borders import fitting_beside, offender
from encoder.capped import coded_file, encode_capped, poorer
from encoder.codecs import codec_named
from encoder.errors import PeakBroken
from encoder.vbv import Cap, Coded, part_times
from pipelines.encode.limits import coder_limits
from pipelines.encode.stage import EncodeParams, chunk_settings, rung_of_item


def settled(
    ctx: TaskContext, item: Item, chunks: Sequence[Path], crfs: Sequence[str], coding: EncodeParams, cap: Cap
) -> tuple[list[Path], list[str]]:
    """The chunks of a rung with which the joined rendition keeps to its peak, and their quality values.

    The chunk that has most of the heaviest run is coded again with less, until no run is above the peak, or the one that
    would have to give way cannot or has done so already: then the rest is told by who joins them.

    Args:
        ctx: of a task whose inputs are the `asset` and its `media`.
        item: of the rung; see `pipelines.encode.stage`.
        chunks, crfs: coded apart, each within the peak, in order; their quality values.
        coding: how they were coded.
        cap: peak, buffer, and length of a segment.
    """
    files, values = list(chunks), list(crfs)
    parts = _ranges(files)
    coded = [
        coded_file(file, part_times(ctx.inputs.media(), part))
        for file, part in zip(files, parts, strict=True)
    ]
    again: set[int] = set()
    while (place := offender(coded, cap)) is not None and place not in again:
        again.add(place)
        share = fitting_beside(coded, place, cap)
        planned = replace(item, values={**item.values, "crf": values[place]})
        try:
            files[place], values[place] = _less(
                ctx, planned, parts[place], (coded, place, share), coding, cap
            )
        except PeakBroken as error:
            ctx.log(str(error))
            break
        coded[place] = coded_file(files[place], coded[place].times)
    return files, values


def _less(
    ctx: TaskContext,
    item: Item,
    part: FrameRange,
    among: tuple[Sequence[Coded], int, float],
    coding: EncodeParams,
    cap: Cap,
) -> tuple[Path, str]:
    """One chunk, coded so that it fits among the others; it has to give so much of its bytes."""
    coded, place, share = among
    info = ctx.inputs.media()
    settings = chunk_settings(coding, item.values, part, info)
    codec = codec_named(settings.codec)
    settings = replace(settings, crf=f"{poorer(codec, Decimal(settings.crf), share):f}")
    out = ctx.scratch / f"chunk-{place}.mp4"

    def fits(own: Coded) -> float:
        return fitting_beside([*coded[:place], own, *coded[place + 1 :]], place, cap)

    facts = encode_capped(
        lambda: ctx.frames(ctx.inputs.asset(), part),
        info,
        part,
        rung_of_item(item),
        settings,
        out,
        window_s=cap.window_s,
        fits=fits,
        limits=coder_limits(settings),
    )
    ctx.log(
        f"chunk at frame {part.start} coded again with quality {facts.crf}: with its neighbours it passed the peak"
    )
    return out, facts.crf


def _ranges(chunks: Sequence[Path]) -> list[FrameRange]:
    """Frames of the title that each chunk holds."""
    counts = [len(coded_file(chunk, ()).sizes) for chunk in chunks]
    return [FrameRange(start, end) for start, end in pairwise([0, *accumulate(counts)])]
