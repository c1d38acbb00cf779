"""Chunks of the stage cover a title and begin where a decoder can start; the job finds the shots of a real title."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archer.media import FrameIndex
from pipelines.shots.stage import chunks

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]


def index(count: int, keys: list[int]) -> FrameIndex:
    return FrameIndex(pts=np.arange(count), keys=np.array(keys, np.int64), counted_by="demux")


@pytest.mark.parametrize("keys", [[0], [0, 1, 2], [0, 40, 99, 130, 600], list(range(0, 1000, 12))])
@pytest.mark.parametrize("count", [1, 99, 100, 101, 1000])
def test_chunks_cover_the_title_in_order(count: int, keys: list[int]) -> None:
    found = chunks(index(count, [key for key in keys if key < count]), 100)
    assert [frame for chunk in found for frame in chunk.frames] == list(range(count))
    assert all(len(chunk.frames) <= 200 for chunk in found)
    assert [chunk.index for chunk in found] == list(range(len(found)))


def test_chunks_begin_at_key_frames_where_there_are_some() -> None:
    keys = list(range(0, 1000, 12))
    assert {chunk.frames.start for chunk in chunks(index(1000, keys), 100)} <= set(keys)


def test_the_job_writes_pyscenedetects_csv(clips: Path, tmp_path: Path) -> None:
    clip, out = clips / "sintel_scene_480p25.mp4", tmp_path / "scenes.csv"
    done = subprocess.run(
        [*CINEMILL, "shots", clip, "-o", out, "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    starts = [int(line.split(",")[1]) for line in out.read_text().splitlines()[2:]]
    assert [shot["start"] + 1 for shot in found["shots"]] == starts
    assert {77, 122, 320, 458, 546, 612} <= set(starts)
