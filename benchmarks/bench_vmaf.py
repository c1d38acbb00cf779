"""VMAF of 1080p: our scorer against ffmpeg's libvmaf (and a `vmaf` command, where one is on PATH), frame by frame equal.

`raw`: planes in memory against raw files, one thread: the metric alone. `floats`: SSIM, MS-SSIM and what float models are
made of in the same way, of 24 frames. `files`: two H.264 files end to end. The pictures are the demo clip, enlarged, against
its own encode; a run has 504 frames. CINEMILL_BENCH_FRAMES makes it shorter.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archer.process import ffmpeg_path, tool_version
from cinemill_native import Plane, exec_path
from vmaf import NativeScorer, model_named, regression_of, score
from vmaf.stream import ScoreStream

WIDTH, HEIGHT, STORED = 1920, 1080, 24
MODELS = {
    "v0.6.1": {"vmaf": "vmaf_v0.6.1"},
    "v0.6.1+neg": {"vmaf": "vmaf_v0.6.1", "neg": "vmaf_v0.6.1neg"},
    "v1": {"vmaf": "vmaf_v1.0.16_3d0h"},
}
FLOATS = {
    "ssim": ("float_ssim", "float_ssim"),
    "ms_ssim": ("float_ms_ssim", "float_ms_ssim"),
    "vif_float": ("float_vif", "vif_scale0"),
    "adm_float": ("float_adm", "adm2"),
    "motion_float": ("float_motion", "motion2"),
}
"""Metric -> (libvmaf's feature, a column of it, which must agree to 2 of the sixth decimal: libvmaf prints so many)."""
Scores = dict[str, list[str]]
"""Column -> scores with the 6 decimals that libvmaf prints."""


def ffmpeg(*arguments: str | Path) -> None:
    quiet: list[str | Path] = [exec_path(), "--", ffmpeg_path(), "-y", "-nostdin", "-v", "error"]
    subprocess.run([*quiet, *arguments], check=True)


@pytest.fixture(scope="session")
def stored(request: pytest.FixtureRequest) -> int:
    """Frames of the files; a smoke test takes few."""
    return 4 if request.config.getoption("benchmark_disable") else STORED


@pytest.fixture(scope="session")
def pair(clip: Path, stored: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A reference and its encode at 1080p, as H.264 and as raw pictures of 8 and 10 bits."""
    folder = tmp_path_factory.mktemp("vmaf")
    ref, dist = folder / "ref.mp4", folder / "dist.mp4"
    x264 = ("-frames:v", str(stored), "-c:v", "libx264", "-preset", "veryfast", "-bf", "0")
    ffmpeg("-i", clip, "-vf", f"scale={WIDTH}:{HEIGHT}", *x264, "-crf", "10", "-an", ref)
    ffmpeg("-i", ref, *x264, "-crf", "34", dist)
    found = {"ref": ref, "dist": dist}
    for side, path in (("ref", ref), ("dist", dist)):
        for depth, pixels in ((8, "yuv420p"), (10, "yuv420p10le")):
            found[f"{side}{depth}"] = folder / f"{side}{depth}.yuv"
            ffmpeg("-i", path, "-pix_fmt", pixels, "-f", "rawvideo", found[f"{side}{depth}"])
    return found


@pytest.fixture
def frames(request: pytest.FixtureRequest) -> int:
    """How many to score; a smoke test takes few."""
    smoke = request.config.getoption("benchmark_disable")
    return 4 if smoke else int(os.environ.get("CINEMILL_BENCH_FRAMES", "504"))


def pictures(path: Path, depth: int, frames: int) -> Iterator[list[Plane]]:
    """Pictures in memory, over and over."""
    size = WIDTH * HEIGHT * 3 // 2
    samples = np.fromfile(path, np.uint8 if depth == 8 else np.uint16).reshape(-1, size)
    made = [[Plane(plane, depth) for plane in planes_of(picture)] for picture in samples]
    for index in range(frames):
        yield made[index % len(made)]


def planes_of(picture: Any) -> list[Any]:
    """Luma and chroma of a 4:2:0 picture."""
    luma, u, v = np.split(picture, [WIDTH * HEIGHT, WIDTH * HEIGHT * 5 // 4])
    return [luma.reshape(HEIGHT, WIDTH), *(plane.reshape(HEIGHT // 2, WIDTH // 2) for plane in (u, v))]


def ours_raw(pair: dict[str, Path], depth: int, frames: int, models: str, threads: int) -> Scores:
    regressions = {column: regression_of(model_named(name)) for column, name in MODELS[models].items()}
    rows = []
    with ScoreStream(regressions, threads=threads, metrics=()) as stream:
        for ref, dist in zip(
            pictures(pair[f"ref{depth}"], depth, frames),
            pictures(pair[f"dist{depth}"], depth, frames),
            strict=True,
        ):
            stream.push(lambda ref=ref, dist=dist: (ref, dist))
            rows += stream.rows()
        rows += stream.finish()
    return {column: [f"{row.values[column]:.6f}" for row in rows] for column in regressions}


def logged(log: Path, models: str) -> Scores:
    rows = [row["metrics"] for row in json.loads(log.read_text())["frames"]]
    return {column: [f"{row[column]:.6f}" for row in rows] for column in MODELS[models]}


def by_ffmpeg(inputs: list[str | Path], log: Path, models: str, frames: int, threads: int) -> Scores:
    chosen = "|".join(f"version={name}\\:name={column}" for column, name in MODELS[models].items())
    run_filter(inputs, log, f"model='{chosen}'", frames, threads)
    return logged(log, models)


def run_filter(inputs: list[str | Path], log: Path, wanted: str, frames: int, threads: int) -> None:
    cut = f"trim=end_frame={frames}"
    graph = (
        f"[0:v]{cut}[d];[1:v]{cut}[r];[d][r]libvmaf={wanted}:n_threads={threads}:log_fmt=json:log_path={log}"
    )
    ffmpeg(
        *inputs, "-filter_complex_threads", "1", "-lavfi", graph, "-frames:v", str(frames), "-f", "null", "-"
    )


def raw_inputs(pair: dict[str, Path], depth: int) -> list[str | Path]:
    pixels = "yuv420p" if depth == 8 else "yuv420p10le"
    side = ["-stream_loop", "-1", "-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{WIDTH}x{HEIGHT}", "-i"]
    return [*side, pair[f"dist{depth}"], *side, pair[f"ref{depth}"]]


def by_command(pair: dict[str, Path], depth: int, log: Path, models: str) -> Scores:
    argv: list[str | Path] = ["vmaf", "-r", pair[f"ref{depth}"], "-d", pair[f"dist{depth}"], "-w", str(WIDTH)]
    argv += ["-h", str(HEIGHT), "-p", "420", "-b", str(depth), "-q", "--json", "-o", log, "--threads", "0"]
    for column, name in MODELS[models].items():
        argv += ["-m", f"version={name}:name={column}"]
    subprocess.run(argv, check=True)
    return logged(log, models)


@pytest.mark.parametrize("threads", [1, 2], ids=["1thread", "2threads"])
@pytest.mark.parametrize("depth", [8, 10], ids=["8bit", "10bit"])
@pytest.mark.parametrize("models", MODELS)
def bench_vmaf_raw(
    race: Any, pair: dict[str, Path], tmp_path: Path, frames: int, models: str, depth: int, threads: int
) -> None:
    peers: dict[str, Callable[[], Scores]] = {
        f"libvmaf of {tool_version(ffmpeg_path())}": lambda: by_ffmpeg(
            raw_inputs(pair, depth), tmp_path / "log.json", models, frames, threads
        )
    }
    if shutil.which("vmaf") and threads == 1 and frames <= STORED:
        peers["vmaf command"] = lambda: {
            column: scores[:frames]
            for column, scores in by_command(pair, depth, tmp_path / "v.json", models).items()
        }
    race(lambda: ours_raw(pair, depth, frames, models, threads), peers, rounds=3, per=frames, unit="frame")


def floats_ours(pair: dict[str, Path], frames: int, metric: str) -> Any:
    _, column = FLOATS[metric]
    sides = (pictures(pair[f"{side}8"], 8, frames) for side in ("ref", "dist"))
    with ScoreStream({}, metrics=(metric,)) as stream:
        rows = []
        for ref, dist in zip(*sides, strict=True):
            stream.push(lambda ref=ref, dist=dist: (ref, dist))
            rows += stream.rows()
        rows += stream.finish()
    return pytest.approx([row.values[column] for row in rows], abs=2e-6)


def floats_of_libvmaf(pair: dict[str, Path], log: Path, frames: int, metric: str) -> list[float]:
    feature, column = FLOATS[metric]
    run_filter(raw_inputs(pair, 8), log, f"model=:feature=name={feature}", frames, 1)
    return [row["metrics"][column] for row in json.loads(log.read_text())["frames"]]


@pytest.mark.parametrize("metric", FLOATS)
def bench_vmaf_floats(race: Any, pair: dict[str, Path], stored: int, tmp_path: Path, metric: str) -> None:
    race(
        lambda: floats_ours(pair, stored, metric),
        {
            f"libvmaf of {tool_version(ffmpeg_path())}": lambda: floats_of_libvmaf(
                pair, tmp_path / "log.json", stored, metric
            )
        },
        rounds=3,
        per=stored,
        unit="frame",
    )


def ours_files(pair: dict[str, Path]) -> Scores:
    scores = score(str(pair["ref"]), str(pair["dist"]), scorer=NativeScorer())
    return {"vmaf": [f"{value:.6f}" for value in scores.columns["vmaf"]]}


def bench_vmaf_files(race: Any, pair: dict[str, Path], stored: int, tmp_path: Path) -> None:
    one: list[str | Path] = ["-threads", "1", "-i"]
    inputs = [*one, pair["dist"], *one, pair["ref"]]
    race(
        lambda: ours_files(pair),
        {
            f"libvmaf of {tool_version(ffmpeg_path())}": lambda: by_ffmpeg(
                inputs, tmp_path / "log.json", "v0.6.1", stored, 1
            )
        },
        rounds=5,
        per=stored,
        unit="frame",
    )
