"""Stage `ingest`: media facts and frame index of an asset, or the reason why it cannot be encoded."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from archer.media import MediaInfo, frames, probe
from archer.media.view import hdr_kind
from archer.stage import Item, Resources, Stage, TaskContext
from pipelines.ingest.conform import edited, pieces_of, same_rate
from pipelines.ingest.params import IngestParams as IngestParams
from pipelines.ingest.refusal import RefusedInput, refusal
from pipelines.ingest.tracks import check_tracks, unheard
from pipelines.ingest.view import viewed


class Ingest(Stage[IngestParams]):
    """Probes the asset once for all later stages, and settles how it is looked at and what of it is wanted."""

    name, version, params = "ingest", 2, IngestParams
    inputs = MappingProxyType({"asset": "asset"})
    outputs = MappingProxyType({"media": "media@1"})

    def resources(self, params: IngestParams) -> Resources:
        """One core; the index of a long title and one decoder."""
        return Resources(memory_mb=1024)

    def map(self, ctx: TaskContext, item: Item, params: IngestParams) -> None:
        """Write the `media@1` facts, or raise `RefusedInput`."""
        urls = ctx.inputs.asset().urls
        info = _taken(urls[0], params)
        if params.clips or len(urls) > 1:
            sources = [info, *(_joining(url, info, params) for url in urls[1:])]
            info = edited(sources, pieces_of(sources, params))
        if params.strict:
            check_tracks(info, params.audio, params.subtitles)
            left_out = unheard(info, params.audio, params.subtitles)
            info = replace(info, problems=(*info.problems, *left_out)) if left_out else info
        for problem in info.problems:
            ctx.log(f"warning: {problem.code}: {problem.message}")
        ctx.out_json("media", info.to_json())


def _taken(url: str, params: IngestParams) -> MediaInfo:
    """Facts of a file as it is to be looked at."""
    info: MediaInfo = probe(url)
    if not params.strict:
        return info
    if params.needs_hdr and not hdr_kind(info.video):
        raise RefusedInput("input is in SDR, and ladders in HDR are asked for: add --dynamic-range sdr")
    reason = refusal(info, params)
    if reason is not None:
        raise reason
    return viewed(info, params, lambda facts, part: frames(url, part, info=facts))


def _joining(url: str, first: MediaInfo, params: IngestParams) -> MediaInfo:
    """The same of a file that comes behind another: at its rate, where that is constant."""
    info = _taken(url, params)
    if first.video.vfr or same_rate(info.video, first.video):
        return info
    wanted = replace(params, fps=str(first.video.frame_rate))
    info = viewed(info.stored, wanted, lambda facts, part: frames(url, part, info=facts))
    if not same_rate(info.video, first.video):
        rates = f"{info.video.frame_rate} frames per second, the first input {first.video.frame_rate}"
        raise RefusedInput(f"{url} has {rates}, and --deinterlace film keeps its own; encode it apart")
    return info
