"""A package plays in a real browser, as HLS and as DASH: it moves, sounds, and shows the right pictures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archer.process import ffmpeg_path
from pipelines.packaging.build import build_package
from pipelines.packaging.tracks import AudioTrack, VideoTrack

pytestmark = pytest.mark.browser
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-crf", "26", "-g", "50", "-sc_threshold", "0"]
AV1 = ["-c:v", "libsvtav1", "-preset", "12", "-crf", "40", "-g", "50", "-svtav1-params", "lp=1"]


def make(bbb: Path, folder: Path, video: list[str], heights: tuple[int, ...], sound: list[str]) -> Path:
    """A package of the clip in `folder/package`, beside its renditions."""
    argv: list[str | Path] = [ffmpeg_path(), "-v", "error", "-i", bbb]
    for height in heights:
        argv += ["-map", "0:v", "-vf", f"scale=-2:{height}", *video, folder / f"{height}p.mp4"]
    for language, tempo in (("eng", "volume=1"), ("deu", "volume=0.5")):
        argv += ["-map", "0:a", "-ac", "2", "-af", tempo, *sound, folder / f"{language}.mp4"]
    subprocess.run(argv, check=True)
    (folder / "package").mkdir()
    (folder / "scratch").mkdir()
    build_package(
        [VideoTrack(name=f"{height}p", path=folder / f"{height}p.mp4") for height in heights],
        [
            AudioTrack(name=f"audio-{code}", path=folder / f"{code}.mp4", language=code)
            for code in ("eng", "deu")
        ],
        out=folder / "package",
        scratch=folder / "scratch",
    )
    return folder


@pytest.fixture(scope="module")
def avc(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two x264 rungs with B-frames, AAC in two languages."""
    return make(bbb, tmp_path_factory.mktemp("avc"), X264, (360, 180), ["-c:a", "aac"])


@pytest.fixture(scope="module")
def av1(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One AV1 rung, Opus in two languages."""
    return make(bbb, tmp_path_factory.mktemp("av1"), AV1, (180,), ["-c:a", "libopus"])


@pytest.mark.parametrize("kind", ["hls", "dash"])
@pytest.mark.parametrize("codec", ["avc", "av1"])
def test_it_plays_with_picture_and_sound(
    kind: str,
    codec: str,
    play: Callable[[Path, str], Any],
    evidence: Callable[[Any], None],
    request: pytest.FixtureRequest,
) -> None:
    made = request.getfixturevalue(codec)
    page = play(made, kind)
    try:
        page.wait_for("video.currentTime > 2", timeout_s=30)
        assert page.evaluate("[video.videoWidth, video.videoHeight]") in ([640, 360], [320, 180])
        assert abs(page.evaluate("video.duration") - 5.28) < 0.05
        assert page.evaluate("video.webkitAudioDecodedByteCount") > 10_000
        assert page.evaluate("heard") > 0.01
        assert page.evaluate("shown.length") > 20
        assert sorted(page.evaluate("tracks()")) == ["de", "en"]
        assert page.evaluate("trouble") == []
        assert page.complaints() == []
    except BaseException:
        evidence(page)
        raise


@pytest.mark.parametrize("kind", ["hls", "dash"])
def test_the_right_picture_is_shown_at_the_right_time(
    kind: str,
    avc: Path,
    play: Callable[[Path, str], Any],
    picture_number: Callable[[Any, Path, int], int],
    evidence: Callable[[Any], None],
) -> None:
    """Edit lists are obeyed: a picture two frames early or late, as without them, would be found out."""
    page = play(avc, kind)
    try:
        page.wait_for("video.currentTime > 0.2", timeout_s=30)
        page.evaluate("pick(360)")
        page.wait_for("video.videoHeight === 360")
        for number in (20, 75, 101):
            assert picture_number(page, avc / "360p.mp4", number) == number
        assert page.evaluate("trouble") == []
    except BaseException:
        evidence(page)
        raise
