"""Stage `score`: every frame of every rung against the source, at the model's display size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from archer.media import FrameRange, frames, probe
from archer.split import Chunk
from archer.stage import Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from pipelines.encode.ranges import OTHER, media_for
from pipelines.score.rows import rendition_rows
from pipelines.score.scorer import default_scorer
from vmaf import DEFAULT_MODEL, FrameScores, Scorer, model_named
from vmaf.scores import read_parquet, write_parquet

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "frame-scores@1"
CHUNK = 240
"""Frames of a chunk: some seconds of work, so that all workers have some and progress is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreParams:
    """How to score.

    Attributes:
        model: VMAF model; both sides are scaled to its display.
    """

    model: str = DEFAULT_MODEL


class Score(Stage[ScoreParams]):
    """Chunks are scored with the frames around that motion looks at, so that joining them gives what one run gives."""

    name, version, params = "score", 2, ScoreParams
    inputs = MappingProxyType(
        {"asset": "asset", "media": "media@1", OTHER: "media@1?", "renditions": "parts@1"}
    )
    parts = MappingProxyType({"scores": SCHEMA})
    outputs = MappingProxyType({"scores": SCHEMA})
    reads = ("model",)
    unit = "frames"

    def resources(self, params: ScoreParams) -> Resources:
        """Two decoders and the scorer."""
        return Resources(memory_mb=2048)

    def fingerprint(self, params: ScoreParams) -> str:
        """The scorer's build."""
        return default_scorer().version()

    def trial(self) -> Trial:
        """Whole renditions."""
        return Trial(feeds={"renditions": "assemble.parts"})

    def split(self, inputs: Inputs, params: ScoreParams) -> Sequence[Item]:
        """Chunks of frames, times renditions."""
        total = inputs.media().frame_count
        chunks = chunks_of(total, default_scorer().context(model_named(params.model)))
        return [
            Item(
                chunk=chunk,
                variant=part.item.variant,
                uses={
                    "asset": inputs["asset"],
                    "media": media_for(inputs, part.item),
                    "rendition": part.outputs["rendition"],
                },
                weight=len(chunk.frames),
            )
            for part in inputs.parts("renditions")
            for chunk in chunks
        ]

    def map(self, ctx: TaskContext, item: Item, params: ScoreParams) -> None:
        """Score one chunk of one rendition."""
        coded = str(ctx.inputs.path("rendition"))
        score_chunk(ctx, item, coded, scorer=default_scorer(), model=params.model)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: ScoreParams) -> None:
        """One table: all frames of the first rendition, then of the next."""
        write_parquet(
            joined_tables([read_parquet(ctx.path(part.outputs["scores"])) for part in parts]),
            ctx.out("scores", ".parquet"),
        )


def scores_by_rendition(table: pa.Table) -> dict[str, FrameScores]:
    """The scores of each rendition of the stage's output, in frame order."""
    names: list[str] = [str(name) for name in table["rendition"].unique().to_pylist()]
    return {name: FrameScores.from_table(rendition_rows(table, name)) for name in names}


def score_chunk(ctx: TaskContext, item: Item, coded: str, *, scorer: Scorer, model: str) -> None:
    """Score one chunk of the file or URL `coded` against the title, as output `scores`."""
    assert item.chunk is not None  # noqa: S101  every item of these stages has one
    wanted, read = item.chunk.frames, item.chunk.read
    coded_info = probe(coded)
    scores = scorer.score(
        ctx.frames(ctx.inputs.asset(), read),
        frames(coded, read, info=coded_info, threads=ctx.threads),
        reference_info=ctx.inputs.media(),
        distorted_info=coded_info,
        model=model_named(model),
        first=read.start,
        threads=ctx.threads,
        on_frame=lambda done: ctx.progress(done, len(read)),
    )
    table = scores.part(wanted.start, wanted.end).table(rendition=item.variant)
    write_parquet(table, ctx.out("scores", ".parquet"))


def chunks_of(total: int, context: tuple[int, int]) -> list[Chunk]:
    """A title of so many frames in chunks, with the frames around that the features look at."""
    return [_chunk(index, total, context) for index in range(-(-total // CHUNK))]


def _chunk(index: int, total: int, context: tuple[int, int]) -> Chunk:
    part, (before, after) = FrameRange(index * CHUNK, min(total, (index + 1) * CHUNK)), context
    return Chunk(index=index, frames=part, before=min(before, part.start), after=min(after, total - part.end))


def joined_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables of one schema as one, as the stage writes it."""
    import pyarrow as pa

    return pa.concat_tables([table.unify_dictionaries() for table in tables]).combine_chunks()
