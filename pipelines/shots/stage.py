"""Stage `shots`: thumbnails of every frame, measured in chunks, and one decision over the whole title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from archer.split.chunk import Shot
from archer.split.splitters import keyframes
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext

if TYPE_CHECKING:
    from archer.split.shots import Detection

SCHEMA = "shots@1"
Detector = Literal["builtin", "transnetv2", "fusion"]
"""As in `archer.split.shots`, here so that listing settings imports no numpy."""
CHUNK_FRAMES = 250
"""Frames of a chunk, about ten seconds: some seconds of work for a task, and little to decode before what is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotsParams:
    """Settings of shot detection.

    Attributes:
        shortest_s, longest_s: seconds of a shot as decimal text; a boundary nearer to a more certain one is dropped, a
            longer shot is cut into equal parts. 0: no limit.
        chunk_frames: frames that a chunk aims at, fewer towards the end of a title; has no influence on the shots.
        detector: `builtin`, `transnetv2` (its package must be installed), or `fusion` of both.
    """

    shortest_s: str = "0"
    longest_s: str = "0"
    chunk_frames: int = CHUNK_FRAMES
    detector: Detector = "builtin"


class Shots(Stage[ShotsParams]):
    """Finds the shots of a title; the result does not depend on how it was cut into chunks."""

    name, version, params = "shots", 1, ShotsParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1"})
    parts = MappingProxyType({"signals": "shot-signals@1"})
    outputs = MappingProxyType({"shots": "shots@1"})
    unit = "frames"

    def resources(self, params: ShotsParams) -> Resources:
        """One decoder and its pictures; 8K of 16 bits takes the most."""
        return Resources(memory_mb=2048)

    def same(self, params: ShotsParams) -> Sequence[ShotsParams]:
        """However it is cut, the shots are the same."""
        return [replace(params, chunk_frames=20), replace(params, chunk_frames=10**6)]

    def split(self, inputs: Inputs, params: ShotsParams) -> Sequence[Item]:
        """Chunks that begin at key frames; a thumbnail depends on its frame alone, so they need no context."""
        info = inputs.media()
        return [
            Item(chunk=chunk, weight=len(chunk.frames))
            for chunk in keyframes.graded(info.index, params.chunk_frames)
        ]

    def map(self, ctx: TaskContext, item: Item, params: ShotsParams) -> None:
        """Write the thumbnails of the chunk."""
        from archer.split.shots import thumbnails, write_thumbnails

        chunk = item.chunk
        if chunk is None:
            raise ValueError("shots: wanted an item with a chunk, got one without")
        total = len(chunk.frames)
        track = thumbnails(
            ctx.frames(ctx.inputs.asset(), chunk.frames),
            frame_count=total,
            on_frame=lambda done: ctx.progress(done, total),
        )
        write_thumbnails(ctx.out("signals", ".parquet"), track)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: ShotsParams) -> None:
        """Decide over the thumbnails of the whole title, a few chunks of them at a time."""
        from archer.split.shots import Rules, detect, read_thumbnails

        rate = ctx.inputs.media().video.frame_rate
        ordered = sorted(parts, key=lambda part: part.item.chunk.index if part.item.chunk else 0)
        found = detect(
            (read_thumbnails(ctx.path(part.outputs["signals"])) for part in ordered),
            frame_rate=rate,
            rules=Rules.of(
                rate, shortest_s=Fraction(params.shortest_s), longest_s=Fraction(params.longest_s)
            ),
            detector=params.detector,
        )
        ctx.out_json("shots", as_json(found, rate))


def as_json(found: Detection, frame_rate: Fraction) -> dict[str, Any]:
    """A `shots@1` object: integers and text only.

    `mixed` (frames of a gradual transition) and `fade_out` are there only where a shot has one; half-open ranges.
    """
    return {
        "schema": SCHEMA,
        "frames": found.frames,
        "frame_rate": str(frame_rate),
        "shots": [_shot(shot) for shot in found.shots],
    }


def _shot(shot: Shot) -> dict[str, Any]:
    ranges = {"mixed": shot.mixed, "fade_out": shot.fade_out}
    return {
        "start": shot.frames.start,
        "end": shot.frames.end,
        "transition": shot.transition,
        "confidence_pct": shot.confidence_pct,
        **{name: [span.start, span.end] for name, span in ranges.items() if span is not None},
    }
