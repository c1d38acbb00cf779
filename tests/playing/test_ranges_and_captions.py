"""Packages of the main job in real browsers: captions from pictures show as text, and a browser in SDR plays SDR."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest

from archer.process import ffmpeg
from pipelines.conformance.browsers.base import Page
from pipelines.conformance.browsers.chromium import Chromium, find_chromium
from pipelines.conformance.browsers.firefox import Firefox, find_firefox
from pipelines.conformance.devices import devices_named
from pipelines.conformance.run import Order, run_conformance
from pipelines.conformance.server import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
BROWSERS = {"chromium": (Chromium, find_chromium), "firefox": (Firefox, find_firefox)}
PLAYERS = {"hls": ("hls.js", "master.m3u8"), "dash": ("shaka", "manifest.mpd")}
PQ = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited"
OVERFLOWING = """[...document.querySelectorAll('.notices *, .ladder *, .command button')]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((one) => one.textContent)"""


class Captioned(Protocol):
    """A clip with captions in its pictures; made in `tests/conftest.py`."""

    path: Path


def encoded(clip: Path, out: Path, *words: str) -> Path:
    done = subprocess.run(
        [*CINEMILL, "encode", clip, "-o", out, *words, "--no-proxies", "--quiet"],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def talking(captioned: Captioned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of H.264, whose pictures carry captions; they are a track of text, too."""
    out = tmp_path_factory.mktemp("talking") / "out"
    return encoded(captioned.path, out, "--crf", "26", "--preset", "veryfast", "--ladder", "180p@peak900k")


@pytest.fixture(scope="module")
def ranges(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of AV1, which browsers decode in either range, first in HDR and then in SDR."""
    folder = tmp_path_factory.mktemp("ranges")
    picture = ["-vf", f"scale=320:180,format=yuv420p10le,{PQ}", "-c:v", "libx265", "-preset", "ultrafast"]
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
    quiet = ["-x265-params", "log-level=error", "-tag:v", "hvc1"]
    ffmpeg(["-i", short, "-c:a", "copy", *picture, *quiet, *tags, folder / "hdr.mp4"])
    words = ["--codec", "svtav1", "--dynamic-range", "hdr,sdr", "--crf", "35", "--preset", "12"]
    return encoded(folder / "hdr.mp4", folder / "out", *words, "--ladder", "180p,90p")


@contextmanager
def tab(browser: str, url: str) -> Iterator[Page]:
    kind, find = BROWSERS[browser]
    if find() is None:
        pytest.skip(f"needs {browser}: apt-get install it, or set CINEMILL_{browser.upper()}")
    with TemporaryDirectory(prefix="cinemill-test-") as profile:
        started = kind(Path(profile))
        try:
            yield started.open(url)
        finally:
            started.close()


@contextmanager
def playing(browser: str, protocol: str, package: Path) -> Iterator[Page]:
    """A page whose player has loaded the package, and chooses by itself what it plays."""
    player, manifest = PLAYERS[protocol]
    with serving(package, {}) as url, tab(browser, f"{url}/{player}/player.html") as page:
        order: dict[str, Any] = {
            "player": player,
            "url": f"{url}/package/{manifest}",
            "protected": False,
            "codec": "",
        }
        page.evaluate(f"cinema.start({json.dumps(order)})", timeout_s=70)
        yield page


BOTH = [(browser, protocol) for browser in BROWSERS for protocol in PLAYERS]


@pytest.mark.parametrize(("browser", "protocol"), BOTH)
def test_captions_of_the_pictures_show_as_text_at_their_time(
    browser: str, protocol: str, talking: Path
) -> None:
    """From 0.56 s to 0.96 s it says so; before and after, it says nothing."""
    with playing(browser, protocol, talking) as page:
        shown = {
            time: page.evaluate(f"cinema.cues(0, {time})", timeout_s=50) for time in (0.3, 0.5, 0.6, 0.9, 1.1)
        }
        assert [[text.replace("&amp;", "&") for text in found] for found in shown.values()] == [
            [], [], ["Hello & bye"], ["Hello & bye"], []
        ]  # fmt: skip
        assert not page.evaluate("cinema.state().trouble")


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_proof_of_playback_knows_them(browser: str, talking: Path, tmp_path: Path) -> None:
    if BROWSERS[browser][1]() is None:
        pytest.skip(f"needs {browser}: apt-get install it, or set CINEMILL_{browser.upper()}")
    devices = devices_named([f"{browser}-hls", f"{browser}-dash"])
    verdict = run_conformance(Order(package=talking, devices=devices, out=tmp_path, tests=["subtitles"]))
    assert [result.message for result in verdict.results if result.state != "passed"] == []
    assert len(verdict.results) == 2


@pytest.mark.parametrize(("browser", "protocol"), BOTH)
def test_a_browser_in_sdr_plays_the_ladder_in_sdr(browser: str, protocol: str, ranges: Path) -> None:
    """Both ranges are listed; left to itself the player fetches SDR alone, and plays it to the end."""
    with playing(browser, protocol, ranges) as page:
        assert not page.evaluate("matchMedia('(dynamic-range: high)').matches")
        listed = {rung["codecs"].partition(",")[0] for rung in page.evaluate("cinema.rungs()")}
        assert any(".09.16.09" in codec for codec in listed)
        assert any(".01.01.01" in codec for codec in listed)
        page.evaluate("cinema.play(1)")
        assert page.wait_for("video.ended || video.error", 40)
        state = page.evaluate("cinema.state()")
        assert not state["trouble"]
        assert state["shown"] > 0
        assert state["time"] == pytest.approx(1.2, abs=0.05)
        urls = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
        assert fetched(urls)
        assert all(rung.endswith("-sdr") for rung in fetched(urls)), fetched(urls)


def fetched(urls: Sequence[str]) -> set[str]:
    """Renditions of which segments were loaded."""
    return set(re.findall(r"/video-([^/]+)/\d+\.m4s", " ".join(urls)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_notices_and_ladder_of_the_report_stay_on_the_page(
    scheme: str, width: int, talking: Path, ranges: Path
) -> None:
    """Ranges are told for each rung; on a narrow page, tables scroll by themselves."""
    for package, told in ((talking, "H.264 High"), (ranges, "AV1 Main, PQ")):
        with tab("chromium", f"file://{package / 'report.html'}") as page:
            assert hasattr(page, "call")
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            page.call("Emulation.setDeviceMetricsOverride", **size)
            scheme_of = [{"name": "prefers-color-scheme", "value": scheme}]
            page.call("Emulation.setEmulatedMedia", features=scheme_of)
            assert told in page.evaluate("document.querySelector('.ladder').textContent")
            assert page.evaluate(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
            if width > 1000:
                assert page.evaluate(OVERFLOWING) == []
            notices = page.evaluate("document.querySelector('.notices')?.textContent ?? ''")
            assert package is talking or "svtav1 in SDR: HDR10 (PQ) tone-mapped" in notices
            assert not page.complaints()
