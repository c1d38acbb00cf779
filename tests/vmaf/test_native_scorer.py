"""Our scorer gives ffmpeg's libvmaf's scores to its 6 decimals, chunked or whole, in bounded memory."""

from __future__ import annotations

import json
import resource
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer.media import FrameRange
from archer.process import ffmpeg_path
from cinemill_native import Plane, ShapeMismatch, TooSmall
from vmaf import (
    BadModel,
    BadRaw,
    FFmpegScorer,
    FrameCountMismatch,
    FrameScores,
    NativeScorer,
    NoAlignment,
    UnknownModel,
    find_offset,
    model_named,
    raw_pictures,
    score,
    score_planes,
)
from vmaf.logs import write_log
from vmaf.pooling import per_shot, percentile, rolling

FRAMES = 6


def encoded(source: Path, out: Path, *options: str) -> Path:
    argv = [ffmpeg_path(), "-y", "-nostdin", "-v", "error", "-i", str(source), "-frames:v", str(FRAMES)]
    subprocess.run([*argv, "-an", "-threads", "1", *options, str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def files(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A reference of 6 frames, its encodes of several kinds."""
    folder = tmp_path_factory.mktemp("scored")
    ref = encoded(bbb, folder / "ref.mkv", "-vf", "scale=640:360", "-c:v", "ffv1")
    x264, ffv1 = ("-c:v", "libx264", "-crf", "34"), ("-c:v", "ffv1", "-pix_fmt")
    x265 = (
        "-c:v",
        "libx265",
        "-crf",
        "34",
        "-pix_fmt",
        "yuv420p10le",
        "-x265-params",
        "log-level=none:pools=1",
    )
    full = ("-vf", "scale=out_range=full,format=yuvj420p", "-c:v", "ffv1", "-color_range", "pc")
    return {
        "ref": ref,
        "same_size": encoded(ref, folder / "same.mp4", *x264),
        "small": encoded(ref, folder / "small.mp4", "-vf", "scale=426:240", *x264),
        "odd": encoded(ref, folder / "odd.mkv", "-vf", "scale=335:189", *ffv1, "yuv420p"),
        "deep": encoded(ref, folder / "deep.mkv", *x265),
        "full_range": encoded(ref, folder / "full.mkv", *full),
    }


@pytest.mark.parametrize("side", ["same_size", "small", "odd", "deep", "full_range"])
def test_equals_ffmpegs_libvmaf(files: dict[str, Path], side: str) -> None:
    sides = str(files["ref"]), str(files[side])
    part = FrameRange(0, 2)
    ours, theirs = (score(*sides, part=part, scorer=scorer) for scorer in (NativeScorer(), FFmpegScorer()))
    shared = set(ours.columns) & set(theirs.columns)
    assert {"vmaf", "integer_adm2", "integer_motion2", "integer_vif_scale0", "psnr_y"} <= shared
    for name in shared:
        assert ours.columns[name] == pytest.approx(theirs.columns[name], abs=6e-7), name


def test_chunks_with_a_frame_of_context_are_the_whole(files: dict[str, Path]) -> None:
    sides = str(files["ref"]), str(files["same_size"])
    whole = score(*sides, threads=2)
    parts = [
        score(*sides, part=FrameRange(*read)).part(*keep)
        for read, keep in (((0, 4), (0, 3)), ((2, 6), (3, 6)))
    ]
    joined = FrameScores.joined(parts)
    assert joined.frames.tolist() == whole.frames.tolist() == list(range(FRAMES))
    for name, values in whole.columns.items():
        assert joined.columns[name].tolist() == values.tolist(), name


def noise(count: int, *, shape: tuple[int, int] = (48, 64), seed: int = 1) -> list[Any]:
    random = np.random.default_rng(seed)
    picture = np.cumsum(random.normal(0, 2, shape), axis=1) + 128
    return [np.clip(np.roll(picture, 3 * i, axis=1), 0, 255).astype(np.uint8) for i in range(count)]


def test_two_models_in_one_pass_are_two_passes() -> None:
    ref = noise(4)
    dist = [np.clip((picture.astype(int) - 128) * 5 // 4 + 128, 0, 255).astype(np.uint8) for picture in ref]
    both = score_planes(ref, dist, also=["vmaf_v0.6.1neg"], threads=2)
    single = score_planes(ref, dist, model="vmaf_v0.6.1neg")
    assert both.columns["vmaf_v0.6.1neg"].tolist() == single.columns["vmaf"].tolist()
    assert (both.columns["vmaf"] > both.columns["vmaf_v0.6.1neg"]).any()


@pytest.mark.parametrize("step", [2, 3, 5, 7])
@pytest.mark.parametrize("first", [0, 3, 4])
def test_subsampling_leaves_the_rest_as_it_is(step: int, first: int) -> None:
    """Also the motion of those that are scored, though most frames are not even looked at."""
    ref, dist = noise(16), noise(16, seed=2)
    every = score_planes(ref, dist, first=first, metrics=["psnr", "motion"])
    some = score_planes(ref, dist, first=first, subsample=step, metrics=["psnr", "motion"])
    wanted = [frame for frame in every.frames.tolist() if frame % step == 0]
    assert some.frames.tolist() == wanted
    places = [frame - first for frame in wanted]
    for name, column in some.columns.items():
        assert column.tolist() == every.columns[name][places].tolist(), name


def test_identical_pictures_are_near_but_not_at_100() -> None:
    still = noise(1) * 4
    scores = score_planes(still, still)
    assert scores.columns["integer_adm2"].tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert 95 < scores.columns["vmaf"].min() <= 100


def test_what_does_not_fit_is_said() -> None:
    ref = noise(3)
    with pytest.raises(FrameCountMismatch, match="3 frames, the distorted side 2"):
        score_planes(ref, ref[:2])
    with pytest.raises(ShapeMismatch):
        score_planes(ref, noise(3, shape=(48, 66)))
    with pytest.raises(TooSmall, match="at least 17"):
        score_planes(noise(2, shape=(16, 16)), noise(2, shape=(16, 16)))
    with pytest.raises(UnknownModel):
        score_planes(ref, ref, model="vmaf_v9")


def test_a_model_by_path_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"model_dict": {"model_type": "FOREST"}}))
    with pytest.raises(BadModel, match="FOREST"):
        score_planes(noise(1), noise(1), model=str(path))
    assert model_named(str(path)).name == "mine"


def test_raw_files_are_planes(tmp_path: Path) -> None:
    picture = np.arange(64 * 48 * 3 // 2, dtype="<u2") % 1024
    path = tmp_path / "two.yuv"
    path.write_bytes(picture.tobytes() * 2)
    pictures = list(raw_pictures(path, 64, 48, "yuv420p10le"))
    assert [[plane.samples.shape for plane in planes] for planes in pictures] == [
        [(48, 64), (24, 32), (24, 32)]
    ] * 2
    assert pictures[1][0].bit_depth == 10
    assert np.array_equal(pictures[1][0].samples.ravel(), picture[: 64 * 48])
    for size, pixels in (((64, 50), "yuv420p10le"), ((64, 48), "rgb24")):
        with pytest.raises(BadRaw):
            list(raw_pictures(path, *size, pixels))


@pytest.mark.parametrize("offset", [-3, 0, 2])
def test_a_constant_offset_is_found(offset: int) -> None:
    y, x = np.indices((90, 160))
    frames = [
        Plane((128 + 50 * np.sin((x + 5 * i) / 9) + 50 * np.sin(y / 13 + i / 7)).astype(np.uint8))
        for i in range(20)
    ]
    small = [
        Plane(plane.samples.reshape(45, 2, 80, 2).mean(axis=(1, 3)).astype(np.uint8)) for plane in frames
    ]
    assert find_offset(frames[4:14], small[4 - offset : 14 - offset], reach=4).offset == offset
    with pytest.raises(NoAlignment):
        find_offset(frames[:1] * 9, frames[:1] * 9)


@pytest.mark.parametrize("suffix", [".json", ".xml", ".csv", ".parquet"])
def test_logs_keep_every_digit(tmp_path: Path, suffix: str) -> None:
    scores = score_planes(noise(3), noise(3, seed=4))
    path = tmp_path / f"scores{suffix}"
    write_log(scores, path)
    last = scores.columns["vmaf"][-1]
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        assert pq.read_table(path)["vmaf"].to_pylist()[-1] == last
    else:
        assert repr(float(last)) in path.read_text()
    if suffix == ".json":
        log = json.loads(path.read_text())
        assert log["frames"][2]["metrics"]["vmaf"] == last
        assert log["pooled_metrics"]["vmaf"]["min"] == scores.columns["vmaf"].min()


def test_pooling() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert rolling(values, 2).tolist() == [1.5, 2.5, 3.5]
    assert rolling(values, 5).tolist() == []
    assert percentile(values, 50) == 2.5
    shots = per_shot(np.arange(4), values, [0, 3])
    assert [(shot.mean, shot.min) for shot in shots] == [(2.0, 1.0), (4.0, 4.0)]


@pytest.mark.slow
def test_memory_is_flat_over_ten_thousand_frames() -> None:
    ref, dist = noise(8), noise(8, seed=3)
    peaks = []
    for count in (500, 10_000):
        score_planes((ref[i % 8] for i in range(count)), (dist[i % 8] for i in range(count)), threads=2)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks[1] - peaks[0] < 30_000  # KiB: the scores themselves are 10,000 rows of 16 numbers
