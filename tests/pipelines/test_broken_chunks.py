"""A final chunk that breaks at its quality value does not end a job: another value is used, and told, on every way."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archer.media import probe

Break = Callable[..., None]
Cinemill = Callable[..., subprocess.CompletedProcess[str]]
LOST = "15 frames went into the encoder, 14 came out"
QUICK = ["--preset", "ultrafast", "--executor", "inline", "--json"]


def told(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], list[str]]:
    """What a command says at its end, and the kinds of events before."""
    assert done.returncode == 0, done.stderr
    *events, last = map(json.loads, done.stdout.splitlines())
    return last, [event["type"] for event in events]


def test_a_chunk_that_breaks_has_another_quality_and_a_second_run_says_so_too(
    short: Path, tmp_path: Path, cinemill: Cinemill, broken_ffmpeg: Break
) -> None:
    """Of two zones one breaks, at the value that the user named for it; the work is kept, and gives the same again."""
    zones, out, work = tmp_path / "zones.txt", tmp_path / "out.mkv", tmp_path / "work"
    zones.write_text("15 30 crf=25\n")
    broken_ffmpeg((25, 25, "frame"))
    words = ["encode", short, "-o", out, "--crf", "30", "--zones", zones, "--no-score", *QUICK]
    words += ["--work-dir", work, "--keep"]
    first, _ = told(cinemill(*words))
    (rung,) = first["renditions"]
    (notice,) = (notice for notice in first["notices"] if "broke" in notice)
    assert notice == (
        f"rung {rung['name']}: the encoder broke in 1 of 2 chunks, coded at another quality instead: that at frame 15 has 24 "
        f"(at 25: {LOST})"
    )
    assert rung["crf"] == "24-30"
    assert rung["broken"] == [{"frame": 15, "crf": "24", "broken": [{"crf": "25", "problem": LOST}]}]
    assert probe(str(out)).frame_count == rung["frames"] == 30
    before = out.read_bytes()
    out.unlink()
    again, events = told(cinemill(*words))
    assert again["notices"] == first["notices"]
    assert "chunk-done" not in events
    assert out.read_bytes() == before


def test_where_nothing_near_it_is_right_the_job_ends_and_names_all(
    short: Path, tmp_path: Path, cinemill: Cinemill, broken_ffmpeg: Break
) -> None:
    broken_ffmpeg((0, 51, "end"))
    done = cinemill("encode", short, "-o", tmp_path / "out.mkv", "--crf", "30", "--no-score", *QUICK)
    assert done.returncode == 1
    assert "chunk at frame 0: x264 gave no right stream at any quality that was tried" in done.stderr
    assert all(f"at {crf}: it cannot be read" in done.stderr for crf in (30, 29, 31, 28, 32, 34))
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.slow
def test_a_package_says_it_everywhere_and_can_be_made_again(
    tiny: Path, tmp_path: Path, cinemill: Cinemill, broken_ffmpeg: Break
) -> None:
    """What no probe showed: the final encode alone breaks, at the value that analysis chose. The plan stays what it was."""
    out, work = tmp_path / "out", ["--work-dir", tmp_path / "work"]
    words = ["encode", tiny, "-o", out, "--ladder", "180p", "--no-proxies", *QUICK, *work]
    plan, _ = told(cinemill(*words, "--plan"))
    crf = float(plan["rungs"][0]["crf"])
    broken_ffmpeg((crf, crf, "final frame"))
    done, _ = told(cinemill(*words))
    manifest = json.loads((out / "manifest.json").read_bytes())
    (decided,), (made,) = manifest["decision"]["rungs"], manifest["renditions"]
    assert decided["crfs"] == [f"{crf:g}"]
    assert float(made["crf"]) == crf - 1
    assert 0 < made["vmaf_mean"] - decided["planned"]["vmaf_mean"] < 3
    (notice,) = (notice for notice in manifest["notices"] if "broke" in notice)
    assert notice in done["notices"]
    assert (
        f"the encoder broke in its only chunk, coded at another quality instead: that at frame 0 has {crf - 1:g}"
        in notice
    )
    assert "12 frames went into the encoder, 11 came out" in notice
    assert "the encoder broke in its only chunk" in (out / "report.html").read_text(encoding="utf-8")
    shutil.rmtree(tmp_path / "work", ignore_errors=True)
    same, _ = told(cinemill("reproduce", out / "manifest.json", "--json"))
    assert same["same"] is True
