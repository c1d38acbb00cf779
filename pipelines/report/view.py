"""A report as the template shows it: text and places, no more decisions; pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from archer.media import display_size
from pipelines.report.coded import CodedVideo, rate_over_time
from pipelines.report.gallery import Gallery, Pair
from pipelines.report.material import Material, Measured, ShotFacts
from pipelines.report.plot import clock
from vmaf import Pooled

MINUS = "\N{MINUS SIGN}"
SCORE_SCALE = 500
"""Scores are sent to the page as 16-bit integers of 1/500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RungView:
    """A row of the ladder."""

    place: int
    name: str
    size: str
    codec: str
    crf: str
    kbps: float
    peak_kbps: float
    file_bytes: int
    vmaf: Pooled
    psnr: Pooled | None
    rates: tuple[float, ...]

    @property
    def ladder(self) -> str:
        """What the rungs of one ladder have in common: codec without profile, and dynamic range."""
        codec, _, shown = self.codec.partition(", ")
        return f"{codec.partition(' ')[0]} {shown}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotView:
    """A card of the contact sheet; `scores` holds (mean, least) of each rung."""

    number: int
    facts: ShotFacts
    left_pct: float
    width_pct: float
    starts: str
    ends: str
    seconds: float
    picture: str
    scores: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstView:
    """A worst frame of a rung, with the mean of its shot."""

    frame: int
    time: str
    shot: int
    score: float
    shot_mean: float
    pair: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class QcView:
    """A finding of quality control: how bad, what, half-open frame range, when, in words."""

    severity: str
    kind: str
    start: int
    end: int
    time: str
    message: str


def rung_views(material: Measured, duration: float) -> list[RungView]:
    """The ladder, in its order."""
    step = rate_step(duration)
    views = []
    for place, video in enumerate(material.videos):
        scores = material.scores[video.name]
        rates = rate_over_time(video.frame_bytes, material.times, duration=duration, step=step)
        views.append(
            RungView(
                place=place,
                name=video.name,
                size=size_text(video.width, video.height),
                codec=video.codec,
                crf=material.crfs.get(video.name, ""),
                kbps=float(video.frame_bytes.sum()) * 8 / 1000 / duration,
                peak_kbps=max(rates),
                file_bytes=video.file_bytes,
                vmaf=scores.pooled("vmaf"),
                psnr=scores.pooled("psnr_y") if "psnr_y" in scores.columns else None,
                rates=tuple(rates),
            )
        )
    return views


def rate_step(duration: float) -> float:
    """Seconds of a window of the bit rate: one, or half of it for short clips, so that there is a curve."""
    return 1.0 if duration >= 30 else 0.5


def shot_views(material: Material, gallery: Gallery, duration: float) -> list[ShotView]:
    """The contact sheet."""
    edges = [*material.times.tolist(), duration]
    return [
        ShotView(
            number=place + 1,
            facts=shot,
            left_pct=100 * edges[shot.start] / duration,
            width_pct=100 * (edges[shot.end] - edges[shot.start]) / duration,
            starts=clock(edges[shot.start], tenths=True),
            ends=clock(edges[shot.end], tenths=True),
            seconds=edges[shot.end] - edges[shot.start],
            picture=gallery.thumbnails.get(place, ""),
            scores=tuple(_shot_score(material, video, shot) for video in material.videos),
        )
        for place, shot in enumerate(material.shots)
    ]


def worst_views(material: Material, gallery: Gallery) -> dict[str, list[WorstView]]:
    """The worst frames of each rung, worst first."""
    starts = [shot.start for shot in material.shots]
    views: dict[str, list[WorstView]] = {}
    for video in material.videos:
        scores = material.scores[video.name].columns["vmaf"]
        views[video.name] = []
        for frame, pair in gallery.pairs[video.name].items():
            shot = int(np.searchsorted(starts, frame, side="right")) - 1
            views[video.name].append(
                WorstView(
                    frame=frame,
                    time=clock(float(material.times[frame]), tenths=True),
                    shot=shot + 1,
                    score=float(scores[frame]),
                    shot_mean=_shot_score(material, video, material.shots[shot])[0],
                    pair=pair,
                )
            )
    return views


def qc_views(material: Material) -> list[QcView] | None:
    """The findings of quality control, by frame; None where nobody looked."""
    if material.qc is None:
        return None
    return [
        QcView(
            severity=each["severity"],
            kind=each["kind"].replace("_", " "),
            start=each["start"],
            end=each["end"],
            time=clock(float(material.times[min(each["start"], len(material.times) - 1)]), tenths=True),
            message=each["message"],
        )
        for each in material.qc["findings"]
    ]


def page_data(material: Material, rungs: Sequence[RungView], duration: float) -> str:
    """What the scripts draw from, as JSON that is safe inside a `script` element."""
    step = float(1 / material.info.video.frame_rate)
    even = bool(np.allclose(material.times, np.arange(len(material.times)) * step, atol=step / 20))
    data: dict[str, Any] = {
        "frames": len(material.times),
        "duration": duration,
        "step": step,
        "times": None if even else _packed(material.times.astype("<f4")),
        "shots": [[shot.start, shot.end] for shot in material.shots],
        "rateStep": rate_step(duration),
        "rungs": [
            {
                "name": rung.name,
                "vmaf": _packed(
                    np.round(material.scores[rung.name].columns["vmaf"] * SCORE_SCALE).astype("<u2")
                ),
                "rates": rung.rates,
            }
            for rung in rungs
        ],
    }
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def signed(value: float | None, places: int = 2, unit: str = "") -> str:
    """`+1.20`, `-0.35` with a true minus, `0.00`; a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "\N{EN DASH}"
    text = f"{abs(value):.{places}f}"
    sign = "" if float(text) == 0 else MINUS if value < 0 else "+"
    return f"{sign}{text}{unit}"


def size_text(width: int, height: int) -> str:
    """`1280 x 720`, with the sign for people."""
    return f"{width} \N{MULTIPLICATION SIGN} {height}"


def title_facts(material: Material) -> list[tuple[str, str]]:
    """The source in words."""
    info, video = material.info, material.info.video
    width, height = display_size(video)
    turned = (width, height) != (video.width, video.height)
    stored = f" (stored {size_text(video.width, video.height)})" if turned else ""
    rate = f"{float(video.frame_rate):.3f}".rstrip("0").rstrip(".")
    facts = [
        ("Picture", f"{size_text(width, height)}{stored}"),
        ("Frame rate", f"{rate} fps" + (", variable" if video.vfr else "")),
        ("Length", f"{info.frame_count:,} frames, {clock(float(info.duration), tenths=True)}"),
        ("Codec", f"{video.codec} {video.profile}".strip() + f", {video.format.name}"),
        ("Container", info.container.split(",")[0]),
        (
            "Sound",
            ", ".join(f"{track.codec} {track.layout} {track.language}" for track in info.audio) or "none",
        ),
    ]
    if video.rotation:
        facts.append(("Rotation", f"{video.rotation}° clockwise"))
    return facts


def _shot_score(material: Material, video: CodedVideo, shot: ShotFacts) -> tuple[float, float]:
    part = material.scores[video.name].columns["vmaf"][shot.start : shot.end]
    return float(part.mean()), float(part.min())


def _packed(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()
