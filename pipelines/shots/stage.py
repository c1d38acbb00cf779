"""Stage `shots`: signals of every frame, measured in chunks, and one decision over the whole title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from archer.media.range import FrameRange
from archer.split.chunk import Chunk
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext

if TYPE_CHECKING:
    from archer.media import FrameIndex

SCHEMA = "shots@1"
CHUNK_FRAMES = 1500
"""Frames of a chunk, about a minute: enough work for a task, many tasks for a film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotsParams:
    """Settings of shot detection.

    Attributes:
        chunk_frames: frames that a chunk aims at; has no influence on the shots.
    """

    chunk_frames: int = CHUNK_FRAMES


class Shots(Stage[ShotsParams]):
    """Finds the shots of a title; the result does not depend on how it was cut into chunks."""

    name, version, params = "shots", 1, ShotsParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1"})
    parts = MappingProxyType({"signals": "shot-signals@1"})
    outputs = MappingProxyType({"shots": "shots@1"})
    unit = "frames"

    def resources(self, params: ShotsParams) -> Resources:
        """One decoder and its pictures."""
        return Resources(memory_mb=2048)

    def split(self, inputs: Inputs, params: ShotsParams) -> Sequence[Item]:
        """Chunks that begin at key frames, with the frame before as context where there is one."""
        from archer.media import MediaInfo

        info = MediaInfo.from_json(inputs.json("media"))
        return [
            Item(chunk=chunk, weight=len(chunk.frames)) for chunk in chunks(info.index, params.chunk_frames)
        ]

    def map(self, ctx: TaskContext, item: Item, params: ShotsParams) -> None:
        """Write the signals of the chunk's own frames."""
        from archer.split.shots import signals, write_signals

        chunk = item.chunk
        if chunk is None:
            raise ValueError("shots: wanted an item with a chunk, got one without")
        total = len(chunk.read)
        frames = ctx.frames(ctx.inputs.asset(), chunk.read)
        track = signals(frames, on_frame=lambda done: ctx.progress(done, total))
        write_signals(ctx.out("signals", ".parquet"), track.behind(chunk.before))

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: ShotsParams) -> None:
        """Join the signals and decide."""
        from archer.media import MediaInfo
        from archer.split.shots import Signals, decide, read_signals

        info = MediaInfo.from_json(ctx.inputs.json("media"))
        ordered = sorted(parts, key=lambda part: part.item.chunk.index if part.item.chunk else 0)
        track = Signals.joined(read_signals(ctx.path(part.outputs["signals"])) for part in ordered)
        shots = decide(track, frame_rate=info.video.frame_rate)
        ctx.out_json(
            "shots",
            {
                "schema": SCHEMA,
                "frames": len(track),
                "frame_rate": str(info.video.frame_rate),
                "shots": [
                    {
                        "start": shot.frames.start,
                        "end": shot.frames.end,
                        "transition": shot.transition,
                        "confidence_pct": shot.confidence_pct,
                    }
                    for shot in shots
                ],
            },
        )


def chunks(index: FrameIndex, length: int) -> list[Chunk]:
    """Chunks of about `length` frames that cover a title and begin at key frames where there are some.

    Args:
        index: frames of the title.
        length: frames that a chunk holds at least, but for the last; at most twice as many between rare key frames.
    """
    count, starts = len(index), [0]
    for key in index.keys.tolist():
        while key - starts[-1] > 2 * length:
            starts.append(starts[-1] + length)
        if key - starts[-1] >= length:
            starts.append(key)
    while count - starts[-1] > 2 * length:
        starts.append(starts[-1] + length)
    ranges = [FrameRange(start, end) for start, end in pairwise([*starts, count])]
    return [
        Chunk(index=place, frames=frames, before=min(1, frames.start)) for place, frames in enumerate(ranges)
    ]
