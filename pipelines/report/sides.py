"""What the A/B player of a report is told: the videos that it can show, and where to look; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archer.media import MediaInfo
from pipelines.report.coded import CodedVideo
from pipelines.report.material import Material, proxy_url, rendition_url
from pipelines.report.player import Pieces, Side, Worst, pieces
from pipelines.report.view import WorstView

SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The player of a report.

    Attributes:
        pieces: for the page.
        places: rung -> places of what it is compared with, and of itself, in the player's list.
    """

    pieces: Pieces
    places: Mapping[str, tuple[int, int]]


def compared(material: Material, worst: Mapping[str, Sequence[WorstView]]) -> Compared | None:
    """The player; None where there are not two videos that a browser could show."""
    sides = [_rung(material, video) for video in material.videos]
    first = 0
    if SOURCE in material.proxies:
        sides.insert(0, _source(material.info, material.proxies[SOURCE]))
        first = 1
    if len(sides) < 2:
        return None
    places = {
        video.name: (0 if place + first else 1, place + first) for place, video in enumerate(material.videos)
    }
    looked_at = [
        Worst(frame=view.frame, side=places[name][1]) for name, views in worst.items() for view in views
    ]
    return Compared(pieces=pieces(sides, shots=material.ranges, worst=looked_at), places=places)


def _source(info: MediaInfo, facts: Mapping[str, Any]) -> Side:
    return Side(
        label=SOURCE,
        url=proxy_url(SOURCE),
        codec=facts["codec"],
        width=facts["width"],
        height=facts["height"],
        note="" if facts["height"] >= info.video.height else f"shown at {facts['height']} lines",
        **_times(info),
    )


def _rung(material: Material, video: CodedVideo) -> Side:
    proxy = material.proxies.get(video.name)
    return Side(
        label=video.name,
        url=proxy_url(video.name) if proxy else rendition_url(video.name),
        codec=proxy["codec"] if proxy else material.codecs.get(video.name, ""),
        width=proxy["width"] if proxy else video.width,
        height=proxy["height"] if proxy else video.height,
        vmaf=material.scores[video.name].columns["vmaf"],
        note="proxy" if proxy else "",
        **_times(material.info),
    )


def _times(info: MediaInfo) -> dict[str, Any]:
    """Every video of a job has the source's frames at the source's times, counted from the first."""
    return {
        "fps": info.video.frame_rate,
        "frames": info.frame_count,
        "pts": info.index.pts,
        "time_base": info.video.time_base,
    }
