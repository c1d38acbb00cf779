"""What the main job makes is shown frame-exactly on both sides, whatever the codec of the rung."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.report import load

pytestmark = [pytest.mark.browser, pytest.mark.slow]
QUICK = {
    "x264": ["--crf", "22", "--preset", "veryfast"],
    "svtav1": ["--crf", "30", "--preset", "10"],
    "vp9": ["--crf", "24", "--preset", "5"],
    "x265": ["--crf", "22", "--preset", "ultrafast"],
}


@pytest.mark.parametrize("codec", QUICK)
def test_fifty_seeks_in_the_report_of_a_job(
    numbered_title: Path, opened: Callable[..., Any], tmp_path: Path, codec: str
) -> None:
    out = tmp_path / "out"
    order = ["encode", str(numbered_title), "-o", str(out), "--codec", codec, "--ladder", "180p"]
    run = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *order, *QUICK[codec]], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert (out / "proxies" / "180p.mp4").exists() == (codec == "x265")
    assert load(out).cost["cpu_s"] > 0
    tab = opened(out / "report.html")
    tab.open(0, 1)
    for frame in [0, 143, 142, 1, 0, *random.Random(5).choices(range(144), k=45)]:
        assert tab.go_to(frame) == [frame, frame]
        assert tab.drawn() == [frame, frame]
