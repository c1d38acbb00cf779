"""Packages play in real browsers, as HLS and as DASH, clear and encrypted; what is wrong with one is seen there, too."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from ctypes.util import find_library
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.conformance.browsers.chromium import find_chromium
from pipelines.conformance.browsers.firefox import find_firefox
from pipelines.conformance.browsers.webkit import find_webkit
from pipelines.conformance.report import write_report
from pipelines.conformance.results import Verdict
from pipelines.conformance.static import CHECKS
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack
from pipelines.packaging.transport import write_transport

pytestmark = pytest.mark.browser
Conform = Callable[..., Verdict]
Packages = Callable[[str], Path]
OTHERS = ("chromium-dash", "firefox-hls", "firefox-dash")
FIND = {
    "chromium": (find_chromium, "chromium"),
    "firefox": (find_firefox, "firefox-esr"),
    "webkit": (find_webkit, "webkit2gtk-driver xvfb gstreamer1.0-libav"),
}


def needs(device: str) -> None:
    name = device.partition("-")[0]
    find, package = FIND[name]
    if find() is None:
        pytest.skip(f"needs {name}: apt-get install {package}, or set CINEMILL_{name.upper()}")
    if name == "firefox" and find_library("avcodec") is None:
        pytest.skip(
            "needs FFmpeg's libavcodec, with which Firefox decodes H.264 and AAC: apt-get install libavcodec59"
        )


def complaints(verdict: Verdict) -> list[str]:
    return [
        f"{result.case.label}: {result.message}" for result in verdict.results if result.state != "passed"
    ]


@pytest.mark.parametrize(
    "device",
    [
        "chromium-hls",
        *(pytest.param(name, marks=pytest.mark.slow) for name in (*OTHERS, "webkit-hls", "webkit-dash")),
    ],
)
def test_a_clear_package_plays(device: str, packages: Packages, conform: Conform) -> None:
    """It moves to its end, sounds, shows subtitles, changes rungs, and shows exactly the frames that are asked for."""
    needs(device)
    verdict = conform(packages("clear"), device, renditions=["video-180p"])
    assert complaints(verdict) == []
    tests = {result.case.test: result.measured for result in verdict.results}
    trick = {"tiles"} if device.endswith("dash") else set()
    assert set(tests) == {"play", "frames", "seek", "pictures", "switch", "sound", "subtitles"} | trick
    assert tests["frames"]["presented"] == tests["frames"]["wanted"] == 132
    assert tests["seek"]["worst_frames"] == 0
    assert tests["pictures"]["least_db"] > 30
    assert tests["sound"]["decoded_bytes"]
    assert verdict.publish


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("chromium-hls", "cenc"),
        ("chromium-dash", "cbcs"),
        *(pytest.param(name, kind, marks=pytest.mark.slow) for name in OTHERS for kind in ("cenc", "cbcs")),
        pytest.param("chromium-hls", "cbcs", marks=pytest.mark.slow),
    ],
)
def test_an_encrypted_package_plays_with_its_keys_only(
    device: str, kind: str, packages: Packages, conform: Conform
) -> None:
    needs(device)
    verdict = conform(packages(kind), device, renditions=["video-180p"], tests=["decrypt", "locked"])
    assert complaints(verdict) == []
    tests = {result.case.test: result.measured for result in verdict.results}
    assert tests["decrypt"]["least_db"] > 30
    assert tests["locked"]["shown_up_to_s"] <= 1.25


@pytest.mark.parametrize(("device", "codec"), [("chromium-dash", "av1"), ("firefox-dash", "180p")])
def test_every_browser_and_codec_plays(device: str, codec: str, packages: Packages, conform: Conform) -> None:
    needs(device)
    verdict = conform(packages("clear"), device, renditions=[f"video-{codec}"], tests=["play", "pictures"])
    assert complaints(verdict) == []
    assert len(verdict.results) == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_clean_runs_raise_no_alarm(packages: Packages, conform: Conform) -> None:
    """Clear and encrypted in turn, on paper, decoded and in a browser; not one failed or flaky test."""
    needs("chromium-hls")
    for number in range(20):
        kind = ("clear", "cenc", "cbcs")[number % 3]
        tests = ["pictures", "decrypt", "decode", *CHECKS]
        verdict = conform(packages(kind), "package", "decoder", "chromium-hls", tests=tests)
        assert complaints(verdict) == [], number


def test_what_a_player_cannot_play_fails_there(
    packages: Packages, broken: Callable[..., Path], conform: Conform, tmp_path: Path
) -> None:
    """A segment with zeros in it and a codec that no browser knows: seen, kept as evidence, and not called flaky."""
    needs("chromium-hls")
    package = broken()
    path = package / "video-180p/4.m4s"
    data = path.read_bytes()
    at = data.index(b"mdat") + 4
    path.write_bytes(data[:at] + bytes(len(data) - at))
    verdict = conform(package, "chromium-hls", renditions=["video-180p"], tests=["play"], source=False)
    (result,) = verdict.results
    assert result.state == "failed"
    assert verdict.exit_code == 1
    assert {Path(name).name for name in result.evidence} == {"play-last.png", "play.log"}
    page = write_report(verdict, tmp_path / "evidence", title="broken").read_text()
    assert "Do not publish" in page
    assert all((tmp_path / "evidence" / name).is_file() for name in re.findall(r'src="([^"]+)"', page))


def test_a_missing_browser_is_said_and_is_no_verdict(
    packages: Packages, conform: Conform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMILL_CHROMIUM", "no-such-browser")
    verdict = conform(packages("clear"), "chromium-hls", renditions=["video-90p"], tests=["play"])
    (result,) = verdict.results
    assert (result.state, verdict.publish, verdict.exit_code) == ("skipped", True, 3)
    assert "apt-get install chromium" in result.message


def test_what_the_main_job_writes_plays(short: Path, tmp_path: Path) -> None:
    """From the command line to the verdict: encode, encrypt, and prove that it plays against the source."""
    needs("chromium-hls")
    key = tmp_path / "key"
    key.write_text("11" * 32)
    key.chmod(0o600)
    keys = ["--key-store", tmp_path / "keys", "--key-store-key", key]
    out, cinemill = tmp_path / "out", [sys.executable, "-m", "pipelines.cli.main"]
    encode = [
        "encode",
        short,
        "-o",
        out,
        "--crf",
        "30",
        "--preset",
        "veryfast",
        "--ladder",
        "180p",
        "--drm",
        "cenc",
        "--no-score",
    ]
    done = subprocess.run([*cinemill, *encode, *keys], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    devices = ["--device", "chromium-hls", "--device", "package", "--device", "decoder"]
    conform = ["conformance", out, "-o", tmp_path / "proof", "--source", short, *devices, *keys]
    proof = subprocess.run([*cinemill, *conform], capture_output=True, text=True, timeout=250)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "verdict: publish" in proof.stdout


@pytest.mark.slow
@pytest.mark.parametrize("device", ["chromium-hls", "firefox-hls"])
def test_transport_streams_play(
    device: str, title: Path, broken: Callable[..., Path], conform: Conform, tmp_path: Path
) -> None:
    """To the end, frame by frame, with sound and the package's subtitles."""
    needs(device)
    package, scratch = broken(), tmp_path / "scratch"
    scratch.mkdir()
    videos = [VideoTrack(name=name, path=title / f"{name}.mp4") for name in ("180p", "90p", "av1")]
    audios = [
        AudioTrack(name="audio-en", path=title / "en.mp4", language="eng", default=True),
        AudioTrack(name="audio-de", path=title / "de.mp4", language="deu"),
    ]
    texts = [TextTrack(name=f"text-{tag}", path=title / f"{tag}.vtt", language=tag) for tag in ("en", "de")]
    write_transport(videos, audios, texts, out=package, scratch=scratch, segment_s=Decimal(1))
    verdict = conform(package / "ts", "package", "decoder", "packager", device)
    assert complaints(verdict) == []
    seen = {result.case.test for result in verdict.results if result.case.device == device}
    assert seen == {"play", "frames", "seek", "pictures", "switch", "sound", "subtitles"}
