"""An encoder that breaks at some qualities: real stages, a real encoder, and damage done to what it gives.

The ladder is made without the settings that broke, and says so; where nothing is left the job ends with a clear error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archer.media import probe

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
Breaking = Callable[[Path, list[tuple[float, float, str]]], Path]


@dataclass(frozen=True)
class Bench:
    """A short clip, and a command line whose encoder breaks at qualities from, to, and how."""

    clip: Path
    folder: Path
    breaking: Breaking

    def run(
        self, out: str, *options: str, harm: list[tuple[float, float, str]]
    ) -> subprocess.CompletedProcess[str]:
        wrapper = self.breaking(self.folder / f"ffmpeg-{out}", harm)
        words = ["encode", str(self.clip), "-o", out, "--preset", "ultrafast", "--json", *options]
        environment = {**os.environ, "CINEMILL_FFMPEG": str(wrapper)}
        return subprocess.run(
            [*CINEMILL, *words], capture_output=True, text=True, timeout=280, cwd=self.folder, env=environment
        )


@pytest.fixture(scope="module")
def bench(short: Path, breaking: Breaking, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    from archer.process import ffmpeg

    folder = tmp_path_factory.mktemp("broken")
    ffmpeg(["-i", short, "-frames:v", "8", "-c:v", "libx264", "-crf", "18", "-an", folder / "clip.mp4"])
    return Bench(folder / "clip.mp4", folder, breaking)


def last(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_ladder_is_made_without_the_qualities_that_broke(bench: Bench) -> None:
    """The poorer one of the first guesses and the finest values break; the title gets the best that is left."""
    harm = [(0, 15, "bytes"), (33, 33, "frame")]
    done = bench.run("package", "--ladder", "180p", "--target-vmaf", "99.5", "--no-proxies", harm=harm)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((bench.folder / "package/manifest.json").read_bytes())
    rung, made = manifest["decision"]["rungs"][0], manifest["renditions"][0]
    assert 15 < float(rung["crfs"][0]) < 21
    assert made["frames"] == probe(str(bench.clip)).frame_count == 8
    assert made["vmaf_mean"] == pytest.approx(rung["planned"]["vmaf_mean"], abs=1.5)
    assert made["bitrate_kbps"] == pytest.approx(rung["planned"]["kbps"], rel=0.05)
    told = "\n".join(manifest["notices"])
    assert "x264 broke at 320x180 with quality 33 (8 frames went into the encoder, 7 came out)" in told
    assert "no quality between 32 and 34 is used" in told
    assert "cannot be decoded" in told
    assert "is the best that is used" in told
    page = (bench.folder / "package/report.html").read_text(encoding="utf-8")
    assert all(notice in page for notice in manifest["notices"] if "broke" in notice)


def test_where_all_qualities_break_the_error_says_what_was_tried(bench: Bench) -> None:
    done = bench.run("nothing", "--ladder", "180p,90p", "--plan", harm=[(0, 51, "end")])
    assert done.returncode == 1
    assert (
        "x264 gave no usable stream to choose a quality by: 320x180 at 21: it cannot be read" in done.stderr
    )
    assert "160x90 at 21: it cannot be read: " in done.stderr
    assert "; and 1 more; use another --codec or --preset" in done.stderr
    assert not (bench.folder / "nothing").exists()


@pytest.mark.slow
def test_a_single_file_is_searched_for_without_them(bench: Bench) -> None:
    done = bench.run("one.mkv", "--target-vmaf", "90", harm=[(27, 27, "end")])
    assert done.returncode == 0, done.stderr
    result = last(done)
    assert any("x264 broke at 320x180 with quality 27" in notice for notice in result["notices"])
    assert result["renditions"][0]["vmaf_mean"] == pytest.approx(90, abs=1.5)


@pytest.mark.slow
def test_a_search_that_finds_nothing_says_so_and_leaves_nothing(bench: Bench) -> None:
    done = bench.run("none.mkv", harm=[(0, 51, "bytes")])
    assert done.returncode == 1
    assert "x264 gave no usable stream to choose a quality by: 320x180 at 21: frame" in done.stderr
    assert not (bench.folder / "none.mkv").exists()
