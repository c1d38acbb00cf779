"""Metrics that ffmpeg measures come through the same interface, beside ours, of the same frames."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archer.media import FrameRange
from archer.process import ffmpeg_path
from vmaf import ONLY_BY_FFMPEG, FFmpegScorer, UnknownMetric, score


@pytest.fixture(scope="module")
def sides(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Four frames, and the same with noise."""
    folder = tmp_path_factory.mktemp("ffmpeg")
    for name, noise in (("ref", ""), ("dist", ",noise=alls=12:all_seed=3")):
        argv = [ffmpeg_path(), "-y", "-nostdin", "-v", "error", "-i", str(bbb), "-frames:v", "4", "-an"]
        video = ["-vf", f"scale=320:192,format=yuv420p{noise}", "-c:v", "ffv1"]
        subprocess.run([*argv, *video, str(folder / f"{name}.mkv")], check=True)
    return str(folder / "ref.mkv"), str(folder / "dist.mkv")


@pytest.mark.slow
def test_all_of_them_beside_ours(sides: tuple[str, str]) -> None:
    part = FrameRange(1, 3)
    found = score(*sides, part=part, by_ffmpeg=ONLY_BY_FFMPEG)
    ours = score(*sides, part=part)
    assert found.frames.tolist() == [1, 2]
    for name, values in ours.columns.items():
        assert found.columns[name].tolist() == values.tolist(), name
    for name in (
        "ciede2000",
        "psnr_hvs",
        "psnr_hvs_y",
        "xpsnr_y",
        "xpsnr_cb",
    ):
        assert len(found.columns[name]) == 2, name
    assert 20 < found.columns["xpsnr_y"].min() < found.columns["xpsnr_y"].max() < 60
    assert "libvmaf of ffmpeg" in found.scorer


def test_the_same_features_of_floats_as_ours(sides: tuple[str, str]) -> None:
    from vmaf import NativeScorer

    metrics = ("ssim", "ms_ssim", "psnr", "vif_float", "adm_float", "motion_float")
    part = FrameRange(0, 2)
    theirs, ours = (
        score(*sides, part=part, scorer=kind(metrics=metrics)) for kind in (FFmpegScorer, NativeScorer)
    )
    scales = [f"{name}_scale{scale}" for name in ("vif", "adm") for scale in range(4)]
    for name in ("float_ssim", "float_ms_ssim", "psnr_y", "adm2", "motion2", *scales):
        assert ours.columns[name] == pytest.approx(theirs.columns[name], abs=2e-6), name


def test_equal_sides_are_at_the_top(sides: tuple[str, str]) -> None:
    found = score(sides[0], sides[0], part=FrameRange(0, 1), by_ffmpeg=("xpsnr",))
    assert [found.columns[f"xpsnr_{plane}"][0] for plane in ("y", "cb", "cr")] == [100.0] * 3


def test_what_ffmpeg_does_not_know_is_said() -> None:
    with pytest.raises(UnknownMetric, match="--metric beauty"):
        FFmpegScorer(["beauty"])
