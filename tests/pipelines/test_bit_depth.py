"""Renditions have the bits per sample of their source, or those that are asked for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archer.media import probe
from archer.media.layout import layout_named
from encoder import EncodeSettings
from pipelines.encode.request import EncodeRequest
from pipelines.encode.sample import deep


@pytest.mark.parametrize(
    ("codec", "stored", "asked", "ten"),
    [
        ("x265", "yuv420p", "", False),
        ("x265", "yuv420p", "10", True),
        ("svtav1", "yuv422p10le", "", True),
        ("svtav1", "yuv422p10le", "8", False),
        ("x264", "yuv422p10le", "", False),
    ],
)
def test_depth_by_source_and_by_wish(codec: str, stored: str, asked: str, ten: bool, short: Path) -> None:
    info = probe(str(short))
    info = replace(info, video=replace(info.video, format=layout_named(stored)))
    assert deep(EncodeSettings(codec=codec, depth=asked), info).ten_bit is ten


def test_eight_bits_are_tone_mapped() -> None:
    assert EncodeRequest(codec="x265").ranges == ("hdr",)
    assert EncodeRequest(codec="x265", bit_depth="8").ranges == ("sdr",)


def test_ten_bits_of_a_source_of_eight(
    cinemill: Callable[..., subprocess.CompletedProcess[str]], tiny: Path, tmp_path: Path
) -> None:
    fast = ["--codec", "x265", "--preset", "ultrafast", "--crf", "30", "--ladder", "180p", "--no-proxies"]
    done = cinemill("encode", tiny, "-o", tmp_path / "out", *fast, "--bit-depth", "10")
    assert done.returncode == 0, done.stderr
    found = probe(str(tmp_path / "out/renditions/180p.mp4"))
    assert found.video.format.name == "yuv420p10le"
    manifest = json.loads((tmp_path / "out/manifest.json").read_bytes())
    assert manifest["renditions"][0]["vmaf_mean"] > 20
    assert "--bit-depth 10" in manifest["command"]
    assert "yuv420p converted to yuv420p10le" in done.stdout
