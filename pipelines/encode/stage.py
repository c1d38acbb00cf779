"""Stage `encode`: every chunk at every rung, in parallel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from archer.media import FrameRange, MediaInfo
from archer.process import ffmpeg_path, tool_build
from archer.split import Chunk, Shot
from archer.stage import Inputs, Item, Resources, Stage, TaskContext, Trial
from encoder import EncodeSettings, Rung, encode_chunk
from pipelines.encode.limits import coder_limits, coder_resources
from pipelines.encode.zones import Zone, fitted, parse_zones, settings_in, zoned_chunks

SHORTEST_S = 1
"""Seconds; shots shorter than this share a chunk: starting an encoder costs more than they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeParams:
    """How to encode.

    Attributes:
        settings: of every chunk; the CRF comes from the ladder.
        chunk_s: longest chunk, seconds, decimal text.
        zones: other settings for ranges of frames, see `pipelines.encode.zones`.
    """

    settings: EncodeSettings
    chunk_s: str = "8"
    zones: str = ""


class Encode(Stage[EncodeParams]):
    """Coded chunks, each checked as it is made: they begin with a key frame and hold exactly their frames."""

    name, version, params = "encode", 2, EncodeParams
    inputs = MappingProxyType(
        {"asset": "asset", "media": "media@1", "shots": "shots@1", "ladder": "ladder@1"}
    )
    parts = MappingProxyType({"chunk": "coded-chunk@1", "facts": "chunk-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "frames"

    def resources(self, params: EncodeParams) -> Resources:
        """A decoder in the worker, an encoder beside it."""
        return coder_resources(params.settings)

    def fingerprint(self, params: EncodeParams) -> str:
        """The encoder's build."""
        return tool_build(ffmpeg_path())

    def trial(self) -> Trial:
        """Three short chunks."""
        quick = EncodeSettings(preset="ultrafast", gop_s="1")
        return Trial(params=EncodeParams(settings=quick, chunk_s="0.5"), feeds={"shots": "shots.shots"})

    def split(self, inputs: Inputs, params: EncodeParams) -> Sequence[Item]:
        """Chunks at shot boundaries, times rungs."""
        info, ladder = inputs.media(), inputs.json("ladder")
        uses = {"asset": inputs["asset"], "media": inputs["media"]}
        return [
            Item(
                chunk=chunk,
                variant=rung["name"],
                values={**rung, "ten_bit": ladder["ten_bit"]},
                uses=uses,
                weight=len(chunk.frames),
            )
            for rung in ladder["rungs"]
            for chunk in _chunks(inputs, info, params)
        ]

    def map(self, ctx: TaskContext, item: Item, params: EncodeParams) -> None:
        """Encode one chunk at one rung."""
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        info, part = ctx.inputs.media(), item.chunk.frames
        values = item.values
        settings = replace(params.settings, crf=str(values["crf"]), ten_bit=bool(values["ten_bit"]))
        settings = settings_in(_zones(info, params), part, settings)
        facts = encode_chunk(
            ctx.frames(ctx.inputs.asset(), part),
            info,
            Rung(name=str(values["name"]), width=int(values["width"]), height=int(values["height"])),
            settings,
            ctx.out("chunk", ".mp4"),
            on_frame=lambda done: ctx.progress(done, len(part)),
            limits=coder_limits(params.settings),
        )
        ctx.out_json("facts", asdict(facts))


def _chunks(inputs: Inputs, info: MediaInfo, params: EncodeParams) -> tuple[Chunk, ...]:
    shots = [Shot(frames=FrameRange(shot["start"], shot["end"])) for shot in inputs.json("shots")["shots"]]
    rate = info.video.frame_rate
    longest = max(1, round(Decimal(params.chunk_s) * rate.numerator / rate.denominator))
    shortest = min(longest, max(1, round(SHORTEST_S * rate)))
    return zoned_chunks(shots, _zones(info, params), shortest=shortest, longest=longest)


def _zones(info: MediaInfo, params: EncodeParams) -> tuple[Zone, ...]:
    return fitted(parse_zones(params.zones, params.settings.codec), info.frame_count)
