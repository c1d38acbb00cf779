"""Stage `allocate`: from measured points to a quality value for every shot of every rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from archer.media import MediaInfo
from archer.stage import Item, Resources, Stage, TaskContext, Trial
from encoder import EncodeSettings, Rung
from encoder.codecs import codec_named
from encoder.filters import notices
from encoder.ladder import range_of
from encoder.rules import Decided
from encoder.usable import Usable, broken_notices, plain
from pipelines.allocate.decision import decided_ladder, read_shots, tables_of
from pipelines.allocate.explain import explained, predicted
from pipelines.allocate.seen import error_seen
from pipelines.analyse.rungs import Goals, read_goals, read_rungs
from pipelines.encode.sample import deep


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocateParams:
    """How the shots will be encoded.

    Attributes:
        settings: of every chunk.
        model: VMAF model that decided.
    """

    settings: EncodeSettings
    model: str = "vmaf_v0.6.1"


class Allocate(Stage[AllocateParams]):
    """The ladder with a quality value per chunk and rung, and what speaks for it."""

    name, version, params = "allocate", 1, AllocateParams
    inputs = MappingProxyType({"media": "media@1", "rungs": "rungs@1", "points": "rd-points@1"})
    outputs = MappingProxyType({"ladder": "ladder@1", "choices": "choices@1", "texts": "ladder-texts@1"})
    reads = ("model",)

    def resources(self, params: AllocateParams) -> Resources:
        """Tables of all shots and quality values."""
        return Resources(memory_mb=1024)

    def trial(self) -> Trial:
        """What `analyse` measured of one small rung."""
        quick = EncodeSettings(crf="", preset="ultrafast", gop_s="1")
        return Trial(params=AllocateParams(settings=quick))

    def map(self, ctx: TaskContext, item: Item, params: AllocateParams) -> None:
        """Decide, and write the ladder and its reasons."""
        info = ctx.inputs.media()
        wanted, points = ctx.inputs.json("rungs"), ctx.inputs.json("points")
        shots, codec = read_shots(points, info), codec_named(params.settings.codec)
        free = [rung for rung in read_rungs(wanted) if not rung.crf]
        usable = Usable.of(codec, points["refused"])
        decided = decided_ladder(wanted, shots, usable) if free else []
        tables = tables_of(free, shots, usable, wanted) if free else {}
        goals = read_goals(wanted)
        reasons = explained(decided, tables, shots, goals.pool)
        reasons["seen"] = error_seen(shots, [(rung.width, rung.height) for rung in free], codec)
        ctx.out_json("choices", {"schema": "choices@1", "goals": asdict(goals), **reasons})
        ladder = _ladder(info, wanted, decided, params)
        ladder["notices"] += broken_notices(usable, points["refused"])
        ctx.out_json("ladder", ladder)
        ctx.out_json("texts", [_text(rung) for rung in ladder["rungs"]])


def _ladder(
    info: MediaInfo, wanted: Mapping[str, Any], decided: Sequence[Decided], params: AllocateParams
) -> dict[str, Any]:
    settings = deep(params.settings, info)
    pixel_format = codec_named(settings.codec).pixel_format(settings)
    fixed = [asdict(rung) for rung in read_rungs(wanted) if rung.crf]
    rungs = [*fixed, *(_row(one, read_goals(wanted)) for one in decided)]
    rungs.sort(key=lambda rung: -rung["width"] * rung["height"])
    top = Rung(name="", width=rungs[0]["width"], height=rungs[0]["height"])
    problems = [f"{problem.code}: {problem.message}" for problem in info.problems]
    missed = [_missed(one) for one in decided if not one.choice.met]
    return {
        "schema": "ladder@1",
        "codec": settings.codec,
        "model": params.model,
        "pixel_format": pixel_format,
        "ten_bit": settings.ten_bit,
        "dynamic_range": range_of(info.video),
        "target_vmaf": read_goals(wanted).target_vmaf,
        "mode": read_goals(wanted).mode,
        "rungs": rungs,
        "search": [],
        "notices": [*problems, *wanted["notices"], *notices(info, top, pixel_format), *missed],
    }


def _row(one: Decided, goals: Goals) -> dict[str, Any]:
    crfs = one.choice.crfs
    low, high = plain(min(crfs)), plain(max(crfs))
    return {
        **asdict(one.rung.capped(*goals.cap)),
        "crf": low if low == high else f"{low}-{high}",
        "crfs": [plain(crf) for crf in crfs],
        "planned": predicted(one.choice),
    }


def _text(rung: Mapping[str, Any]) -> str:
    """The rung as `--ladder` takes it: its size, and the bit rate that was planned, or its quality value."""
    goal = f"{max(1, round(rung['planned']['kbps']))}k" if "planned" in rung else f"crf{rung['crf']}"
    peak = f"@peak{rung['peak_kbps']}k" if rung["peak_kbps"] else ""
    buffer = f"@buffer{rung['buffer_kbits']}k" if peak and rung["buffer_kbits"] else ""
    return f"{rung['width']}x{rung['height']}@{goal}{peak}{buffer}"


def _missed(one: Decided) -> str:
    planned = predicted(one.choice)
    goal = f"VMAF {one.goal.vmaf:.2f}" if one.goal.vmaf else f"{one.goal.kbps:.0f} kb/s"
    got = f"VMAF {planned['vmaf_mean']:.2f} at {planned['kbps']:.0f} kb/s"
    size = "{}x{}".format(*one.choice.table.at)
    return f"rung {one.rung.name}: {goal} cannot be reached at {size} within its limits; it gets {got}"
