"""Two outputs side by side: everything that a page, a terminal or a program is told about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.compare.costs import Costs, costs
from pipelines.compare.errors import NotComparable
from pipelines.compare.match import check_match, paired
from pipelines.compare.rates import RateResult, rate_results
from pipelines.compare.settings import SettingRow, setting_rows
from pipelines.compare.shots import ShotResult, shot_results
from pipelines.compare.side import JobSide, RungData, place_parts, read_side
from pipelines.compare.worst import Regression, regressions

SCHEMA = "cinemill-compare@1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairResult:
    """A rung of A against one of B.

    Attributes:
        a, b: the rungs.
        kbps_a, kbps_b: mean kilobits per second of the pictures.
        shots: shot by shot.
        worst: where B is worst against A, worst first.
    """

    a: RungData
    b: RungData
    kbps_a: float
    kbps_b: float
    shots: tuple[ShotResult, ...]
    worst: tuple[Regression, ...]

    @property
    def name(self) -> str:
        """`720p`, or both names where they differ."""
        return self.a.name if self.a.name == self.b.name else f"{self.a.name} / {self.b.name}"

    @property
    def bits_pct(self) -> float:
        """Bits of B against those of A, percent."""
        return 100 * (self.kbps_b / self.kbps_a - 1)

    def deltas(self) -> dict[str, float]:
        """B minus A: pooled VMAF, PSNR of luma where both have it, and the extremes of frames."""
        one, other = (rung.scores.pooled("vmaf") for rung in (self.a, self.b))
        apart = self.b.vmaf - self.a.vmaf
        found = {
            f"vmaf_{name}": getattr(other, name) - getattr(one, name)
            for name in ("mean", "harmonic_mean", "min", "p1")
        }
        if all("psnr_y" in rung.scores.columns for rung in (self.a, self.b)):
            found["psnr_y"] = self.b.scores.pooled("psnr_y").mean - self.a.scores.pooled("psnr_y").mean
        return found | {"frame_least": float(apart.min()), "frame_most": float(apart.max())}

    def won(self) -> dict[str, int]:
        """Shots by who is better."""
        return {side: sum(shot.better == side for shot in self.shots) for side in ("A", "B", "even", "trade")}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Two outputs of `cinemill encode`, compared; shows itself in notebooks.

    Attributes:
        a, b: the sides; B is judged against A.
        notes: what the reader must know, in words.
        settings: what differs in what was asked for.
        rates: BD-rates, or why there are none.
        pairs: rung against rung.
        costs: processor time.
    """

    a: JobSide
    b: JobSide
    notes: tuple[str, ...]
    settings: tuple[SettingRow, ...]
    rates: tuple[RateResult, ...]
    pairs: tuple[PairResult, ...]
    costs: Costs = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON object of version `SCHEMA`; its numbers are rounded to four places."""
        sides = {"a": self.a, "b": self.b}
        return {
            "schema": SCHEMA,
            **{name: _side_json(side) for name, side in sides.items()},
            "notes": list(self.notes),
            "settings": [asdict(row) for row in self.settings],
            "rates": _rounded([asdict(rate) for rate in self.rates]),
            "rungs": _rounded([_pair_json(pair) for pair in self.pairs]),
            "cost": _rounded(asdict(self.costs)),
        }

    def page(self, folder: Path) -> str:
        """The comparison as one HTML document.

        Args:
            folder: where it is going to lie; videos are linked from there.
        """
        from pipelines.compare.page import render

        return render(self, folder)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its style and that of a notebook leave each other alone."""
        page = escape(self.page(Path.cwd()), quote=True)
        return (
            f'<iframe title="Comparison" srcdoc="{page}" style="width:100%;height:48rem;border:0"></iframe>'
        )


def compare(
    a: str | Path, b: str | Path, *, names: tuple[str, str] | None = None, force: bool = False
) -> Comparison:
    """Compare two outputs of `cinemill encode`.

    Args:
        a, b: folders, single files with their reports beside them, or URLs of such; B is judged against A.
        names: of the sides for people; None for those of the folders.
        force: compare encodes of different sources or by different models all the same.

    Raises:
        NoJob: a folder is no output, or something of it is missing.
        NotComparable: they are not of one source, or not scored alike. OutputFailed: a store cannot be read.
    """
    first, second = _labels(str(a), str(b)) if names is None else names
    one, other = read_side(a, first), read_side(b, second)
    notes = check_match(one, other, force=force)
    pairs, left = paired(one, other)
    for pair in pairs:
        if len(pair[0].vmaf) != len(pair[1].vmaf):
            counts = tuple(f"{rung.name} has {len(rung.vmaf)} scored frames" for rung in pair)
            raise NotComparable(counts, "frames are compared one by one; encode them again")
    if one.shots != other.shots:
        left.append(f"shots differ: A has {len(one.shots)}, B has {len(other.shots)}; those of A are used")
    rate = float(Fraction(str(one.manifest["media"]["frame_rate"])))
    shots = shot_results(one, other, pairs)
    return Comparison(
        a=one,
        b=other,
        notes=(*notes, *left),
        settings=tuple(setting_rows(one.manifest, other.manifest)),
        rates=tuple(rate_results(one, other)),
        pairs=tuple(
            PairResult(
                a=pair[0],
                b=pair[1],
                kbps_a=pair[0].kbps(one.duration),
                kbps_b=pair[1].kbps(other.duration),
                shots=tuple(found),
                worst=tuple(regressions(pair, one.shots, one.times.tolist(), rate)),
            )
            for pair, found in zip(pairs, shots, strict=True)
        ),
        costs=costs(one.run, other.run),
    )


def _labels(a: str, b: str) -> tuple[str, str]:
    """Names of the folders, with those of their parents where they are equal."""
    one, other = (place_parts(place) for place in (a, b))
    if one[-1] != other[-1]:
        return one[-1], other[-1]
    return "/".join(one[-2:]), "/".join(other[-2:])


def _side_json(side: JobSide) -> dict[str, Any]:
    manifest: Mapping[str, Any] = side.manifest
    return {
        "label": side.label,
        "folder": side.place,
        "job": manifest["job"],
        "title": manifest["title"],
        "input": manifest["input"],
        "model": manifest["model"],
        "frames": side.frames,
        "versions": manifest["versions"],
    }


def _pair_json(pair: PairResult) -> dict[str, Any]:
    sides = {"a": (pair.a, pair.kbps_a), "b": (pair.b, pair.kbps_b)}
    return {
        "name": pair.name,
        **{
            name: {
                "name": rung.name,
                "size": f"{rung.width}x{rung.height}",
                "codec": rung.codec,
                "crf": rung.crf,
                "kbps": kbps,
                "vmaf": asdict(rung.scores.pooled("vmaf")),
            }
            for name, (rung, kbps) in sides.items()
        },
        "bits_pct": pair.bits_pct,
        "delta": pair.deltas(),
        "better": pair.won(),
        "shots": [asdict(shot) | {"bits_pct": shot.bits_pct} for shot in pair.shots],
        "worst": [asdict(one) | {"delta": one.delta} for one in pair.worst],
    }


def _rounded(value: Any) -> Any:
    """Numbers of a JSON value to four places; what is no number becomes null."""
    if isinstance(value, float):
        return round(value, 4) if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value
