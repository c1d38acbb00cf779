"""Stage `analyse`: every shot coded and scored at a few settings, in parallel; remembered, whatever ladder comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.split import Chunk
from archer.stage import Emit, Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from encoder import ChunkBroken, EncodeSettings, Rung
from encoder.chunk import chunk_coder, gop_frames
from encoder.codecs import codec_named
from encoder.errors import NoneUsable
from encoder.point import ShotPoints
from encoder.prior import pilots, spans
from encoder.probes import Probe, corrections, first_probes
from encoder.usable import Usable, broken_texts
from pipelines.allocate.decision import decided_ladder, read_shots
from pipelines.analyse.rungs import read_rungs
from pipelines.encode.chunks import title_chunks
from pipelines.encode.sample import Sample, deep, measured, sample_resources
from pipelines.encode.zones import Zone, parse_zones, settings_in, title_zones
from pipelines.score.scorer import default_scorer

SCHEMA = "rd-points@1"
STEPS = ((11, 20), (7, 16), (5, 12), (3, 12), (7, 12))
"""Every n-th frame is scored, where so many of a shot are, the first that fits: the error falls with the root of their number.

On shots of 120 frames every 7th is off by 0.5 VMAF where much happens and by 0.1 where little does, every 3rd by 0.2 and 0.1. The
steps are odd, because B-frames come in powers of two: every fourth frame of x264 is always a better one (1.7 VMAF too good,
measured). For the same reason they share no factor with the distance of key frames where there are more than two, and each shot
begins elsewhere: its first frame is a key frame."""
AFFINE = (8, 2000)
"""With so many chunks, each is measured by one worker at a time, which has its pictures then. Fewer would leave workers
idle, and the scheduler looks at every key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyseParams:
    """How shots are measured; nothing about what is wanted of them.

    Attributes:
        settings: of the final encodes; `crf` is empty.
        chunk_s: longest chunk, seconds, decimal text.
        zones: other settings for ranges of frames; a quality value in them is what those chunks have, whatever is wanted.
        model: VMAF model.
    """

    settings: EncodeSettings
    chunk_s: str = "8"
    zones: str = ""
    model: str = "vmaf_v0.6.1"


class Analyse(Stage[AnalyseParams]):
    """First a few settings that span the ladder, then, for each rung, the one that its shot would get.

    The few are of every fourth chunk alone; what is known of these is where the others begin.
    """

    name, version, params = "analyse", 4, AnalyseParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "shots": "shots@1", "rungs": "rungs@1"})
    parts = MappingProxyType({"point": "rd-point@1"})
    outputs = MappingProxyType({"points": SCHEMA})
    reads = ("model",)
    unit = "frames"

    def resources(self, params: AnalyseParams) -> Resources:
        """An encoder, and a scorer after it."""
        return sample_resources(params.settings)

    def fingerprint(self, params: AnalyseParams) -> str:
        """Encoder and scorer."""
        return f"{chunk_coder()}; {default_scorer().version()}"

    def settings_of(self, params: AnalyseParams, item: Item) -> AnalyseParams:
        """Those of the zone that a chunk lies in; how the title was cut is in the chunk."""
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        zones = parse_zones(params.zones, params.settings.codec)
        zoned = settings_in(zones, item.chunk.frames, params.settings)
        return AnalyseParams(settings=replace(zoned, crf=params.settings.crf), model=params.model)

    def trial(self) -> Trial:
        """One small rung, at a few settings."""
        quick = EncodeSettings(crf="", preset="ultrafast", gop_s="1")
        feeds = {"shots": "shots.shots", "rungs": "rungs.rungs"}
        return Trial(params=AnalyseParams(settings=quick, chunk_s="2"), feeds=feeds)

    def split(self, inputs: Inputs, params: AnalyseParams) -> Sequence[Item]:
        """The first settings, for the chunks that come first; nothing where every rung has its quality value already."""
        rungs = [rung for rung in read_rungs(inputs.json("rungs")) if not rung.crf]
        if not rungs:
            return ()
        sizes = [(rung.width, rung.height) for rung in rungs]
        probes = first_probes(sizes, codec_named(params.settings.codec))
        chunks = _chunks(inputs, params)
        first = pilots(len(chunks))
        return _items(chunks, [probes if place in first else () for place in range(len(chunks))], inputs)

    def map(self, ctx: TaskContext, item: Item, params: AnalyseParams) -> None:
        """Code and score one chunk at one setting.

        Some encoders give broken streams, at the finest qualities that they claim to have above all: such a point is one that
        cannot be had, and others are asked for.
        """
        assert item.chunk is not None  # noqa: S101  every item of this stage has one
        part, values = item.chunk.frames, item.values
        rung = Rung(name=item.variant, width=int(values["width"]), height=int(values["height"]))
        info = ctx.inputs.media()
        settings = replace(deep(params.settings, info), crf=str(values["crf"]))
        step = scored_step(len(part), gop_frames(settings, info))
        sample = Sample(part=part, model=params.model, subsample=step, first=item.chunk.index)
        try:
            facts, scores = measured(ctx, sample, rung, settings)
        except ChunkBroken as error:
            ctx.out_json("point", {"refused": error.problem})
            return
        pooled = scores.pooled("vmaf")
        point = {"bytes": facts.payload, "mean": round(pooled.mean, 4)}
        ctx.out_json("point", {**point, "harmonic": round(pooled.harmonic_mean, 4)})

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: AnalyseParams) -> Emit | None:
        """Ask for the settings that the rungs would use, until all are near to a measured one; then write all points.

        Raises:
            NoneUsable: the encoder broke at so much that nothing is known of how quality falls.
        """
        info = ctx.inputs.media()
        chunks = _chunks(ctx.inputs, params)
        found: dict[str, Any] = {"schema": SCHEMA, "codec": params.settings.codec, "model": params.model}
        found["shots"], found["refused"] = _rows(chunks, parts, ctx.inputs, _zones(info, params))
        if parts:
            again = len(parts) - len(found["refused"]) > len(self.split(ctx.inputs, params))
            items = _wanted(ctx.inputs, info, chunks, found, again=again)
            if items:
                return Emit(items)
        ctx.out_json("points", found)
        return None


def scored_step(frames: int, gop: int) -> int:
    """Every how many frames of a shot are scored.

    Args:
        frames: of the shot.
        gop: distance of key frames, frames.
    """
    apart = ((step, least) for step, least in STEPS if gop % step or frames <= 2 * gop)
    return next((step for step, least in apart if frames >= step * least), 1)


def _rows(
    chunks: Sequence[Chunk], parts: Sequence[Part], inputs: Inputs, zones: Sequence[Zone]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every chunk with its points, in the order in which they were asked for; and the points that cannot be had."""
    refused: list[dict[str, Any]] = []
    rows: dict[int, dict[str, Any]] = {
        chunk.index: {
            "start": chunk.frames.start,
            "end": chunk.frames.end,
            "points": [],
            **_given(zones, chunk.frames),
        }
        for chunk in chunks
    }
    for part in parts:
        point = {**part.item.values, **inputs.read(part.outputs["point"])}
        (refused if "refused" in point else rows[_index(part)]["points"]).append(point)
    return [rows[chunk.index] for chunk in chunks], refused


def _given(zones: Sequence[Zone], part: FrameRange) -> dict[str, str]:
    """The quality value of a chunk where a zone says it."""
    crf = settings_in(zones, part, EncodeSettings(crf="")).crf
    return {"crf": crf} if crf else {}


def _chunks(inputs: Inputs, params: AnalyseParams) -> tuple[Chunk, ...]:
    """The chunks that will be encoded."""
    info = inputs.media()
    return title_chunks(inputs.json("shots"), info, params.settings, params.chunk_s, _zones(info, params))


def _zones(info: MediaInfo, params: AnalyseParams) -> tuple[Zone, ...]:
    return title_zones(params.zones, params.settings.codec, info.frame_count)


def _index(part: Part) -> int:
    assert part.item.chunk is not None  # noqa: S101  every item of this stage has one
    return part.item.chunk.index


def _wanted(
    inputs: Inputs, info: MediaInfo, chunks: Sequence[Chunk], found: Mapping[str, Any], *, again: bool
) -> list[Item]:
    """Items for the settings that the ladder would use by what is known so far; or for what is to be known before."""
    shots, codec = read_shots(found, info), codec_named(found["codec"])
    usable = Usable.of(codec, found["refused"])
    if any(spans(shot, codec) for shot in shots):
        decided = decided_ladder(inputs.json("rungs"), shots, usable)
        return _items(chunks, corrections(decided, shots, codec, again=again), inputs)
    sizes = [(rung.width, rung.height) for rung in read_rungs(inputs.json("rungs")) if not rung.crf]
    probes = _instead(shots, first_probes(sizes, codec, usable))
    if not any(probes) or not any(shot.points for shot in shots):
        raise NoneUsable(codec.name, broken_texts(found["refused"]))
    return _items(chunks, probes, inputs)


def _instead(shots: Sequence[ShotPoints], first: Sequence[Probe]) -> list[tuple[Probe, ...]]:
    """What stands for the first settings where some of them broke: those that the first chunks were not measured at."""
    places = pilots(len(shots))
    known = [{((point.width, point.height), point.crf) for point in shot.points} for shot in shots]
    return [
        tuple(probe for probe in first if probe not in known[place]) if place in places else ()
        for place in range(len(shots))
    ]


def _items(chunks: Sequence[Chunk], probes: Sequence[Sequence[Probe]], inputs: Inputs) -> list[Item]:
    """One for each chunk's probes, those of a chunk together: a worker that has its pictures goes on with them."""
    alone = AFFINE[0] <= len(chunks) <= AFFINE[1]
    return [
        _item(chunk, probe, inputs, alone=alone)
        for chunk, wanted in zip(chunks, probes, strict=True)
        for probe in wanted
    ]


def _item(chunk: Chunk, probe: Probe, inputs: Inputs, *, alone: bool) -> Item:
    (width, height), crf = probe
    return Item(
        chunk=chunk,
        variant=f"{width}x{height}-crf{crf.normalize():f}",
        values={"width": width, "height": height, "crf": f"{crf.normalize():f}"},
        uses={"asset": inputs["asset"], "media": inputs["media"]},
        weight=len(chunk.frames),  # no cost by size: probes of a chunk follow each other, and find it decoded
        exclusive=f"analyse-{chunk.index}" if alone else "",
    )
