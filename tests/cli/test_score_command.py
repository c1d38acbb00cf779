"""`cinemill score` takes raw files, writes every log, and says what is wrong in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archer.process import ffmpeg_path

Cinemill = Callable[..., subprocess.CompletedProcess[str]]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "pipelines.cli.main", "score", *map(str, arguments)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.fixture
def raw(tmp_path: Path) -> tuple[Path, Path]:
    """Three pictures of 64x48 and noisy ones."""
    random = np.random.default_rng(6)
    pictures = np.clip(np.cumsum(random.normal(0, 2, (3, 64 * 48 * 3 // 2)), axis=1) + 128, 0, 255)
    ref, dist = tmp_path / "ref.yuv", tmp_path / "dist.yuv"
    ref.write_bytes(pictures.astype(np.uint8).tobytes())
    dist.write_bytes(
        np.clip(pictures + random.normal(0, 6, pictures.shape), 0, 255).astype(np.uint8).tobytes()
    )
    return ref, dist


def test_raw_files_with_two_models(raw: tuple[Path, Path], cinemill: Cinemill, tmp_path: Path) -> None:
    for suffix in ("json", "xml", "csv", "html", "png", "parquet"):
        out = tmp_path / f"scores.{suffix}"
        words = [*raw, "--size", "64x48", "--also", "vmaf_v0.6.1neg", "--json", "-o", out, "--threads", "1"]
        done = run(*words) if suffix == "json" else cinemill("score", *words)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["frames"] == 3
        assert result["pooled"]["vmaf"]["mean"] >= result["pooled"]["vmaf_v0.6.1neg"]["mean"]
        assert out.stat().st_size > 500
        if suffix == "png":
            assert out.read_bytes().startswith(b"\x89PNG")
        if suffix == "html":
            assert f"mean {result['pooled']['vmaf']['mean']:.2f}" in out.read_text()


def test_maps_of_a_named_frame_and_costs(raw: tuple[Path, Path], cinemill: Cinemill, tmp_path: Path) -> None:
    done = cinemill(
        "score", *raw, "--size", "64x48", "--maps", tmp_path / "maps", "--map-frame", "1", "--json", "--costs"
    )
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert written == [*(f"frame-000001-{name}.png" for name in ("adm", "cambi", "vif")), "index.html"]
    assert "Frame 1: " in (tmp_path / "maps" / "index.html").read_text()
    costs = done.stderr.partition("processor time of the features: ")[2]
    assert all(f"{name} " in costs for name in ("vif", "adm", "motion", "psnr")), done.stderr
    done = cinemill("score", *raw, "--size", "64x48", "--maps", tmp_path / "none", "--map-frame", "3")
    assert (done.returncode, "wanted frames that were scored" in done.stderr) == (2, True)


def test_mistakes_are_one_line_and_no_traceback(
    raw: tuple[Path, Path], cinemill: Cinemill, tmp_path: Path
) -> None:
    cases = {
        ("--size", "64"): "wanted WxH",
        ("--size", "64x50"): "no whole number",
        ("--size", "64x48", "--pix-fmt", "rgb24"): "wanted one of",
        ("--size", "64x48", "--model", "vmaf_v9"): "no such model",
        ("--size", "64x48", "-o", str(tmp_path / "scores.txt")): "wanted a name ending in",
        ("--size", "64x48", "-o", str(tmp_path / "no" / "scores.json")): "does not exist; make it first",
        ("--size", "64x48", "--metric", "beauty"): "no such metric",
        ("--size", "64x48", "--pool", "p101"): "wanted one of mean",
        ("--size", "64x48", "--offset", "some"): "wanted a number of frames, or auto",
        ("--size", "64x48", "--model", "advise"): "need media files",
        (
            "--size",
            "64x48",
            "--scorer",
            "ffmpeg",
            "--also",
            "vmaf_v0.6.1neg",
        ): "gives one model and PSNR only",
    }
    for arguments, words in cases.items():
        done = cinemill("score", *raw, *arguments)
        assert done.returncode in (1, 2)
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_pooling_shots_and_the_worst_run(raw: tuple[Path, Path], cinemill: Cinemill) -> None:
    options = ("--size", "64x48", "--pool", "median", "--pool", "p10", "--shots", "0,2", "--window", "2")
    done = cinemill("score", *raw, *options, "--metric", "cambi", "--json", "--threads", "1")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert {"median", "p10"} <= set(result["pooled"]["vmaf"])
    assert result["pooled"]["vmaf"]["p10"] <= result["pooled"]["vmaf"]["median"]
    assert [shot["start"] for shot in result["shots"]] == [0, 2]
    assert result["worst"]["start"] in (0, 1)
    assert "cambi" in result["pooled"]
    assert "psnr_y" not in result["pooled"]
    table = cinemill("score", *raw, *options, "--also", "vmaf_v0.6.1neg", "--threads", "1").stdout
    assert "worst 2 frames" in table
    assert "shot from" in table
    assert "vmaf_v0.6.1neg - vmaf_v0.6.1:" in table


def test_an_offset_leaves_what_both_have(raw: tuple[Path, Path], cinemill: Cinemill) -> None:
    done = cinemill("score", raw[0], raw[0], "--size", "64x48", "--offset", "1", "--json", "--threads", "1")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["frames"] == 2
    assert result["pooled"]["psnr_y"]["max"] < 60


def test_offset_and_model_are_found(bbb: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    shifted = tmp_path / "shifted.mkv"
    argv = [
        ffmpeg_path(),
        "-y",
        "-nostdin",
        "-v",
        "error",
        "-i",
        str(bbb),
        "-vf",
        "select=gte(n\\,3),scale=320:180",
    ]
    argv += ["-frames:v", "110", "-fps_mode", "passthrough", "-an", "-c:v", "libx264", "-preset", "ultrafast"]
    subprocess.run([*argv, str(shifted)], check=True)
    options = ("--offset", "auto", "--frames", "40:43", "--model", "advise", "--json", "--costs")
    done = cinemill("score", bbb, shifted, *options)
    assert done.returncode == 0, done.stderr
    assert "offset -3" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["model"] == "vmaf_v1.0.16_3d0h"
    assert "v1 is at its best with 10-bit samples" in done.stderr
    assert "processor time of the features: adm" in done.stderr


def test_maps_that_cannot_be_drawn_take_no_scores_along(
    raw: tuple[Path, Path], cinemill: Cinemill, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    refused = cinemill("score", *raw, "--size", "64x48", "--maps", tmp_path / "file" / "maps", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "wanted a folder that can be made" in refused.stderr
    late = cinemill(
        "score", *raw, "--size", "64x48", "--maps", tmp_path / "maps", "--map-frame", "3", "--json"
    )
    assert late.returncode == 2
    assert json.loads(late.stdout.splitlines()[-1])["frames"] == 3
