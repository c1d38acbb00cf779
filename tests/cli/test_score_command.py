"""`cinemill score` takes raw files, writes every log, and says what is wrong in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


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


def test_raw_files_with_two_models(raw: tuple[Path, Path], tmp_path: Path) -> None:
    for suffix in ("json", "xml", "csv", "html", "parquet"):
        out = tmp_path / f"scores.{suffix}"
        done = run(*raw, "--size", "64x48", "--also", "vmaf_v0.6.1neg", "--json", "-o", out, "--threads", "1")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["frames"] == 3
        assert result["pooled"]["vmaf"]["mean"] >= result["pooled"]["vmaf_v0.6.1neg"]["mean"]
        assert out.stat().st_size > 500
        if suffix == "html":
            assert f"mean {result['pooled']['vmaf']['mean']:.2f}" in out.read_text()


def test_mistakes_are_one_line_and_no_traceback(raw: tuple[Path, Path], tmp_path: Path) -> None:
    cases = {
        ("--size", "64"): "wanted WxH",
        ("--size", "64x50"): "no whole number",
        ("--size", "64x48", "--pix-fmt", "rgb24"): "wanted one of",
        ("--size", "64x48", "--model", "vmaf_v9"): "no such model",
        ("--size", "64x48", "-o", str(tmp_path / "scores.txt")): "wanted a name ending in",
    }
    for arguments, words in cases.items():
        done = run(*raw, *arguments)
        assert done.returncode in (1, 2)
        assert words in done.stderr
        assert "Traceback" not in done.stderr
