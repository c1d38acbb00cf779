"""A comparison as the template shows it: signed numbers as text, what opens the player where; pure but for its pictures."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from pipelines.compare.charts import frame_chart, shot_chart
from pipelines.compare.comparison import Comparison, PairResult
from pipelines.compare.gallery import Crop, crops
from pipelines.compare.shots import SAME_BITS, SAME_VMAF, ShotResult
from pipelines.compare.side import JobSide, RungData
from pipelines.compare.worst import Regression
from pipelines.report.charts import Chart
from pipelines.report.player import Side, Worst
from pipelines.report.plot import clock

MOST_SHOTS = 400
"""Shots of a rung in its table; the JSON document has all."""
WORDS = {"A": "A", "B": "B", "even": "even", "trade": "trade-off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """A pair of rungs.

    Attributes:
        place: in the list.
        pair: its numbers.
        deltas: see `PairResult.deltas`.
        frames, shots: charts over time.
        worst: regressions with their crops; None where a rendition is not there.
        plays: both renditions are there.
    """

    place: int
    pair: PairResult
    deltas: dict[str, float]
    frames: Chart
    shots: Chart
    worst: tuple[tuple[Regression, Crop | None], ...]
    plays: bool


def pair_views(found: Comparison) -> list[PairView]:
    """All pairs, in the order of A's ladder."""
    times, duration = found.a.times, found.a.duration
    views = []
    for place, pair in enumerate(found.pairs):
        pictures = crops(pair)
        views.append(
            PairView(
                place=place,
                pair=pair,
                deltas=pair.deltas(),
                frames=frame_chart(pair, times, duration),
                shots=shot_chart(pair, times, duration),
                worst=tuple((one, pictures.get(one.frame)) for one in pair.worst),
                plays=pair.a.shown.is_file() and pair.b.shown.is_file(),
            )
        )
    return views


def player_sides(found: Comparison, folder: Path) -> list[Side]:
    """A's and B's rendition of each pair, in turn, as the player wants them; then the source where it has a proxy."""
    sides = [
        _player_side(name, side, rung, folder)
        for pair in found.pairs
        for name, side, rung in (("A", found.a, pair.a), ("B", found.b, pair.b))
    ]
    proxies = (side.folder / "proxies" / "source.mp4" for side in (found.a, found.b))
    source = next((path for path in proxies if path.is_file()), None)
    if source is None:
        return sides
    return [
        *sides,
        replace(sides[0], label="source", url=relative_url(source, folder), codec="", vmaf=None, note=""),
    ]


def player_worst(found: Comparison) -> list[Worst]:
    """The regressions, each on B's side of its pair."""
    return [
        Worst(frame=one.frame, side=2 * place + 1)
        for place, pair in enumerate(found.pairs)
        for one in pair.worst
    ]


def _player_side(name: str, side: JobSide, rung: RungData, folder: Path) -> Side:
    rate = Fraction(str(side.manifest["media"]["frame_rate"]))
    base = Fraction(1, 90000)
    return Side(
        label=f"{name} {rung.name}",
        url=relative_url(rung.shown, folder),
        codec=rung.codec if rung.shown == rung.path else "",
        fps=rate,
        frames=side.frames,
        width=rung.width,
        height=rung.height,
        pts=np.round(side.times / float(base)).astype(np.int64),
        time_base=base,
        vmaf=rung.vmaf,
        note=side.label,
    )


def relative_url(path: Path, folder: Path) -> str:
    """Where a file is, seen from a folder, as a URL."""
    return quote(os.path.relpath(path.resolve(), folder.resolve()))


def page_data(found: Comparison) -> str:
    """What the script needs beside the scores that the player has, as JSON that is safe inside a `script` element."""
    step = float(1 / Fraction(str(found.a.manifest["media"]["frame_rate"])))
    data: dict[str, Any] = {
        "frames": found.a.frames,
        "duration": found.a.duration,
        "step": step,
        "times": None if _even(found.a.times, step) else _packed(found.a.times.astype("<f4")),
        "shots": [start for start, _ in found.a.shots],
    }
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _even(times: npt.NDArray[np.float64], step: float) -> bool:
    return bool(np.allclose(times, np.arange(len(times)) * step, atol=step / 20))


def _packed(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def tone(value: float | None, *, higher: bool, same: float) -> str:
    """`good`, `bad` or nothing: whether a difference speaks for B."""
    if value is None or abs(value) <= same:
        return ""
    return "good" if (value > 0) == higher else "bad"


def score_tone(value: float | None) -> str:
    """Of a difference of VMAF."""
    return tone(value, higher=True, same=SAME_VMAF)


def bits_tone(value: float | None) -> str:
    """Of a difference of bits in percent."""
    return tone(value, higher=False, same=100 * SAME_BITS)


def telling_shots(shots: Sequence[ShotResult]) -> list[ShotResult]:
    """All shots, or of a long title those whose quality differs most, in order."""
    apart = sorted(shots, key=lambda shot: (-abs(shot.mean_b - shot.mean_a), shot.shot))
    return sorted(apart[:MOST_SHOTS], key=lambda shot: shot.shot)


def shot_rows(shots: Sequence[ShotResult], times: Any) -> list[dict[str, Any]]:
    """Rows of the table of shots."""
    return [
        {
            "number": shot.shot + 1,
            "starts": clock(float(times[shot.start]), tenths=True),
            "frames": shot.end - shot.start,
            "shot": shot,
            "mean": shot.mean_b - shot.mean_a,
            "least": shot.min_b - shot.min_a,
            "better": WORDS[shot.better],
        }
        for shot in telling_shots(shots)
    ]
