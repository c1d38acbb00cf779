"""Stage `score-files`: a file that somebody else made against its reference; and the kind of job that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from archer.media import probe
from archer.plan import JobSpec, Node, Source
from archer.stage import TITLE, Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from archer.templates import Assets, JobTemplate
from pipelines.ingest.stage import IngestParams
from pipelines.score.stage import SCHEMA, chunks_of, joined_tables, score_chunk
from vmaf import DEFAULT_MODEL, NativeScorer, model_named
from vmaf.errors import FrameCountMismatch
from vmaf.scores import read_parquet, write_parquet

NAME = "distorted"
"""Of the rendition, in the table of scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFilesParams:
    """How to score.

    Attributes:
        model: VMAF model; both sides are scaled to its display.
        metrics: further metrics.
    """

    model: str = DEFAULT_MODEL
    metrics: Sequence[str] = ("psnr",)


class ScoreFiles(Stage[ScoreFilesParams]):
    """Frame n of the one against frame n of the other, in chunks; both have as many frames."""

    name, version, params = "score-files", 1, ScoreFilesParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "distorted": "asset"})
    parts = MappingProxyType({"scores": SCHEMA})
    outputs = MappingProxyType({"scores": SCHEMA})
    reads = ("model",)
    unit = "frames"

    def resources(self, params: ScoreFilesParams) -> Resources:
        """Two decoders and the scorer."""
        return Resources(memory_mb=2048)

    def fingerprint(self, params: ScoreFilesParams) -> str:
        """The scorer's build."""
        return _scorer(params).version()

    def trial(self) -> Trial:
        """A title against itself."""
        return Trial(feeds={"distorted": TITLE})

    def split(self, inputs: Inputs, params: ScoreFilesParams) -> Sequence[Item]:
        """Chunks of frames.

        Raises:
            FrameCountMismatch: one side has more frames than the other.
        """
        total, found = inputs.media().frame_count, probe(inputs.asset("distorted").url).frame_count
        if found != total:
            raise FrameCountMismatch(total, found)
        chunks = chunks_of(total, _scorer(params).context(model_named(params.model)))
        return [Item(chunk=chunk, variant=NAME, weight=len(chunk.frames)) for chunk in chunks]

    def map(self, ctx: TaskContext, item: Item, params: ScoreFilesParams) -> None:
        """Score one chunk."""
        distorted = ctx.inputs.asset("distorted").url
        score_chunk(ctx, item, distorted, scorer=_scorer(params), model=params.model)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: ScoreFilesParams) -> None:
        """One table of all frames."""
        tables = [read_parquet(ctx.path(part.outputs["scores"])) for part in parts]
        write_parquet(joined_tables(tables), ctx.out("scores", ".parquet"))


def _scorer(params: ScoreFilesParams) -> NativeScorer:
    return NativeScorer(metrics=tuple(params.metrics))


def score_job(assets: Assets, params: ScoreFilesParams) -> JobSpec:
    """The job that scores one file against another; results are `ingest.media` and `score.scores`."""
    model_named(params.model)  # a wrong name is said before the work
    reference, distorted = assets["reference"], assets["distorted"]
    inputs: dict[str, Source] = {"asset": reference, "media": "ingest.media", "distorted": distorted}
    return JobSpec(
        nodes=[
            Node(id="ingest", stage="ingest", params=IngestParams(strict=False), inputs={"asset": reference}),
            Node(id="score", stage="score-files", params=params, inputs=inputs),
        ]
    )


TEMPLATE = JobTemplate(
    name="score",
    summary="Score a distorted title against its reference, frame by frame.",
    params=ScoreFilesParams,
    build=score_job,
    inputs=("reference", "distorted"),
    reads=("model",),
)
