"""Stage `tracks`: faces in some frames of every second, linked to tracks within each shot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from archer.media.range import FrameRange
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from pipelines.vision.columns import FACES_SCHEMA, TRACKS_SCHEMA

PART_SCHEMA = "vision-faces-part@1"
Rows = dict[str, list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracksParams:
    """Settings of the tracks.

    Attributes:
        per_second: frames of a second that are looked at, 0 for none; a shot has at least one.
        samples_per_task: looked-at frames of one task; has no influence on what is found.
    """

    per_second: int = 2
    samples_per_task: int = 60

    def __post_init__(self) -> None:
        """Raises: ValueError: a negative rate, or no frames at all in a task."""
        if self.per_second < 0:
            raise ValueError(f"per_second: wanted 0 or more, got {self.per_second}")
        if self.samples_per_task < 1:
            raise ValueError(f"samples_per_task: wanted 1 or more, got {self.samples_per_task}")


def sampled(shots: Sequence[FrameRange], rate: Fraction, per_second: int) -> list[tuple[int, int]]:
    """Shots and frames that are looked at: evenly from half a step behind each cut, so that a short shot shows its middle."""
    if not per_second:
        return []
    step = max(1, round(rate / per_second))
    return [
        (number, frame)
        for number, shot in enumerate(shots)
        for frame in range(shot.start + min(step, len(shot)) // 2, shot.end, step)
    ]


class Tracks(Stage[TracksParams]):
    """Looks for faces where the extra `vision` is installed; without it the tables are empty and say so."""

    name, version, params = "tracks", 1, TracksParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "shots": "shots@1"})
    parts = MappingProxyType({"faces": PART_SCHEMA})
    outputs = MappingProxyType({"faces": FACES_SCHEMA, "tracks": TRACKS_SCHEMA})
    unit = "frames"

    def resources(self, params: TracksParams) -> Resources:
        """A decoder, a model and what it works on."""
        return Resources(memory_mb=2048)

    def fingerprint(self, params: TracksParams) -> str:
        """Which model looks, and in which runtime."""
        from pipelines.vision.models import FACES, runtime

        return "; ".join(part for part in (FACES.label, runtime()) if part)

    def same(self, params: TracksParams) -> Sequence[TracksParams]:
        """Frames by the one, or all at once, give the same tables."""
        return [replace(params, samples_per_task=count) for count in (1, 1000)]

    def trial(self) -> Trial:
        """Shots as they are found."""
        return Trial(feeds={"shots": "shots.shots"})

    def split(self, inputs: Inputs, params: TracksParams) -> Sequence[Item]:
        """Some looked-at frames each, of whatever shots."""
        count, step = len(_samples(inputs, params)), params.samples_per_task
        return [
            Item(
                variant=f"faces-{first:06d}",
                values={"first": first, "end": min(first + step, count)},
                weight=min(first + step, count) - first,
            )
            for first in range(0, count, step)
        ]

    def map(self, ctx: TaskContext, item: Item, params: TracksParams) -> None:
        """Write the faces of some frames."""
        from pipelines.vision.columns import FACE_COLUMNS
        from pipelines.vision.models import FACES
        from pipelines.vision.table import write_rows

        samples = _samples(ctx.inputs, params)[int(item.values["first"]) : int(item.values["end"])]
        rows: Rows = {each.name: [] for each in FACE_COLUMNS}
        for place, found in enumerate(_looked(ctx, samples) if FACES.path else (), 1):
            for row in found:
                for name, column in rows.items():
                    column.append(row.get(name))
            ctx.progress(place, len(samples))
        write_rows(ctx.out("faces", ".parquet"), rows, FACE_COLUMNS, PART_SCHEMA)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: TracksParams) -> None:
        """Link the faces of each shot, and say who looked."""
        from pipelines.vision.columns import FACE_COLUMNS, TRACK_COLUMNS
        from pipelines.vision.followed import followed
        from pipelines.vision.models import FACES, runtime
        from pipelines.vision.table import read_rows, write_rows

        found: Rows = {each.name: [] for each in FACE_COLUMNS}
        for part in sorted(parts, key=lambda part: int(part.item.values["first"])):
            for name, column in read_rows(ctx.path(part.outputs["faces"]), PART_SCHEMA).items():
                found[name] += column
        rate = ctx.inputs.media().video.frame_rate
        faces, tracks = followed(_samples(ctx.inputs, params), found, gap=round(rate))
        facts = {"face_model": FACES.label, "runtime": runtime(), "per_second": str(params.per_second)}
        write_rows(ctx.out("faces", ".parquet"), faces, FACE_COLUMNS, FACES_SCHEMA, facts)
        write_rows(ctx.out("tracks", ".parquet"), tracks, TRACK_COLUMNS, TRACKS_SCHEMA, facts)


def _samples(inputs: Inputs, params: TracksParams) -> list[tuple[int, int]]:
    shots = [FrameRange(shot["start"], shot["end"]) for shot in inputs.json("shots")["shots"]]
    return sampled(shots, inputs.media().video.frame_rate, params.per_second)


def _looked(ctx: TaskContext, samples: Sequence[tuple[int, int]]) -> Iterator[list[Mapping[str, Any]]]:
    """The faces of each frame, as rows without a track."""
    from dataclasses import asdict

    from pipelines.vision.faces import SIDE, face_boxes
    from pipelines.vision.models import FACES, session
    from pipelines.vision.still import STEP, upright

    shots = {frame: shot for shot, frame in samples}
    video = ctx.inputs.media().video
    reach = FrameRange(samples[0][1], samples[-1][1] + 1)
    for frame in ctx.frames(ctx.inputs.asset(), reach):
        if frame.index in shots:
            boxes = face_boxes(upright(frame, video, SIDE, STEP), session(FACES, ctx.threads))
            yield [{"shot": shots[frame.index], "frame": frame.index, **asdict(box)} for box in boxes]
