"""The report of a two-minute title stays small: the limit is 3 MB without the videos beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archer.media import FrameRange, frames, probe
from archer.process import ffmpeg
from pipelines.report.gallery import Gallery, Pair, thumbnail_width
from pipelines.report.material import Material
from pipelines.report.page import render
from pipelines.report.pictures import CROP, cropped, shown, thumbnail
from pipelines.report.worst import worst_frames

SHOTS, RUNGS, FRAMES = 60, 6, 2880


@pytest.fixture(scope="session")
def long_page(bbb: Path, made_up: Callable[..., Material], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of 2880 frames, 60 shots and six rungs, with pictures of a real film in all places."""
    folder = tmp_path_factory.mktemp("long")
    source = folder / "source.mp4"
    grey = ["-f", "lavfi", "-i", f"testsrc2=s=64x36:r=24:d={FRAMES // 24}", "-c:v", "libx264"]
    ffmpeg([*grey, "-preset", "ultrafast", "-g", "48", source])
    names = [f"{height}p" for height in (1080, 720, 540, 432, 360, 234)]
    known = made_up(source, [source], SHOTS, names=names)
    page = render(
        known, real_pictures(known, bbb), title="Two minutes", settings="{}", command="cinemill encode"
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def real_pictures(known: Material, film: Path) -> Gallery:
    """A thumbnail per shot and the usual worst frames of every rung, from some frames of a film."""
    info = probe(str(film))
    seen = [next(iter(frames(str(film), FrameRange(at, at + 1), info=info))) for at in (10, 45, 80, 120)]
    small = [thumbnail(frame, info.video, thumbnail_width(SHOTS)) for frame in seen]
    cuts = [cropped(shown(frame, info.video, (1280, 720), "bgra"), (480, 270, *CROP)) for frame in seen]
    pairs = {
        name: {
            frame: Pair(window=(480, 270, *CROP), source=cuts[place % 4], coded=cuts[(place + 1) % 4])
            for place, frame in enumerate(
                worst_frames(scores.columns["vmaf"], known.ranges, count=4, apart=24)
            )
        }
        for name, scores in known.scores.items()
    }
    return Gallery(thumbnails={shot: small[shot % 4] for shot in range(SHOTS)}, pairs=pairs)


def test_two_minutes_are_below_3_mb(long_page: Path) -> None:
    assert 500_000 < long_page.stat().st_size < 3_000_000
