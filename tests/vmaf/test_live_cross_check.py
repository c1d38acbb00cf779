"""Raw pictures of many sizes get the scores of ffmpeg's libvmaf, v0 and v1, 8 and 10 bits, to the 6 decimals that it prints.

Its libvmaf (86da14d) is older than the one we follow (f85a853) and mirrors the edges of the coarsest wavelet scale otherwise
at some sizes, as at 322x334; sizes where both agree are taken here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from archer.process import ffmpeg_path
from vmaf import raw_pictures, score_planes

MODELS = ("vmaf_v0.6.1", "vmaf_v0.6.1neg", "vmaf_v1.0.16_3d0h", "vmaf_v1.0.16_hfr_5d0h")
FRAMES = 2
SIZES = [
    (640, 360),
    pytest.param((641, 359), marks=pytest.mark.slow),
    pytest.param((480, 270), marks=pytest.mark.slow),
    pytest.param((1280, 720), marks=pytest.mark.slow),
    pytest.param((1919, 1079), marks=pytest.mark.slow),
    pytest.param((1920, 1080), marks=pytest.mark.slow),
    pytest.param((3840, 2160), marks=pytest.mark.slow),
]


def made(clip: Path, folder: Path, size: tuple[int, int], pixels: str) -> tuple[Path, Path]:
    """Frames of a real clip, and the same through a coarse encoder, as raw files."""
    scale = f"scale={size[0]}:{size[1]}:flags=bicubic,format={pixels}"
    head = [ffmpeg_path(), "-y", "-nostdin", "-v", "error", "-threads", "1"]
    raw = ["-frames:v", str(FRAMES), "-an", "-f", "rawvideo"]
    ref, dist = folder / "ref.yuv", folder / "dist.yuv"
    subprocess.run([*head, "-ss", "2", "-i", str(clip), "-vf", scale, *raw, str(ref)], check=True)
    coarse = f"scale={size[0] // 4 * 2}:{size[1] // 4 * 2},noise=alls=6:all_seed=1,{scale}"
    subprocess.run([*head, "-ss", "2", "-i", str(clip), "-vf", coarse, *raw, str(dist)], check=True)
    return ref, dist


def by_ffmpeg(ref: Path, dist: Path, size: tuple[int, int], pixels: str, log: Path) -> list[dict[str, float]]:
    raw = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{size[0]}x{size[1]}", "-i"]
    models = "|".join(f"version={name}\\:name={name.replace('.', '_')}" for name in MODELS)
    graph = f"[0:v][1:v]libvmaf=model='{models}':feature='name=psnr':log_fmt=json:log_path={log}"
    argv = [ffmpeg_path(), "-nostdin", "-v", "error", *raw, str(dist), *raw, str(ref), "-lavfi", graph]
    subprocess.run([*argv, "-f", "null", "-"], check=True)
    return [row["metrics"] for row in json.loads(log.read_text())["frames"]]


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_equals_ffmpegs_libvmaf(bbb: Path, tmp_path: Path, size: tuple[int, int], pixels: str) -> None:
    ref, dist = made(bbb, tmp_path, size, pixels)
    theirs = by_ffmpeg(ref, dist, size, pixels, tmp_path / "log.json")
    sides = (raw_pictures(path, *size, pixels) for path in (ref, dist))
    ours = score_planes(*sides, model=MODELS[0], also=MODELS, metrics=("psnr", "adm"))
    assert len(theirs) == len(ours) == FRAMES
    for frame, row in enumerate(theirs):
        known = {name: value for name, value in row.items() if name in ours.columns}
        known |= {name: row[name.replace(".", "_")] for name in MODELS}
        assert len(known) >= 40
        assert {name: ours.columns[name][frame] for name in known} == pytest.approx(known, abs=6e-7)
