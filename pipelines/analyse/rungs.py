"""Stage `rungs`: which sizes a title is offered in, and what its ladder is to reach.

A stage of its own, so that what is measured does not depend on what is wanted: another ladder, target or mode uses every
point that has been measured already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from archer.media import MediaInfo, display_size
from archer.stage import Item, Resources, Stage, TaskContext, Trial
from encoder import Rung, parse_ladder
from encoder.candidates import ShotLimits
from encoder.ladder import HEIGHTS, rung_of
from encoder.rules import AbrRules, Wanted

SCHEMA = "rungs@1"
AUTOMATIC = "auto"
Mode = Literal["dynamic", "constant-vmaf", "per-title"]
Pool = Literal["mean", "harmonic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What a ladder is to reach; exactly one target is not empty, all numbers are decimal text.

    Attributes:
        mode: how the shots of a rung relate; see `encoder.allocate`.
        pool: the pooled VMAF that counts.
        target_vmaf: of the top rung.
        target_kbps: average bit rate of the top rung.
        target_bytes: of the pictures of all rungs together.
        floor, ceiling: least and greatest VMAF of a shot, empty for none.
        peak_kbps, buffer_kbits: peak rate and buffer of rungs that name none, empty for none; see `encoder.vbv`.
        most, min_kbps, max_kbps, step: of an automatic ladder; see `encoder.rules.AbrRules`.
    """

    mode: Mode = "dynamic"
    pool: Pool = "mean"
    target_vmaf: str = ""
    target_kbps: str = ""
    target_bytes: str = ""
    floor: str = ""
    ceiling: str = ""
    peak_kbps: str = ""
    buffer_kbits: str = ""
    most: int = 6
    min_kbps: str = "150"
    max_kbps: str = ""
    step: str = "6"

    @property
    def wanted(self) -> Wanted:
        """As the allocation takes them."""
        return Wanted(
            mode=self.mode,
            pool=self.pool,
            vmaf=float(self.target_vmaf or 0),
            kbps=float(self.target_kbps or 0),
            total_bytes=float(self.target_bytes or 0),
        )

    @property
    def limits(self) -> ShotLimits:
        """What every shot must keep to."""
        return ShotLimits(
            floor=float(self.floor or 0),
            ceiling=float(self.ceiling or 100),
            peak_kbps=float(self.peak_kbps or 0),
        )

    @property
    def cap(self) -> tuple[int, int]:
        """Peak rate and buffer of rungs that name none; 0 for none."""
        return round(float(self.peak_kbps or 0)), round(float(self.buffer_kbits or 0))

    @property
    def rules(self) -> AbrRules:
        """Of an automatic ladder."""
        return AbrRules(
            most=self.most,
            min_kbps=float(self.min_kbps or 0),
            max_kbps=float(self.max_kbps or 0),
            step=float(self.step),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RungsParams:
    """What is asked for.

    Attributes:
        ladder: rungs as text; empty for the default ladder, `auto` for one by rule, `auto:720p,360p` for one of these sizes.
        goals: what it is to reach.
        single: only the top rung is wanted.
        dynamic_range: of the ladder; empty for that of the title, see `encoder.ladder.parse_ladder`.
    """

    ladder: str = ""
    goals: Goals = field(default_factory=Goals)
    single: bool = False
    dynamic_range: str = ""


class Rungs(Stage[RungsParams]):
    """The ladder as it was asked for, made to fit this source."""

    name, version, params = "rungs", 1, RungsParams
    inputs = MappingProxyType({"media": "media@1"})
    outputs = MappingProxyType({"rungs": SCHEMA})

    def resources(self, params: RungsParams) -> Resources:
        """Nothing to speak of."""
        return Resources(memory_mb=512)

    def trial(self) -> Trial:
        """One small rung."""
        return Trial(params=RungsParams(ladder="180p"))

    def map(self, ctx: TaskContext, item: Item, params: RungsParams) -> None:
        """Write sizes and goals."""
        info = ctx.inputs.media()
        automatic, named = automatic_of(params.ladder)
        rungs, remarks = (
            (_sizes(info), ())
            if automatic and not named
            else parse_ladder(named, info.video, params.dynamic_range)
        )
        kept = rungs[:1] if params.single else rungs
        ctx.out_json(
            "rungs",
            {
                "schema": SCHEMA,
                "automatic": automatic,
                "rungs": [asdict(rung.capped(*params.goals.cap)) for rung in kept],
                "goals": asdict(params.goals),
                "notices": list(remarks),
            },
        )


def automatic_of(ladder: str) -> tuple[bool, str]:
    """Whether a ladder is made by rule, and the rungs that it names: those it may use, or all of it.

    Args:
        ladder: `auto`, `auto:1080p,720p,360p`, or rungs.
    """
    head, _, rest = ladder.partition(":")
    return (True, rest) if head == AUTOMATIC else (False, ladder)


def read_rungs(value: Mapping[str, Any]) -> tuple[Rung, ...]:
    """The rungs (of an automatic ladder: the sizes it may use), largest first."""
    return tuple(Rung(**rung) for rung in value["rungs"])


def read_goals(value: Mapping[str, Any]) -> Goals:
    """What they are to reach."""
    return Goals(**value["goals"])


def _sizes(info: MediaInfo) -> tuple[Rung, ...]:
    """Everything that an automatic ladder chooses from: the source's own size, and all usual ones below it."""
    short = min(display_size(info.video)) // 2 * 2
    below = [height for height in HEIGHTS if height < short * 0.9]
    return tuple(rung_of(info.video, height) for height in (short, *below))
