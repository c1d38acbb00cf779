"""The optimizer's section of a report: what each rung was to be and became, what else would have cost, and the hulls; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from pipelines.report.charts import Chart, Curve, Spot
from pipelines.report.plot import Axis, above, path_data, rate_ticks, score_axis, ticks
from pipelines.report.reasons import reason
from pipelines.report.view import RungView, signed, size_text

MOST_SHOTS = 400
"""Rows of the table of shots; more would make the page slow, and are in the artifact."""
MOST_HULLS = 120
MOST_OTHER_SIZES = 2
MOST_TICKS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherView:
    """Another way to the same quality: what, and its bits in percent of ours; empty where it cannot get there."""

    what: str
    more: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceView:
    """A rung: planned, achieved, and beside the alternatives."""

    place: int
    name: str
    goal: str
    reason: str
    planned_kbps: float
    kbps: float
    planned_vmaf: float
    vmaf: float
    modes: tuple[OtherView, ...]
    sizes: tuple[OtherView, ...]

    @property
    def kbps_off(self) -> str:
        """How far the bits are from the plan, in percent."""
        return signed(100 * (self.kbps / self.planned_kbps - 1), 1, " %")

    @property
    def vmaf_off(self) -> str:
        """How far the quality is from the plan."""
        return signed(self.vmaf - self.planned_vmaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotChoiceView:
    """A shot: its number, frames, measured encodes, and its setting on each rung as text."""

    number: int
    frames: int
    encodes: int
    settings: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerView:
    """The whole section; `codec` is empty where there is one only."""

    codec: str
    mode: str
    pool: str
    encodes: float
    rungs: tuple[ChoiceView, ...]
    shots: tuple[ShotChoiceView, ...]
    left_out: int
    sizes: tuple[str, ...]
    title: Chart
    hulls: Chart


def optimizer_view(choices: Mapping[str, Any] | None, rungs: Sequence[RungView]) -> OptimizerView | None:
    """The section; None where nothing was optimised.

    Args:
        choices: a `choices@1` object.
        rungs: what the renditions became.
    """
    if not choices or not choices["rungs"]:
        return None
    became = {rung.name: rung for rung in rungs}
    decided = [rung for rung in choices["rungs"] if rung["name"] in became]
    shots = choices["shots"]
    return OptimizerView(
        codec=choices.get("codec", ""),
        mode=choices["goals"]["mode"],
        pool=choices["goals"]["pool"],
        encodes=choices["encodes"] / max(len(shots), 1),
        rungs=tuple(_choice(rung, became[rung["name"]], choices["goals"]["mode"]) for rung in decided),
        shots=tuple(_shot(place, shot) for place, shot in enumerate(shots[:MOST_SHOTS])),
        left_out=max(0, len(shots) - MOST_SHOTS),
        sizes=tuple(size_text(*curve["size"]) for curve in choices["curves"] if len(curve["points"]) > 1),
        title=_title_chart(choices, [(rung, became[rung["name"]]) for rung in decided]),
        hulls=_hull_chart(
            shots[:MOST_HULLS], [(rung, became[rung["name"]]) for rung in decided], choices["goals"]["mode"]
        ),
    )


def other_views(
    choices: Mapping[str, Any] | None, rungs: Sequence[RungView]
) -> list[tuple[str, OptimizerView]]:
    """The same of each further codec, by its name."""
    found = [(one["codec"], optimizer_view(one, rungs)) for one in (choices or {}).get("others", ())]
    return [(codec, view) for codec, view in found if view]


def _choice(rung: Mapping[str, Any], became: RungView, mode: str) -> ChoiceView:
    planned, goal = rung["planned"], rung["goal"]
    wanted = f"VMAF {goal['vmaf']:g}" if goal["vmaf"] else f"{goal['kbps']:,.0f} kb/s"
    names = {"constant-vmaf": "equal VMAF", "per-title": "one CRF", "dynamic": "equal slope"}
    return ChoiceView(
        place=became.place,
        name=became.name,
        goal=(wanted if rung["met"] else f"{wanted}, not reached") + _held(rung.get("peak")),
        reason=_reason(rung, mode),
        planned_kbps=planned["kbps"],
        kbps=became.kbps,
        planned_vmaf=planned["vmaf_mean"],
        vmaf=became.vmaf.mean,
        modes=tuple(_other(names[one["what"]], one, planned) for one in rung["modes"] if one["what"] != mode),
        sizes=_best_sizes(rung["sizes"], planned),
    )


def _held(peak: Mapping[str, Any] | None) -> str:
    """The peak rate of a rung, and how many shots it holds down."""
    if not peak or not peak["kbps"]:
        return ""
    return f"; peak {peak['kbps']:,.0f} kb/s" + (f" holds {peak['shots']} shots" if peak["shots"] else "")


def _reason(rung: Mapping[str, Any], mode: str) -> str:
    """The parameter that all shots of the rung share."""
    if mode == "dynamic":
        return f"{1000 * rung['level']:.3g} VMAF frames per kB"
    return f"VMAF {rung['level']:.1f}" if mode == "constant-vmaf" else f"CRF {rung['level']:g}"


def _best_sizes(sizes: Sequence[Mapping[str, Any]], planned: Mapping[str, Any]) -> tuple[OtherView, ...]:
    """The other sizes that come nearest, and how many cannot get there."""
    met = sorted((one for one in sizes if one["met"]), key=lambda one: float(one["kbps"]))
    best = [
        _other(one["what"].replace("x", " \N{MULTIPLICATION SIGN} "), one, planned)
        for one in met[:MOST_OTHER_SIZES]
    ]
    missed = len(sizes) - len(met)
    return (*best, OtherView(what=f"{missed} cannot", more="")) if missed else tuple(best)


def _other(what: str, one: Mapping[str, Any], planned: Mapping[str, Any]) -> OtherView:
    more = signed(100 * (one["kbps"] / planned["kbps"] - 1), 1, " %") if one["met"] else ""
    return OtherView(what=what, more=more)


def _shot(place: int, shot: Mapping[str, Any]) -> ShotChoiceView:
    return ShotChoiceView(
        number=place + 1,
        frames=shot["frames"],
        encodes=len(shot["points"]),
        settings=tuple((one["crf"], one["kbps"], one["vmaf"]) for one in shot["choices"]),
    )


def _title_chart(choices: Mapping[str, Any], rungs: Sequence[tuple[Mapping[str, Any], RungView]]) -> Chart:
    """The title's curve at each size, and where its rungs are."""
    pool = f"vmaf_{choices['goals']['pool']}"
    spots = [
        (became.place, rung["planned"]["kbps"], rung["planned"][pool], rung["name"]) for rung, became in rungs
    ]
    lines = [curve["points"] for curve in choices["curves"] if len(curve["points"]) > 1]
    x, y = _axes([rate for line in lines for rate, _ in line], [spot[2] for spot in spots])
    return Chart(
        x=rate_ticks(x, MOST_TICKS),
        y=tuple(ticks(y, 5)),
        curves=tuple(
            Curve(
                place=place, path=path_data(above([(log2(rate), score) for rate, score in line], y.low), x, y)
            )
            for place, line in enumerate(lines)
        ),
        spots=tuple(
            Spot(place=place, x=x.place(log2(rate)), y=y.place(score), label=label)
            for place, rate, score, label in spots
        ),
    )


def _hull_chart(
    shots: Sequence[Mapping[str, Any]], rungs: Sequence[tuple[Mapping[str, Any], RungView]], mode: str
) -> Chart:
    """The hull of every shot, and what each rung takes of it."""
    rates = [row[0] for shot in shots for row in shot["hull"]]
    chosen = [one for shot in shots for one in shot["choices"]]
    x, y = _axes([*rates, *(one["kbps"] for one in chosen)], [one["vmaf"] for one in chosen])
    curves = [
        Curve(
            place=-1,
            path=path_data(above([(log2(max(row[0], 1)), row[1]) for row in shot["hull"]], y.low), x, y),
        )
        for shot in shots
    ]
    spots = [
        Spot(
            place=became.place,
            x=x.place(log2(max(shot["choices"][place]["kbps"], 1))),
            y=y.place(shot["choices"][place]["vmaf"]),
            label="",
            shot=number,
            about=reason(shot, number + 1, place, rung, mode),
        )
        for number, shot in enumerate(shots)
        for place, (rung, became) in enumerate(rungs)
    ]
    return Chart(x=rate_ticks(x, MOST_TICKS), y=tuple(ticks(y, 5)), curves=tuple(curves), spots=tuple(spots))


def _axes(rates: Sequence[float], scores: Sequence[float]) -> tuple[Axis, Axis]:
    logs = [log2(max(rate, 1)) for rate in rates] or [0.0, 1.0]
    return Axis(low=min(logs) - 0.2, high=max(logs) + 0.4), score_axis(min(scores, default=60.0) - 5)
