"""Stage `encode`: every chunk at every rung, in parallel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.stage import Inputs, Item, Resources, Scalar, Stage, TaskContext, Trial
from encoder import EncodeSettings, Rung
from encoder.capped import encode_capped
from encoder.chunk import chunk_coder
from encoder.vbv import WINDOW_S
from pipelines.encode.chunks import chunk_cost, title_chunks
from pipelines.encode.limits import coder_limits, coder_resources
from pipelines.encode.ranges import OTHER, media_for
from pipelines.encode.zones import Zone, parse_zones, settings_in, title_zones

CAPS = ("peak_kbps", "buffer_kbits")
"""What rungs with a peak rate say of it."""
KEPT = ("name", "width", "height", "ten_bit", "codec")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeParams:
    """How to encode.

    Attributes:
        settings: of every chunk; the CRF comes from the ladder.
        others: the same for further codecs, where rungs of the ladder say theirs.
        chunk_s: longest chunk, seconds, decimal text.
        zones: other settings for ranges of frames, see `pipelines.encode.zones`.
        segment_s: length of a segment, seconds, decimal text: of runs of about one a peak rate holds.
    """

    settings: EncodeSettings
    others: tuple[EncodeSettings, ...] = ()
    chunk_s: str = "8"
    zones: str = ""
    segment_s: str = "4"


class Encode(Stage[EncodeParams]):
    """Coded chunks, each checked as it is made: they begin with a key frame and hold exactly their frames."""

    name, version, params = "encode", 4, EncodeParams
    inputs = MappingProxyType(
        {
            "asset": "asset",
            "media": "media@1",
            OTHER: "media@1?",
            "shots": "shots@1",
            "ladder": "ladder@1",
        }
    )
    parts = MappingProxyType({"chunk": "coded-chunk@1", "facts": "chunk-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "frames"

    def resources(self, params: EncodeParams) -> Resources:
        """A decoder in the worker, and the greediest encoder beside it."""
        return coding_resources(params)

    def fingerprint(self, params: EncodeParams) -> str:
        """The encoder's build, and the scaler's."""
        return chunk_coder()

    def settings_of(self, params: EncodeParams, item: Item) -> EncodeParams:
        """Those of its own codec, and of the zone that it lies in; how the title was cut is in the chunk."""
        own = params_of(params, str(item.values.get("codec", "")))
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        zones = parse_zones(own.zones, own.settings.codec)
        return EncodeParams(settings=settings_in(zones, item.chunk.frames, own.settings))

    def trial(self) -> Trial:
        """Three short chunks."""
        quick = EncodeSettings(preset="ultrafast", gop_s="1")
        return Trial(
            params=EncodeParams(settings=quick, chunk_s="0.5"),
            feeds={"shots": "shots.shots", "ladder": "search.ladder"},
        )

    def split(self, inputs: Inputs, params: EncodeParams) -> Sequence[Item]:
        """Chunks at shot boundaries, times rungs."""
        info, ladder = inputs.media(), inputs.json("ladder")
        chunks = title_chunks(
            inputs.json("shots"), info, params.settings, params.chunk_s, _zones(info, params)
        )
        items = [
            Item(
                chunk=chunk,
                variant=rung["name"],
                values=_values({"ten_bit": ladder["ten_bit"], **rung}, place, params.segment_s),
                weight=len(chunk.frames),
                cost=chunk_cost(chunk.frames, info, int(rung["width"]), int(rung["height"])),
            )
            for rung in ladder["rungs"]
            for place, chunk in enumerate(chunks)
        ]
        return [
            replace(item, uses={"asset": inputs["asset"], "media": media_for(inputs, item)}) for item in items
        ]

    def map(self, ctx: TaskContext, item: Item, params: EncodeParams) -> None:
        """Encode one chunk at one rung."""
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        info, part = ctx.inputs.media(), item.chunk.frames
        values = item.values
        settings = chunk_settings(params, values, part)
        facts = encode_capped(
            lambda: ctx.frames(ctx.inputs.asset(), part),
            info,
            part,
            rung_of_item(item),
            settings,
            ctx.out("chunk", ".mp4"),
            window_s=float(values.get("segment_s", WINDOW_S)),
            on_frame=lambda done: ctx.progress(done, len(part)),
            limits=coder_limits(settings),
        )
        for one in facts.broken:
            ctx.log(f"quality {one.crf} broke ({one.problem}); coded with {facts.crf}")
        ctx.out_json("facts", asdict(facts))


def coding_resources(params: EncodeParams) -> Resources:
    """What a task that encodes is counted with, of whichever codec it may be."""
    every = [coder_resources(settings) for settings in (params.settings, *params.others)]
    return max(every, key=lambda one: (one.cpu, one.memory_mb))


def _values(rung: Mapping[str, Any], place: int, segment_s: str) -> dict[str, Scalar]:
    """What decides about the chunk at this place: the rung's size, its quality value for it, and its codec if it says one.

    How long segments are counts where there is a peak rate, and only there.
    """
    crf = rung["crfs"][place] if "crfs" in rung else rung["crf"]
    named = {key: rung[key] for key in KEPT if key in rung}
    caps = {**{key: rung[key] for key in CAPS}, "segment_s": segment_s} if rung.get("peak_kbps") else {}
    if rung.get("dynamic_range"):
        named["dynamic_range"] = rung["dynamic_range"]
    return {**named, **caps, "crf": crf}


def params_of(params: EncodeParams, codec: str) -> EncodeParams:
    """What decides about chunks of one codec; how the title was cut is in the chunks."""
    return EncodeParams(settings=replace(_settings_of(params, codec), crf=""), zones=params.zones)


def rung_of_item(item: Item) -> Rung:
    """The rung that an item is of, with its peak rate if it has one."""
    values = item.values
    rung = Rung(name=str(values["name"]), width=int(values["width"]), height=int(values["height"]))
    return rung.capped(*(int(values.get(name, 0)) for name in CAPS))


def chunk_settings(params: EncodeParams, values: Mapping[str, Scalar], part: FrameRange) -> EncodeSettings:
    """How a part of the title is coded at a rung.

    Args:
        params: see `params_of`; a quality value in it is that of the zone.
        values: of an item: quality value, depth, codec, and peak rate.
        part: which frames of the title; zones may say otherwise about them.
    """
    own = _settings_of(params, str(values.get("codec", "")))
    peak, buffer = (int(values.get(name, 0)) for name in CAPS)
    settings = replace(own, crf=own.crf or str(values["crf"]), ten_bit=bool(values["ten_bit"]))
    settings = replace(settings, peak_kbps=peak, buffer_kbits=buffer)
    return settings_in(parse_zones(params.zones, own.codec), part, settings)


def _settings_of(params: EncodeParams, codec: str) -> EncodeSettings:
    """Those of a codec; of the first one where a rung says none."""
    every = (params.settings, *params.others)
    return next((settings for settings in every if settings.codec == codec), params.settings)


def _zones(info: MediaInfo, params: EncodeParams) -> tuple[Zone, ...]:
    return title_zones(params.zones, params.settings.codec, info.frame_count)
