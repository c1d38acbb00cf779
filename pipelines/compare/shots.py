"""Shot by shot: bits and quality of two rungs, and which is better; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.compare.match import Pair
from pipelines.compare.rates import delta_of
from pipelines.compare.side import JobSide, RungData

Winner = Literal["A", "B", "even", "trade"]
SAME_VMAF, SAME_BITS = 0.5, 0.01
"""Points of VMAF and share of bits below which two shots count as even; a viewer sees neither."""
SAME_RATE = 1.0
"""Percent of BD-rate below which they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotResult:
    """A shot at one pair of rungs.

    Attributes:
        shot: 0-based.
        start, end: half-open frame range.
        kbps_a, kbps_b: mean kilobits per second.
        mean_a, mean_b, min_a, min_b: VMAF.
        rate_pct: BD-rate of the shot over all rungs, percent; None where it cannot be said.
        better: which side; `trade`: one has fewer bits, the other more quality, and the curves do not say more.
    """

    shot: int
    start: int
    end: int
    kbps_a: float
    kbps_b: float
    mean_a: float
    mean_b: float
    min_a: float
    min_b: float
    rate_pct: float | None
    better: Winner

    @property
    def bits_pct(self) -> float:
        """Bits of B against those of A, percent."""
        return 100 * (self.kbps_b / self.kbps_a - 1) if self.kbps_a else 0.0


def shot_results(one: JobSide, other: JobSide, pairs: Sequence[Pair]) -> list[list[ShotResult]]:
    """For each pair of rungs, its shots; the shots are A's."""
    edges = [*one.times.tolist(), one.duration]
    rates = [_rate(one, other, part, edges) for part in one.shots]
    return [
        [_result(place, part, pair, rates[place], edges) for place, part in enumerate(one.shots)]
        for pair in pairs
    ]


def _result(
    place: int, part: tuple[int, int], pair: Pair, rate: float | None, edges: Sequence[float]
) -> ShotResult:
    (kbps_a, mean_a, min_a), (kbps_b, mean_b, min_b) = (_measured(rung, part, edges) for rung in pair)
    return ShotResult(
        shot=place,
        start=part[0],
        end=part[1],
        kbps_a=kbps_a,
        kbps_b=kbps_b,
        mean_a=mean_a,
        mean_b=mean_b,
        min_a=min_a,
        min_b=min_b,
        rate_pct=rate,
        better=winner(kbps_a, kbps_b, mean_a, mean_b, rate),
    )


def winner(kbps_a: float, kbps_b: float, vmaf_a: float, vmaf_b: float, rate_pct: float | None) -> Winner:
    """By bits and quality where both speak for one side, else by the BD-rate of the shot."""
    quality = _sign(vmaf_b - vmaf_a, SAME_VMAF)
    thrift = _sign(kbps_a - kbps_b, SAME_BITS * max(kbps_a, kbps_b))
    if quality == thrift == 0:
        return "even"
    if quality >= 0 and thrift >= 0:
        return "B"
    if quality <= 0 and thrift <= 0:
        return "A"
    if rate_pct is None:
        return "trade"
    return "even" if abs(rate_pct) < SAME_RATE else "B" if rate_pct < 0 else "A"


def _sign(value: float, same: float) -> int:
    return 0 if abs(value) <= same else 1 if value > 0 else -1


def _measured(rung: RungData, part: tuple[int, int], edges: Sequence[float]) -> tuple[float, float, float]:
    """Kilobits per second, mean and least VMAF of a range of frames."""
    start, end = part
    vmaf = rung.vmaf[start:end]
    seconds = edges[end] - edges[start]
    return (
        float(rung.frame_bytes[start:end].sum()) * 8 / 1000 / seconds,
        float(vmaf.mean()),
        float(vmaf.min()),
    )


def _rate(one: JobSide, other: JobSide, part: tuple[int, int], edges: Sequence[float]) -> float | None:
    curves = [sorted(_measured(rung, part, edges)[:2] for rung in side.rungs) for side in (one, other)]
    found, _, _ = delta_of(*curves)
    return None if found is None else found.value
