"""Rate against quality of two ladders: Bjøntegaard deltas, or why there is none; pure."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipelines.compare.side import JobSide, RungData
from vmaf import bd_quality, bd_rate
from vmaf.bdrate import Curve, Delta, Method
from vmaf.errors import BadCurve

Measure = Callable[[RungData], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateResult:
    """One metric over both ladders.

    Attributes:
        metric: `VMAF`, `VMAF harmonic`, `PSNR-Y`.
        unit: of its points.
        a, b: (kb/s, quality) points of the sides.
        rate_pct: rate that B needs for equal quality, percent of A's (negative: B saves); None where it cannot be said.
        quality: what B gains at equal rate, points; None likewise.
        low, high: range of quality that both reach; None likewise.
        reason: why there is none, or what weakens it; empty where nothing does.
        method: interpolation, `akima` or `pchip`.
    """

    metric: str
    unit: str
    a: tuple[tuple[float, float], ...]
    b: tuple[tuple[float, float], ...]
    rate_pct: float | None = None
    quality: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    method: str = ""


def rate_results(one: JobSide, other: JobSide) -> list[RateResult]:
    """VMAF, its harmonic mean, and PSNR of luma where both have it."""
    measures: list[tuple[str, str, str, Measure]] = [
        ("VMAF", "", "vmaf", lambda rung: rung.scores.pooled("vmaf").mean),
        ("VMAF harmonic", "", "vmaf", lambda rung: rung.scores.pooled("vmaf").harmonic_mean),
        ("PSNR-Y", "dB", "psnr_y", lambda rung: rung.scores.pooled("psnr_y").mean),
    ]
    rungs = (*one.rungs, *other.rungs)
    return [
        _result(name, unit, _points(one, measure), _points(other, measure))
        for name, unit, column, measure in measures
        if all(column in rung.scores.columns for rung in rungs)
    ]


def delta_of(a: Curve, b: Curve) -> tuple[Delta | None, str, str]:
    """The BD-rate of b against a; None and the reason where there is none; the method, or what weakens it."""
    least = min(len(a), len(b))
    if least < 2:
        return None, f"it needs at least 2 rungs on each side; A has {len(a)}, B has {len(b)}", ""
    method: Method = "akima" if least > 2 else "pchip"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = bd_rate(a, b, method=method)
        except BadCurve as error:
            return None, str(error), method
    return found, "; ".join(str(warning.message) for warning in told), method


def _points(side: JobSide, measure: Measure) -> tuple[tuple[float, float], ...]:
    return tuple(sorted((rung.kbps(side.duration), measure(rung)) for rung in side.rungs))


def _result(
    metric: str, unit: str, a: Sequence[tuple[float, float]], b: Sequence[tuple[float, float]]
) -> RateResult:
    found, reason, method = delta_of(a, b)
    plain = RateResult(metric=metric, unit=unit, a=tuple(a), b=tuple(b), reason=reason, method=method)
    if found is None:
        return plain
    return replace(
        plain,
        rate_pct=found.value,
        quality=_gain(a, b, method),
        low=found.low,
        high=found.high,
    )


def _gain(a: Curve, b: Curve, method: str) -> float | None:
    """Points of quality at equal rate; None where the rates do not overlap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once, by the rate
        try:
            return bd_quality(a, b, method="pchip" if method == "pchip" else "akima").value
        except BadCurve:
            return None
