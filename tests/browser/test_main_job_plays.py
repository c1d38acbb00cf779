"""What `cinemill encode` writes plays in a real browser, as HLS and as DASH: moving, sounding, the right pictures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ENCODE = [sys.executable, "-m", "pipelines.cli.main", "encode"]


@pytest.fixture(scope="module")
def encoded(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of the main job in `package/`."""
    folder = tmp_path_factory.mktemp("main-job")
    settings = ["--crf", "30", "--preset", "veryfast", "--ladder", "360p,180p"]
    done = subprocess.run(
        [*ENCODE, bbb, "-o", folder / "package", *settings], capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("kind", ["hls", "dash"])
def test_the_package_plays(
    kind: str,
    encoded: Path,
    play: Callable[[Path, str], Any],
    picture_number: Callable[[Any, Path, int], int],
    evidence: Callable[[Any], None],
) -> None:
    page = play(encoded, kind)
    try:
        page.wait_for("video.currentTime > 1.5", timeout_s=40)
        assert abs(page.evaluate("video.duration") - 5.28) < 0.05
        assert page.evaluate("video.webkitAudioDecodedByteCount") > 10_000
        assert page.evaluate("heard") > 0.01
        assert page.evaluate("shown.length") > 15
        page.evaluate("pick(360)")
        page.wait_for("video.videoHeight === 360", timeout_s=30)
        rendition = encoded / "package" / "renditions" / "360p.mp4"
        for number in (20, 101):  # where neighbours differ
            assert picture_number(page, rendition, number) == number
        assert page.evaluate("trouble") == []
        assert page.complaints() == []
    except BaseException:
        evidence(page)
        raise
