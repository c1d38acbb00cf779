"""A package plays in a real browser, as HLS and as DASH: it moves, sounds, and shows the right pictures."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from archer.process import ffmpeg_path
from pipelines.packaging.build import build_package
from pipelines.packaging.tracks import AudioTrack, VideoTrack

pytestmark = pytest.mark.browser
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-crf", "26", "-g", "50", "-sc_threshold", "0"]
AV1 = ["-c:v", "libsvtav1", "-preset", "12", "-crf", "40", "-g", "50", "-svtav1-params", "lp=1"]
KINDS = {
    "hls": ("hls.js@1.7.4/hls.min.js", "master.m3u8"),
    "dash": ("shaka-player@5.2.12/shaka-player.compiled.js", "manifest.mpd"),
}
SIZE = (64, 36)


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


@pytest.fixture
def play(site: tuple[Path, str], players: Path, tab: Callable[[str], Any]) -> Callable[[Path, str], Any]:
    """Open a package in a player and start it."""

    def start(made: Path, kind: str) -> Any:
        root, url = site
        script, manifest = KINDS[kind]
        shutil.copytree(made / "package", root / "package")
        shutil.copy(Path(__file__).parent / "pages" / "player.html", root / "player.html")
        shutil.copy(players / script, root / "player.js")
        page = tab(f"{url}/player.html")
        page.evaluate(f"start({kind!r}, '{url}/package/{manifest}')")
        return page

    return start


def picture_number(grey: list[float], rendition: Path, around: int) -> int:
    """Which frame of a rendition a picture is: the nearest one."""
    with av.open(str(rendition)) as container:
        frames = [frame.reformat(*SIZE, format="gray").to_ndarray() for frame in container.decode(video=0)]
    shown = np.array(grey).reshape(SIZE[::-1])
    errors = [float(np.mean((shown - frame) ** 2)) for frame in frames]
    near = range(max(0, around - 6), min(len(frames), around + 7))
    return min(near, key=lambda number: errors[number])


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
    kind: str, avc: Path, play: Callable[[Path, str], Any], evidence: Callable[[Any], None]
) -> None:
    """Edit lists are obeyed: a picture two frames early or late, as without them, would be found out."""
    page = play(avc, kind)
    try:
        page.wait_for("video.currentTime > 0.2", timeout_s=30)
        page.evaluate("pick(360)")
        page.wait_for("video.videoHeight === 360")
        for number in (20, 75, 101):
            seen = page.evaluate(f"pictureAt({(number + 0.5) / 25}, {SIZE[0]}, {SIZE[1]})")
            assert abs(seen["mediaTime"] - number / 25) < 0.005, number
            assert picture_number(seen["grey"], avc / "360p.mp4", number) == number
        assert page.evaluate("trouble") == []
    except BaseException:
        evidence(page)
        raise
