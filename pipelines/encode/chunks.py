"""How a title is cut for encoding: the same for analysis and for every rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.split import Chunk, Shot
from pipelines.encode.zones import Zone, zoned_chunks

SHORTEST_S = 1
"""Seconds; shots shorter than this share a chunk: starting an encoder costs more than they do."""


def title_chunks(
    shots: Mapping[str, Any], info: MediaInfo, chunk_s: str, zones: Sequence[Zone] = ()
) -> tuple[Chunk, ...]:
    """Chunks at shot boundaries, and at those of zones.

    Args:
        shots: a `shots@1` object.
        info: the title.
        chunk_s: longest chunk, seconds, decimal text.
        zones: no chunk lies in two of them.
    """
    found = [Shot(frames=FrameRange(shot["start"], shot["end"])) for shot in shots["shots"]]
    rate = info.video.frame_rate
    longest = max(1, round(Decimal(chunk_s) * rate.numerator / rate.denominator))
    shortest = min(longest, max(1, round(SHORTEST_S * rate)))
    return zoned_chunks(found, zones, shortest=shortest, longest=longest)
