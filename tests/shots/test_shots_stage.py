"""The job finds the shots of a real title, in any chunks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archer import run
from archer.media import identify
from archer.store import ArtifactStore
from pipelines.shots.job import shots_job
from pipelines.shots.stage import ShotsParams

Cinemill = Callable[..., subprocess.CompletedProcess[str]]


def test_the_stage_finds_the_same_shots_in_any_chunks(clips: Path, tmp_path: Path) -> None:
    """Through the engine: many small tasks, and one."""
    asset = identify(str(clips / "chrome_stopmotion_270p30.mp4"))
    found = []
    for place, length in enumerate((90, 5000)):
        work = tmp_path / str(place)
        result = run(shots_job(asset, ShotsParams(chunk_frames=length)), work_dir=work, workers=1)
        result.raise_for_state()
        found.append(ArtifactStore(work).read_json(result.outputs["shots.shots"]))
    assert found[0] == found[1]
    assert found[0]["frames"] == found[0]["shots"][-1]["end"] == 899
    assert {223, 280, 316, 394, 484, 635} <= {shot["start"] for shot in found[0]["shots"]}


def test_shots_can_be_taken_from_a_file_and_drawn(bbb: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    scenes = '{"frames": 132, "scenes": [{"start_frame": 0, "end_frame": 50}, {"start_frame": 50, "end_frame": 132}]}'
    (tmp_path / "scenes.json").write_text(scenes)
    options = ["--from", "scenes.json", "-o", "out.edl", "--pictures", "pictures", "--quiet"]
    done = cinemill("shots", bbb, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "00:00:02:00 00:00:05:07" in (tmp_path / "out.edl").read_text()
    assert (tmp_path / "pictures" / "timeline.png").stat().st_size > 1000


@pytest.mark.parametrize(
    "options", [["-o", "x.xml"], ["--shortest", "soon"], ["--longest", "-1"], ["--from", "missing.csv"]]
)
def test_bad_options_are_refused_in_one_line(
    bbb: Path, cinemill: Cinemill, tmp_path: Path, options: list[str]
) -> None:
    done = cinemill("shots", bbb, *options, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "wanted" in done.stderr or "does not exist" in done.stderr


def test_the_job_writes_pyscenedetects_csv(clips: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    clip, out = clips / "sintel_scene_480p25.mp4", tmp_path / "scenes.csv"
    done = cinemill("shots", clip, "-o", out, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    starts = [int(line.split(",")[1]) for line in out.read_text().splitlines()[2:]]
    assert [shot["start"] + 1 for shot in found["shots"]] == starts
    assert {77, 122, 320, 458, 546, 612} <= set(starts)
