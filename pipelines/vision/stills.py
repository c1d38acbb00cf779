"""Stage `stills`: a harder look at the key frame of every shot: banding, what stands out, text, faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from archer.media.range import FrameRange
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from pipelines.vision.columns import FRAMES_SCHEMA, SHOTS_SCHEMA, STILLS_SCHEMA

PART_SCHEMA = "vision-stills-part@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class StillsParams:
    """Settings of the harder look.

    Attributes:
        shots_per_task: shots of one task; has no influence on what is found.
    """

    shots_per_task: int = 8

    def __post_init__(self) -> None:
        """Raises: ValueError: no shots at all."""
        if self.shots_per_task < 1:
            raise ValueError(f"shots_per_task: wanted 1 or more, got {self.shots_per_task}")


class Stills(Stage[StillsParams]):
    """Looks at key frames; text and faces where the extra `vision` is installed, null columns where it is not."""

    name, version, params = "stills", 1, StillsParams
    inputs = MappingProxyType(
        {
            "asset": "asset",
            "media": "media@1",
            "shots": "shots@1",
            "frames": FRAMES_SCHEMA,
            "table": SHOTS_SCHEMA,
        }
    )
    parts = MappingProxyType({"stills": PART_SCHEMA})
    outputs = MappingProxyType({"stills": STILLS_SCHEMA})
    unit = "shots"

    def resources(self, params: StillsParams) -> Resources:
        """A decoder, two models and what they work on."""
        return Resources(memory_mb=2048)

    def fingerprint(self, params: StillsParams) -> str:
        """Which models look, and in which runtime."""
        from pipelines.vision.models import FACES, TEXT, runtime

        return "; ".join(part for part in (TEXT.label, FACES.label, runtime()) if part)

    def same(self, params: StillsParams) -> Sequence[StillsParams]:
        """Shots by the one, or all at once, give the same table."""
        return [replace(params, shots_per_task=count) for count in (1, 1000)]

    def trial(self) -> Trial:
        """Shots as they are found."""
        return Trial(feeds={"shots": "shots.shots"})

    def split(self, inputs: Inputs, params: StillsParams) -> Sequence[Item]:
        """Some shots each."""
        count, step = len(inputs.json("shots")["shots"]), params.shots_per_task
        return [
            Item(
                variant=f"shots-{first:05d}",
                values={"first": first, "end": min(first + step, count)},
                weight=min(first + step, count) - first,
            )
            for first in range(0, count, step)
        ]

    def map(self, ctx: TaskContext, item: Item, params: StillsParams) -> None:
        """Write the rows of some shots."""
        from pipelines.vision.columns import STILL_COLUMNS
        from pipelines.vision.models import missing
        from pipelines.vision.still import still_features
        from pipelines.vision.table import key_frames, write_rows

        for notice in missing():
            ctx.log(notice)
        first, end = int(item.values["first"]), int(item.values["end"])
        video, asset = ctx.inputs.media().video, ctx.inputs.asset()
        listed = key_frames(ctx.inputs.path("table"), ctx.inputs.path("frames"), first, end)
        rows: dict[str, list[object]] = {each.name: [] for each in STILL_COLUMNS}
        for place, (shot, number, bars) in enumerate(listed, 1):
            (frame,) = ctx.frames(asset, FrameRange(number, number + 1))
            found = {"shot": shot, "frame": number, **still_features(frame, video, bars, ctx.threads)}
            for name, column in rows.items():
                column.append(found.get(name))
            ctx.progress(place, len(listed))
        write_rows(ctx.out("stills", ".parquet"), rows, STILL_COLUMNS, STILLS_SCHEMA)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: StillsParams) -> None:
        """Join the rows, and say who looked."""
        from pipelines.vision.columns import STILL_COLUMNS
        from pipelines.vision.models import FACES, TEXT, runtime
        from pipelines.vision.table import read_rows, write_rows

        ordered = sorted(parts, key=lambda part: int(part.item.values["first"]))
        rows: dict[str, list[object]] = {each.name: [] for each in STILL_COLUMNS}
        for part in ordered:
            for name, column in read_rows(ctx.path(part.outputs["stills"]), STILLS_SCHEMA).items():
                rows[name] += column
        facts = {"text_model": TEXT.label, "face_model": FACES.label, "runtime": runtime()}
        write_rows(ctx.out("stills", ".parquet"), rows, STILL_COLUMNS, STILLS_SCHEMA, facts)
