"""One measured encode: code some frames, decode and score them, in one task."""

from __future__ import annotations

from dataclasses import replace

from archer.media import FrameRange, MediaInfo, frames, probe
from archer.stage import TaskContext
from encoder import ChunkFacts, EncodeSettings, Rung, encode_chunk
from encoder.codecs import codec_named
from pipelines.encode.limits import coder_limits
from pipelines.score.scorer import default_scorer
from vmaf import FrameScores, model_named


def measured(
    ctx: TaskContext,
    part: FrameRange,
    rung: Rung,
    settings: EncodeSettings,
    *,
    model: str,
    subsample: int,
    first: int = 0,
) -> tuple[ChunkFacts, FrameScores]:
    """What the frames cost at this rung and with these settings, and how good they are.

    Args:
        ctx: of a task whose inputs are the `asset` and its `media`.
        part: frames of the asset.
        rung: the size.
        settings: how, with a quality value.
        model: VMAF model.
        subsample: score every n-th frame only.
        first: number of the first frame, which says which ones these are.
    """
    info, asset = ctx.inputs.media(), ctx.inputs.asset()
    coded = ctx.scratch / "sample.mp4"
    facts = encode_chunk(
        ctx.frames(asset, part),
        info,
        rung,
        settings,
        coded,
        on_frame=lambda done: ctx.progress(done, 2 * len(part)),
        limits=coder_limits(settings),
    )
    coded_info = probe(str(coded))
    scores = default_scorer().score(
        ctx.frames(asset, part),
        frames(str(coded), info=coded_info),
        reference_info=info,
        distorted_info=coded_info,
        model=model_named(model),
        subsample=subsample,
        first=first,
        on_frame=lambda done: ctx.progress(len(part) + done, 2 * len(part)),
    )
    return facts, scores


def deep(settings: EncodeSettings, info: MediaInfo) -> EncodeSettings:
    """The settings with 10 bits where the source has more than 8 and the codec takes them."""
    return replace(settings, ten_bit=codec_named(settings.codec).ten_bit and info.video.bit_depth > 8)
