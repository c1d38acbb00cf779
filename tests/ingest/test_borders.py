"""Black borders are found by all samples together, on the grid of the chroma, and never cut into the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archer.media import VideoStream, frames, probe
from archer.process import ffmpeg
from pipelines.ingest.borders import picture_area, sample_ranges


@pytest.mark.parametrize(
    ("pad", "area"),
    [
        ("384:240:32:30", (32, 30, 320, 180)),
        ("322:180:1:0", None),
        ("340:181:11:0", (10, 0, 322, 181)),
        ("320:184:0:0", (0, 0, 320, 180)),
    ],
    ids=["frame", "too narrow", "odd", "one side"],
)
def test_borders(short: Path, tmp_path: Path, pad: str, area: tuple[int, int, int, int] | None) -> None:
    boxed = tmp_path / "boxed.mkv"
    ffmpeg(
        [
            "-i",
            short,
            "-an",
            "-vf",
            f"format=yuv444p,pad={pad}:black",
            "-frames:v",
            "4",
            "-c:v",
            "ffv1",
            boxed,
        ]
    )
    info = probe(str(boxed))
    assert picture_area(frames(str(boxed), info=info), info.video) == area


def test_a_black_title_has_no_borders(tmp_path: Path) -> None:
    black = tmp_path / "black.mkv"
    ffmpeg(["-f", "lavfi", "-i", "color=black:s=64x64:d=0.2", "-c:v", "ffv1", black])
    assert picture_area(frames(str(black)), probe(str(black)).video) is None


def test_samples_are_spread_over_the_title() -> None:
    assert [part.start for part in sample_ranges(24)] == list(range(1, 24, 2))
    assert [part.start for part in sample_ranges(1)] == [0]


def test_depth_scales_the_threshold(short: Path, tmp_path: Path) -> None:
    deep = tmp_path / "deep.mkv"
    ffmpeg(
        [
            "-i",
            short,
            "-an",
            "-vf",
            "pad=320:220:0:20:black,format=yuv420p10le",
            "-frames:v",
            "2",
            "-c:v",
            "ffv1",
            deep,
        ]
    )
    video: VideoStream = replace(probe(str(deep)).video)
    assert picture_area(frames(str(deep)), video) == (0, 20, 320, 180)
