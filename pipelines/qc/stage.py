"""Stage `qc`: judges the features of a title; with a gate it refuses what is not good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from archer.media.range import FrameRange
from archer.stage import Item, Resources, Stage, TaskContext, Trial

if TYPE_CHECKING:
    from pipelines.qc.title import Still


@dataclass(frozen=True, slots=True, kw_only=True)
class QcParams:
    """Settings of quality control.

    Attributes:
        profile: YAML text of a profile; empty for the usual thresholds.
        gate: refuse a title with a finding of this severity or a worse one; `none` only reports.
    """

    profile: str = ""
    gate: Literal["none", "info", "warning", "error"] = "none"


class Qc(Stage[QcParams]):
    """Findings of a title, and its shots as they came: who takes those from here works only on titles that pass the gate."""

    name, version, params = "qc", 3, QcParams
    inputs = MappingProxyType(
        {"media": "media@1", "shots": "shots@1", "frames": "vision-frames@1", "stills": "vision-stills@1?"}
    )
    outputs = MappingProxyType({"report": "qc@1", "shots": "shots@1"})

    def resources(self, params: QcParams) -> Resources:
        """The columns of a long title."""
        return Resources(memory_mb=1024)

    def trial(self) -> Trial:
        """Shots as they are found."""
        return Trial(feeds={"shots": "shots.shots"})

    def map(self, ctx: TaskContext, item: Item, params: QcParams) -> None:
        """Write the report, or raise `QcRefused`."""
        from pipelines.qc.errors import QcRefused
        from pipelines.qc.finding import at_least
        from pipelines.qc.judge import findings, report
        from pipelines.qc.profile import Profile
        from pipelines.qc.title import NEEDED, Title
        from pipelines.vision.table import read_columns

        profile = Profile.of(params.profile)
        shots = [FrameRange(shot["start"], shot["end"]) for shot in ctx.inputs.json("shots")["shots"]]
        title = Title(
            video=ctx.inputs.media().video,
            shots=shots,
            columns=read_columns(ctx.inputs.path("frames"), NEEDED),
            stills=_stills(ctx.inputs.path("stills"), shots) if "stills" in ctx.inputs else (),
        )
        found = findings(title, profile)
        for each in found:
            ctx.log(str(each))
        if params.gate != "none":
            refused = tuple(str(each) for each in found if at_least(each.severity, params.gate))
            if refused:
                raise QcRefused(params.gate, refused)
        ctx.out_json("report", report(title, found))
        ctx.out_json("shots", ctx.inputs.json("shots"))


def _stills(path: Path, shots: Sequence[FrameRange]) -> list[Still]:
    from pipelines.qc.title import Still
    from pipelines.vision.columns import STILLS_SCHEMA
    from pipelines.vision.table import read_rows

    table = read_rows(path, STILLS_SCHEMA)
    rows = zip(table["shot"], table["frame"], table["banding"], strict=True)
    return [
        Still(shot=shots[shot], frame=frame, banding=value)
        for shot, frame, value in rows
        if value is not None
    ]
