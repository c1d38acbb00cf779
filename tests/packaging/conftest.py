"""A small real ladder: Big Buck Bunny as x264 with B-frames at three sizes and as AV1, AAC and Opus sound."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archer.process import ffmpeg_path
from pipelines.packaging.build import build_package
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack

GOP = 50  # 2 s at the clip's 25 frames per second
Package = Callable[..., Path]


def ffmpeg(*words: str | Path) -> None:
    done = subprocess.run([ffmpeg_path(), "-v", "error", "-y", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def ladder(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of mp4 files with one track each: 360p, 180p, 90p (x264), av1 (SVT-AV1), aac, opus."""
    folder = tmp_path_factory.mktemp("ladder")
    exact = ["-fflags", "+bitexact", "-flags", "+bitexact"]
    x264 = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-crf",
        "30",
        "-g",
        str(GOP),
        "-sc_threshold",
        "0",
    ]
    for height in (360, 180, 90):
        ffmpeg("-i", bbb, "-an", "-vf", f"scale=-2:{height}", *x264, *exact, folder / f"{height}p.mp4")
    av1 = ["-c:v", "libsvtav1", "-preset", "12", "-crf", "50", "-g", str(GOP), "-svtav1-params", "lp=1"]
    ffmpeg("-i", folder / "180p.mp4", "-vf", "scale=-2:90", *av1, *exact, folder / "av1.mp4")
    sound = ["-i", bbb, "-vn", "-ac", "2", *exact]
    ffmpeg(*sound, "-c:a", "aac", "-b:a", "96k", folder / "aac.mp4")
    ffmpeg(*sound, "-c:a", "libopus", "-b:a", "64k", folder / "opus.mp4")
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """Make a package of tracks in a fresh folder."""
    count = 0

    def make(
        videos: list[VideoTrack],
        audios: list[AudioTrack],
        texts: Sequence[TextTrack] = (),
        **options: object,
    ) -> Path:
        nonlocal count
        count += 1
        out, scratch = tmp_path / f"out-{count}", tmp_path / f"scratch,odd=name-{count}"
        out.mkdir()
        scratch.mkdir()
        build_package(videos, audios, texts, out=out, scratch=scratch, **options)  # type: ignore[arg-type]
        return out

    return make
