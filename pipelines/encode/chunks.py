"""How a title is cut for encoding: the same for analysis and for every rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.split import Chunk, Shot
from encoder import EncodeSettings
from encoder.chunk import gop_frames
from pipelines.encode.zones import Zone, zoned_chunks

DECODED = 8
"""Samples that are decoded and scaled as fast as one is coded, roughly: x264 medium on one core, a source of H.264."""
SHORTEST_S = 1
"""Seconds; shots shorter than this share a chunk: starting an encoder costs more than they do."""


def title_chunks(
    shots: Mapping[str, Any],
    info: MediaInfo,
    settings: EncodeSettings,
    chunk_s: str,
    zones: Sequence[Zone] = (),
) -> tuple[Chunk, ...]:
    """Chunks at shot boundaries, and at those of zones; long shots are cut where that costs the least.

    Args:
        shots: a `shots@1` object.
        info: the title.
        settings: how they are coded: with key frames how far apart.
        chunk_s: longest chunk, seconds, decimal text.
        zones: no chunk lies in two of them.
    """
    found = [Shot(frames=FrameRange(shot["start"], shot["end"])) for shot in shots["shots"]]
    rate = info.video.frame_rate
    longest = max(1, round(Decimal(chunk_s) * rate.numerator / rate.denominator))
    shortest = min(longest, max(1, round(SHORTEST_S * rate)))
    entries = info.index.keys.tolist() if info.index.seekable else ()
    gop = gop_frames(settings, info)
    return zoned_chunks(found, zones, shortest=shortest, longest=longest, entries=entries, gop=gop)


def chunk_cost(part: FrameRange, info: MediaInfo, width: int, height: int) -> int:
    """About what it takes to code a chunk at a size, in any unit: who begins with the most is done with all the soonest.

    Half of it goes by the frames, half by the bytes that the source needs for them: what was hard to code once is so again.
    For eight chunks of a film that x264 took 4.8 to 9.2 s for, at 83 to 96 frames each, that gives nearly their order.

    Args:
        part: the frames.
        info: the source.
        width, height: of the coded pictures, samples.
    """
    frames, index = len(part), info.index
    whole = index.bytes_in(0, info.frame_count)
    busy = (frames + index.bytes_in(part.start, part.end) * info.frame_count / whole) / 2 if whole else frames
    samples = width * height + info.video.width * info.video.height / DECODED
    return max(1, round(busy * samples / 4096))
