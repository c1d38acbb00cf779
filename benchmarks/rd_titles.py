"""The titles of the rate-distortion benchmark: short excerpts of the shared clips, one after the other, as one title each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[2] / "shared"))
LENGTHS = (24, 30, 22, 34, 26)
"""Frames of the excerpts, in turn: unequal, so that key frames at a fixed distance do not meet the cuts by luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Frames of one clip that hold one shot: half-open."""

    clip: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Excerpts of equal size and rate.

    Attributes:
        name: of the title and its files.
        kind: live action, animation...
        heights: sizes that are measured, by the shorter side, largest first.
        starts: clip -> first frames of excerpts.
    """

    name: str
    kind: str
    heights: tuple[int, ...]
    starts: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def excerpts(self) -> tuple[Excerpt, ...]:
        places = [(clip, start) for clip, starts in self.starts for start in starts]
        return tuple(
            Excerpt(clip=clip, start=start, end=start + LENGTHS[number % len(LENGTHS)])
            for number, (clip, start) in enumerate(places)
        )


TITLES = (
    Title(
        name="live_720p",
        kind="live action",
        heights=(720, 540, 360),
        starts=(
            ("coffee_720p30.mp4", (20, 200)),
            ("dog_720p30.mp4", (20, 200)),
            ("butterfly_720p30.mp4", (10,)),
        ),
    ),
    Title(
        name="tos_332p",
        kind="live action with effects",
        heights=(332, 240, 180),
        starts=(("tos_battle_a_800x332.webm", (0, 60, 222, 330, 730)),),
    ),
    Title(
        name="trailer_540p",
        kind="animation, many shots",
        heights=(540, 360, 270),
        starts=(("sintel_trailer_540p24.mp4", (622, 100, 573, 225, 1020)),),
    ),
    Title(
        name="bbb_1080p",
        kind="animation",
        heights=(1080, 720, 540, 360),
        starts=(("bbb_1080p24_51.mp4", (60, 200, 290, 390, 570)),),
    ),
    Title(
        name="dashcam_540p",
        kind="live action, moving camera",
        heights=(540, 360, 270),
        starts=(("dashcam_540p25.mp4", (0, 40, 95, 140, 190)),),
    ),
    Title(
        name="dark_720p",
        kind="animation, dark",
        heights=(720, 540, 360),
        starts=(("sintel_dark_720p30.mp4", (380, 55, 170, 285, 108)),),
    ),
    Title(
        name="scene_480p",
        kind="animation, letterboxed",
        heights=(480, 360, 240),
        starts=(("sintel_scene_480p25.mp4", (10, 121, 150, 330, 460)),),
    ),
    Title(
        name="popeye_1074p",
        kind="drawn animation, film grain",
        heights=(1074, 720, 540, 360),
        starts=(("popeye_p3_1072p24_pgs.mkv", (100, 340, 540, 745, 1080)),),
    ),
)
