"""Figures of the rate-distortion benchmark: BD-rate between strategies, how near plans come, what analysis costs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rd_strategies import Ours, Outcome, Truth, by_mode, ours, switching

from vmaf import bd_rate
from vmaf.errors import BadCurve

ANCHORS = {
    "fixed": "(a) fixed ladder, VBR, key frame every 2 s",
    "title": "(b) one CRF, source size (ab-av1)",
    "constant": "(c) equal VMAF, source size (Av1an)",
    "constant-sized": "(c') equal VMAF, best size per rung",
    "hull": "(d) per-title hull: best size and CRF per rung",
    "oracle": "oracle: equal slope knowing everything, one size per rung",
    "switching": "oracle that may change size from shot to shot",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A title and codec: BD-rate of ours against each anchor in percent, and the rest of the figures."""

    title: str
    kind: str
    codec: str
    against: dict[str, float | None]
    crosscheck: float
    share_of_oracle: float | None
    p1_gain: float | None
    vmaf_off: list[float]
    kbps_off: list[float]
    encodes: float
    cpu_h: float


def row(data: dict[str, Any]) -> Row:
    truth = Truth(data)
    mine = ours(truth)
    curves = _curves(truth)
    anchor = curve(curves["title"])
    oracle, own = _bd(anchor, curve(curves["oracle"])), _bd(anchor, curve(mine.achieved))
    return Row(
        title=truth.data["title"],
        kind=truth.data["kind"],
        codec=truth.data["codec"],
        against={
            name: _bd(curve(found), curve(mine.achieved)) if found else None for name, found in curves.items()
        },
        crosscheck=_crosscheck(anchor, curve(mine.achieved)),
        share_of_oracle=own / oracle if own is not None and oracle and oracle < -1 else None,
        p1_gain=_p1_gain(curves["fixed"], mine.achieved),
        vmaf_off=[one.harmonic - plan[1] for one, plan in zip(mine.achieved, mine.planned, strict=True)],
        kbps_off=[
            100 * (one.kbps / plan[0] - 1) for one, plan in zip(mine.achieved, mine.planned, strict=True)
        ],
        encodes=mine.encodes,
        cpu_h=_cpu_hours(truth, mine),
    )


def _curves(truth: Truth) -> dict[str, list[Outcome]]:
    source = truth.sizes[:1]
    return {
        "fixed": truth.fixed,
        "title": by_mode(truth, "per-title", source),
        "constant": by_mode(truth, "constant-vmaf", source),
        "constant-sized": by_mode(truth, "constant-vmaf", truth.sizes),
        "hull": by_mode(truth, "per-title", truth.sizes),
        "oracle": by_mode(truth, "dynamic", truth.sizes),
        "switching": switching(truth),
    }


def curve(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """(kb/s, harmonic VMAF), rising in both; points that do not are left out."""
    kept: list[tuple[float, float]] = []
    for kbps, harmonic in sorted((one.kbps, one.harmonic) for one in outcomes):
        if not kept or (kbps > kept[-1][0] and harmonic > kept[-1][1]):
            kept.append((kbps, harmonic))
    return kept


def _bd(anchor: Sequence[tuple[float, float]], test: Sequence[tuple[float, float]]) -> float | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # little overlap is what some ladders have
        try:
            return bd_rate(anchor, test, method="pchip").value
        except BadCurve:
            return None


def _crosscheck(anchor: Sequence[tuple[float, float]], test: Sequence[tuple[float, float]]) -> float:
    """The same BD-rate by the package `bjontegaard`."""
    import bjontegaard

    columns = [list(column) for points in (anchor, test) for column in zip(*points, strict=True)]
    found = bjontegaard.bd_rate(*columns, method="pchip", min_overlap=0, require_matching_points=False)
    return float(found)


def _p1_gain(fixed: Sequence[Outcome], mine: Sequence[Outcome]) -> float | None:
    """Mean difference of the 1st percentile of VMAF at equal bit rate, over the rates that both have."""
    if not fixed:
        return None
    one, other = (sorted((o.kbps, o.p1) for o in side) for side in (fixed, mine))
    low, high = max(one[0][0], other[0][0]), min(one[-1][0], other[-1][0])
    if low >= high:
        return None
    grid = np.geomspace(low, high, 50)
    lines = [
        np.interp(np.log(grid), np.log([x for x, _ in side]), [y for _, y in side]) for side in (one, other)
    ]
    return float((lines[1] - lines[0]).mean())


def _cpu_hours(truth: Truth, mine: Ours) -> float:
    """CPU-hours of the analysis per hour of title: each probe costs what the nearest measured point did."""
    spent = seconds = 0.0
    for shot, probes, known in zip(truth.data["shots"], mine.probes, truth.shots, strict=True):
        seconds += known.seconds
        for probe in probes:
            same = [point for point in shot["points"] if point["height"] == probe.height]
            nearest = min(same, key=lambda point: abs(point["crf"] - float(probe.crf)))
            spent += nearest["encode_cpu_s"] + nearest["score_cpu_s"]
    return spent / seconds


def show(rows: Sequence[Row]) -> None:
    """BD-rates and the other figures as text."""
    for codec in sorted({one.codec for one in rows}, reverse=True):
        found = [one for one in rows if one.codec == codec]
        print(f"\n{codec}: BD-rate of dynamic over harmonic VMAF, percent (negative: fewer bits)")
        print(f"{'against':<58}" + "".join(f"{one.title:>14}" for one in found) + f"{'mean':>9}")
        for name, label in ANCHORS.items():
            values = [one.against[name] for one in found]
            known = [value for value in values if value is not None]
            mean = f"{np.mean(known):>9.1f}" if known else f"{'-':>9}"
            print(f"{label:<58}" + "".join(_cell(value) for value in values) + mean)
        _line("against (b) by the package bjontegaard", [one.crosscheck for one in found])
        _line("share of the oracle's gain over (b)", [one.share_of_oracle for one in found], 2)
        _line("1st percentile of VMAF against (a), equal rate", [one.p1_gain for one in found])
        _line("analysis encodes per shot", [one.encodes for one in found])
        _line("analysis CPU-hours per hour of title", [one.cpu_h for one in found])
        for what, name, unit in (("VMAF", "vmaf_off", ""), ("bits", "kbps_off", " %")):
            off = np.abs([value for one in found for value in getattr(one, name)])
            middle, worst = np.median(off), np.percentile(off, 95)
            print(
                f"achieved against planned {what}: median {middle:.2f}{unit}, 95th percentile {worst:.2f}{unit}"
            )


def _line(label: str, values: Sequence[float | None], digits: int = 1) -> None:
    print(f"{label:<58}" + "".join(_cell(value, digits) for value in values))


def _cell(value: float | None, digits: int = 1) -> str:
    return f"{'-':>14}" if value is None else f"{value:>14.{digits}f}"


def saved(rows: Sequence[Row]) -> dict[str, Any]:
    """Rows as a JSON object."""
    return {f"{one.title}.{one.codec}": json.loads(json.dumps(_plain(one))) for one in rows}


def _plain(one: Row) -> dict[str, Any]:
    return {name: _rounded(getattr(one, name)) for name in Row.__slots__}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list) else value
