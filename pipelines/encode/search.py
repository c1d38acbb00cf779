"""Stage `search`: which rungs the title gets, and which constant quality reaches the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from archer.media import FrameRange, MediaInfo
from archer.split import Chunk
from archer.stage import Emit, Inputs, Item, Part, Resources, Stage, TaskContext, Trial
from encoder import ChunkBroken, EncodeSettings, Rung, parse_ladder
from encoder.chunk import chunk_coder
from encoder.codecs import codec_named
from encoder.errors import NoneUsable
from encoder.filters import notices
from encoder.ladder import range_of
from encoder.prior import pilots
from encoder.rate_search import Point, best_crf, next_crf
from encoder.usable import Usable, broken_notices, broken_texts
from pipelines.encode.sample import Sample, deep, measured, sample_resources
from pipelines.score.scorer import default_scorer

SCHEMA = "ladder@1"
SAMPLES, SAMPLE_S, SUBSAMPLE = 6, 2, 3
"""Longer titles are judged by so many samples of so many seconds, evenly spread, and by every third frame of them."""

Rows = dict[Decimal, dict[int, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParams:
    """What is wanted.

    Attributes:
        settings: how to encode; `crf` is empty where it is to be found.
        ladder: rungs as text; empty for the default ladder.
        target_vmaf: mean VMAF of the top rung, decimal text.
        model: VMAF model that decides.
        single: only the top rung is wanted.
        dynamic_range: of the ladder; empty for that of the title, see `encoder.ladder.parse_ladder`.
        peak_kbps, buffer_kbits: peak rate and buffer of rungs that name none; 0 for none. Samples are measured without.
    """

    settings: EncodeSettings
    ladder: str = ""
    target_vmaf: str = "93"
    model: str = "vmaf_v0.6.1"
    single: bool = False
    dynamic_range: str = ""
    peak_kbps: int = 0
    buffer_kbits: int = 0


class Search(Stage[SearchParams]):
    """Encodes and scores samples of the top rung until its CRF is found; all rungs without one of their own get it.

    A few samples come first, at the codec's first guesses; what they say is where the search over all of them begins.
    """

    name, version, params = "search", 2, SearchParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "passed": "shots@1?"})
    parts = MappingProxyType({"point": "rate-point@1"})
    outputs = MappingProxyType({"ladder": SCHEMA})
    reads = ("model",)
    unit = "frames"

    def resources(self, params: SearchParams) -> Resources:
        """An encoder, and a scorer after it."""
        return sample_resources(params.settings)

    def fingerprint(self, params: SearchParams) -> str:
        """Encoder and scorer."""
        return f"{chunk_coder()}; {default_scorer().version()}"

    def settings_of(self, params: SearchParams, item: Item) -> SearchParams:
        """Those that a sample is measured with."""
        return replace(params, peak_kbps=0, buffer_kbits=0)

    def trial(self) -> Trial:
        """A search on a small rung; others are fed with a quality that is given, which takes none."""
        quick = EncodeSettings(crf="", preset="ultrafast", gop_s="1")
        params = SearchParams(settings=quick, ladder="180p", target_vmaf="80")
        return Trial(params=params, feeding=replace(params, settings=replace(quick, crf="30")))

    def split(self, inputs: Inputs, params: SearchParams) -> Sequence[Item]:
        """The codec's first two guesses on the first samples; nothing where no rung needs a search."""
        info = inputs.media()
        rungs, _ = _rungs(info, params)
        if params.settings.crf or all(rung.crf for rung in rungs):
            return ()
        guesses, first = codec_named(params.settings.codec).first_guesses, pilots(len(_samples(info)))
        return [item for guess in guesses for item in _items(info, guess, first, inputs)]

    def map(self, ctx: TaskContext, item: Item, params: SearchParams) -> None:
        """Encode a sample, score it, and write what it costs and gives; or that the encoder gave no right stream."""
        info = ctx.inputs.media()
        rung, part = _rungs(info, params)[0][0], _frames_of(item)
        settings = replace(deep(params.settings, info), crf=str(item.values["crf"]))
        step = SUBSAMPLE if _is_long(info) else 1
        try:
            facts, scores = measured(
                ctx, Sample(part=part, model=params.model, subsample=step), rung, settings
            )
        except ChunkBroken as error:
            broken = {
                "width": rung.width,
                "height": rung.height,
                "crf": settings.crf,
                "refused": error.problem,
            }
            ctx.out_json("point", broken)
            return
        point = {"frames": len(part), "bytes": facts.payload, "vmaf_mean": scores.pooled("vmaf").mean}
        ctx.out_json("point", point)

    def collect(self, ctx: TaskContext, parts: Sequence[Part], params: SearchParams) -> Emit | None:
        """Ask for another point, or write the ladder.

        Raises:
            NoneUsable: the encoder broke at all that was tried.
        """
        info = ctx.inputs.media()
        rungs, remarks = _rungs(info, params)
        every = range(len(_samples(info)))
        known = [ctx.inputs.read(part.outputs["point"]) for part in parts]
        refused = [point for point in known if "refused" in point]
        usable = Usable.of(codec_named(params.settings.codec), refused)
        rows = _rows(parts, known, usable)
        points, first = _points(rows, every), _points(rows, pilots(len(every)))
        found = params.settings.crf
        if parts:
            target = float(params.target_vmaf)
            crf = next_crf(_curve(points), target, usable, _curve(first)) if rows else None
            if crf is not None:
                missing = [place for place in every if place not in rows.get(crf, ())]
                return Emit(_items(info, str(crf), missing, ctx.inputs))
            if not points:
                raise NoneUsable(usable.codec.name, broken_texts(refused))
            found = str(best_crf(_curve(points), target, usable))
        told = [*remarks, *broken_notices(usable, refused)]
        ctx.out_json("ladder", _ladder(info, params, rungs, found, points, told))
        return None


def _rungs(info: MediaInfo, params: SearchParams) -> tuple[tuple[Rung, ...], tuple[str, ...]]:
    rungs, remarks = parse_ladder(params.ladder, info.video, params.dynamic_range)
    return (rungs[:1] if params.single else rungs), remarks


def _is_long(info: MediaInfo) -> bool:
    return info.duration > SAMPLES * SAMPLE_S


def _samples(info: MediaInfo) -> list[FrameRange]:
    """What stands for the title: all of a short one, else the middles of equal parts."""
    total = info.frame_count
    if not _is_long(info):
        half = total // 2 or total
        return [FrameRange(0, half), *([FrameRange(half, total)] if half < total else [])]
    length = max(1, min(total // SAMPLES, round(SAMPLE_S * info.video.frame_rate)))
    middles = [total * (2 * place + 1) // (2 * SAMPLES) for place in range(SAMPLES)]
    starts = [min(max(0, middle - length // 2), total - length) for middle in middles]
    return [FrameRange(start, start + length) for start in starts]


def _items(info: MediaInfo, crf: str, places: Sequence[int], inputs: Inputs) -> list[Item]:
    """One for each of these samples."""
    samples = _samples(info)
    uses = {"asset": inputs["asset"], "media": inputs["media"]}
    return [
        Item(
            chunk=Chunk(index=place, frames=samples[place]),
            variant=f"crf{crf}",
            values={"crf": crf},
            uses=uses,
            weight=len(samples[place]),
        )
        for place in places
    ]


def _frames_of(item: Item) -> FrameRange:
    assert item.chunk is not None  # noqa: S101  every item of this stage has one
    return item.chunk.frames


def _rows(parts: Sequence[Part], measured: Sequence[Mapping[str, Any]], usable: Usable) -> Rows:
    """What was measured, by CRF and sample; nothing of values at which a sample broke, or near them."""
    rows: Rows = {}
    for part, value in zip(parts, measured, strict=True):
        assert part.item.chunk is not None  # noqa: S101  every item of this stage has one
        crf = Decimal(str(part.item.values["crf"]))
        if usable.allows(crf):
            rows.setdefault(crf, {})[part.item.chunk.index] = value
    return rows


def _points(rows: Rows, places: Sequence[int]) -> dict[Decimal, dict[str, Any]]:
    """These samples as one point, for each CRF that all of them have: frames and bytes added, VMAF as the mean over frames."""
    points: dict[Decimal, dict[str, Any]] = {}
    for crf, found in rows.items():
        if all(place in found for place in places):
            values = [found[place] for place in places]
            frames = sum(value["frames"] for value in values)
            vmaf = sum(value["vmaf_mean"] * value["frames"] for value in values) / frames
            points[crf] = {
                "frames": frames,
                "bytes": sum(value["bytes"] for value in values),
                "vmaf_mean": vmaf,
            }
    return points


def _curve(points: Mapping[Decimal, Mapping[str, Any]]) -> list[Point]:
    return [(crf, point["vmaf_mean"]) for crf, point in points.items()]


def _ladder(
    info: MediaInfo,
    params: SearchParams,
    rungs: Sequence[Rung],
    crf: str,
    points: Mapping[Decimal, Mapping[str, Any]],
    remarks: Sequence[str],
) -> dict[str, Any]:
    settings = deep(params.settings, info)
    pixel_format = codec_named(settings.codec).pixel_format(settings)
    problems = [f"{problem.code}: {problem.message}" for problem in info.problems]
    return {
        "schema": SCHEMA,
        "codec": settings.codec,
        "model": params.model,
        "pixel_format": pixel_format,
        "ten_bit": settings.ten_bit,
        "dynamic_range": range_of(info.video),
        "target_vmaf": "" if params.settings.crf else params.target_vmaf,
        "rungs": [
            {**asdict(rung.capped(params.peak_kbps, params.buffer_kbits)), "crf": rung.crf or crf}
            for rung in rungs
        ],
        "search": [{"crf": str(tried), **point} for tried, point in sorted(points.items())],
        "notices": [*problems, *remarks, *notices(info, rungs[0], pixel_format)],
    }
