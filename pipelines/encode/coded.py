"""Coded chunks of a rendition as a task finds them: file, frames, the quality value that each has, and what broke before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from archer.media import FrameRange
from archer.stage import TaskContext
from encoder.chunk_check import Broken

CHUNKS, FACTS = "chunks", "facts"
"""Inputs of a task: its chunks, in order, and the facts of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedChunk:
    """A coded chunk.

    Attributes:
        path: its file.
        part: frames of the title that it holds.
        crf: the quality value that it has, decimal text.
        broken: encodes of it that gave no right stream.
    """

    path: Path
    part: FrameRange
    crf: str
    broken: tuple[Broken, ...] = ()


def coded_chunks(ctx: TaskContext) -> list[CodedChunk]:
    """The chunks of a task, in order."""
    facts = [ctx.inputs.read(artifact) for artifact in ctx.inputs.artifacts(FACTS)]
    ends = accumulate((one["frames"] for one in facts), initial=0)
    return [
        CodedChunk(
            path=ctx.path(artifact),
            part=FrameRange(start, end),
            crf=one["crf"],
            broken=tuple(Broken(**each) for each in one["broken"]),
        )
        for artifact, one, (start, end) in zip(
            ctx.inputs.artifacts(CHUNKS), facts, pairwise(ends), strict=True
        )
    ]


def crf_span(chunks: Sequence[CodedChunk]) -> str:
    """The quality value of all chunks, or the least and the greatest: `19.4-26.2`."""
    crfs = [chunk.crf for chunk in chunks]
    low, high = min(crfs, key=Decimal), max(crfs, key=Decimal)
    return low if Decimal(low) == Decimal(high) else f"{low}-{high}"


def broken_rows(chunks: Sequence[CodedChunk]) -> list[dict[str, Any]]:
    """Chunks that the encoder broke at their quality value, as JSON objects; see `encoder.usable.broken_chunks`."""
    return [
        {"frame": chunk.part.start, "crf": chunk.crf, "broken": [asdict(one) for one in chunk.broken]}
        for chunk in chunks
        if chunk.broken
    ]
