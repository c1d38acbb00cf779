"""How a title is cut for encoding: the same for analysis and for every rung."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.split import Chunk, Shot, plan_chunks

SHORTEST_S = 1
"""Seconds; shots shorter than this share a chunk: starting an encoder costs more than they do."""


def title_chunks(shots: Mapping[str, Any], info: MediaInfo, chunk_s: str) -> tuple[Chunk, ...]:
    """Chunks at shot boundaries.

    Args:
        shots: a `shots@1` object.
        info: the title.
        chunk_s: longest chunk, seconds, decimal text.
    """
    found = [Shot(frames=FrameRange(shot["start"], shot["end"])) for shot in shots["shots"]]
    rate = info.video.frame_rate
    longest = max(1, round(Decimal(chunk_s) * rate.numerator / rate.denominator))
    return plan_chunks(found, shortest=min(longest, max(1, round(SHORTEST_S * rate))), longest=longest)
