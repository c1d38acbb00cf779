"""Stage `vision`: features of every frame, measured in chunks, and of every shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from archer.media.range import FrameRange
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from pipelines.vision.columns import FRAMES_SCHEMA, SHOT_COLUMNS, SHOTS_SCHEMA

PART_SCHEMA = "vision-part@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionParams:
    """Settings of the analysis.

    Attributes:
        chunk_frames: frames that a chunk aims at, fewer towards the end of a title; has no influence on what is found.
    """

    chunk_frames: int = 250


class Vision(Stage[VisionParams]):
    """Measures what is in the pictures; a chunk reads one frame before its own, so the result has no seams."""

    name, version, params = "vision", 4, VisionParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "shots": "shots@1"})
    parts = MappingProxyType({"frames": PART_SCHEMA})
    outputs = MappingProxyType({"frames": FRAMES_SCHEMA, "shots": SHOTS_SCHEMA})
    unit = "frames"

    def resources(self, params: VisionParams) -> Resources:
        """One decoder and its pictures; 8K of 16 bits takes the most."""
        return Resources(memory_mb=2048)

    def same(self, params: VisionParams) -> Sequence[VisionParams]:
        """Chunks of any length give the same tables."""
        return [replace(params, chunk_frames=length) for length in (7, 100)]

    def trial(self) -> Trial:
        """Shots as they are found."""
        return Trial(feeds={"shots": "shots.shots"})

    def split(self, inputs: Inputs, params: VisionParams) -> Sequence[Item]:
        """Chunks with a frame of context; that is a key frame, so nothing is decoded that is not looked at."""
        from archer.split.base import chunks_at
        from archer.split.splitters import keyframes

        index = inputs.media().index
        edges = [chunk.frames.start + 1 for chunk in keyframes.graded(index, params.chunk_frames)[1:]]
        listed = chunks_at([0, *(edge for edge in edges if edge < len(index))], len(index))
        uses = {"asset": inputs["asset"], "media": inputs["media"]}
        return [
            Item(chunk=replace(chunk, before=min(1, chunk.frames.start)), weight=len(chunk.frames), uses=uses)
            for chunk in listed
        ]

    def map(self, ctx: TaskContext, item: Item, params: VisionParams) -> None:
        """Write the rows of a chunk."""
        from pipelines.vision.levels import Levels
        from pipelines.vision.measure import Rows, measured
        from pipelines.vision.table import write_part

        chunk = item.chunk
        if chunk is None:
            raise ValueError("vision: wanted an item with a chunk, got one without")
        levels = Levels.of(ctx.inputs.media().video)
        rows, total = Rows(), len(chunk.frames)
        for values, tiny in measured(ctx.frames(ctx.inputs.asset(), chunk.read), levels):
            if values["frame"] < chunk.frames.start:
                continue
            rows.add(values, tiny)
            ctx.progress(len(rows.tiny), total)
        write_part(ctx.out("frames", ".parquet"), rows.columns, rows.tiny)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: VisionParams) -> None:
        """Join the rows, and make those of shots."""
        from pipelines.vision.levels import Levels
        from pipelines.vision.palette import palette
        from pipelines.vision.shots import NEEDED, like_shots, match_shots, shot_row
        from pipelines.vision.table import join_parts, read_columns, read_tiny, write_rows

        ordered = sorted(parts, key=lambda part: part.item.chunk.index if part.item.chunk else 0)
        paths, joined = [ctx.path(part.outputs["frames"]) for part in ordered], ctx.out("frames", ".parquet")
        join_parts(paths, joined)
        columns = read_columns(joined, NEEDED)
        rows = [shot_row(place, span, columns) for place, span in enumerate(_spans(ctx.inputs.json("shots")))]
        levels = Levels.of(ctx.inputs.media().video)
        hashes = [row["phash"] for row in rows]
        likes, matches = like_shots(hashes), match_shots(hashes)
        pictures = read_tiny(paths, [row["key_frame"] for row in rows])
        for row, like, match, picture in zip(rows, likes, matches, pictures, strict=True):
            other, bits = match or (None, None)
            row |= {
                "like_shot": like,
                "match_shot": other,
                "match_bits": bits,
                "colours": palette(picture, levels),
            }
        listed = {each.name: [row[each.name] for row in rows] for each in SHOT_COLUMNS}
        write_rows(ctx.out("shots", ".parquet"), listed, SHOT_COLUMNS, SHOTS_SCHEMA)


def _spans(found: Any) -> list[FrameRange]:
    return [FrameRange(shot["start"], shot["end"]) for shot in found["shots"]]
