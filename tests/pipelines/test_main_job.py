"""The main job on real clips: what comes out is the source, frame by frame, in sync, and all of it is there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from archer.process import ffmpeg
from pipelines.encode.cost import read_cost

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
QUICK = ["--crf", "24", "--preset", "veryfast"]
UNSCORED = ["--no-score", "--executor", "inline"]
"""For tests of the pictures alone, in this process."""
Cinemill = Callable[..., subprocess.CompletedProcess[str]]
Encode = Callable[..., Path]


@pytest.fixture(scope="module")
def encoded(cinemill: Cinemill, tmp_path_factory: pytest.TempPathFactory) -> Encode:
    """Encode a clip with options, once per module; as a process, unless it is to run inline."""
    done: dict[tuple[str, ...], Path] = {}

    def encode(clip: Path, *options: str, name: str = "out") -> Path:
        key = (str(clip), name, *options)
        if key not in done:
            out = tmp_path_factory.mktemp("encode") / name
            words = ["encode", clip, "-o", out, *options]
            if "inline" in options:
                run = cinemill(*words)
            else:
                run = subprocess.run([*CINEMILL, *words], capture_output=True, text=True, timeout=280)
            assert run.returncode == 0, run.stderr
            done[key] = out
        return done[key]

    return encode


def luma(path: Path, size: tuple[int, int] | None = None) -> tuple[list[float], list[np.ndarray]]:
    """Presentation times in seconds from the first frame, and luma planes scaled to `size`."""
    times, planes = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            small = frame.reformat(*(size or (frame.width, frame.height)), format="gray")
            times.append(float(frame.time or 0))
            planes.append(small.to_ndarray().astype(np.float64))
    return [time - times[0] for time in times], planes


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = float(np.mean((one - other) ** 2))
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def assert_frame_by_frame(source: Path, rendition: Path, size: tuple[int, int], tick_s: float = 1e-3) -> None:
    """Same count and times; each frame is nearer to its own source frame than to that one's moving neighbours."""
    times, wanted = luma(source, size)
    got_times, got = luma(rendition, size)
    assert len(got) == len(wanted)
    np.testing.assert_allclose(got_times, times, atol=tick_s)
    for index, frame in enumerate(got):
        own = psnr(frame, wanted[index])
        assert own > 24, (index, own)
        for other in (index - 1, index + 1):
            if 0 <= other < len(wanted) and psnr(wanted[index], wanted[other]) < 30:
                assert own > psnr(frame, wanted[other]), (index, other)


def test_a_package_has_everything_and_its_hashes(encoded: Encode, brief: Path) -> None:
    out = encoded(brief, *QUICK, "--ladder", "360p,180p")
    manifest = json.loads((out / "manifest.json").read_bytes())
    for name in ("master.m3u8", "manifest.mpd", "report.html", "features.parquet"):
        assert name in manifest["files"]
    on_disk = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    on_disk -= {"manifest.json", "run.json", "cost.js"}  # about the files, and what no two runs have the same
    assert on_disk == set(manifest["files"])
    for name, entry in manifest["files"].items():
        content = (out / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        assert len(content) == entry["bytes"]
    assert manifest["settings"]["model"] == "vmaf_v0.6.1"
    assert manifest["files"]["renditions/360p.mp4"]["frames"] == 60
    assert str(brief.parent) not in (out / "manifest.json").read_text()
    costs = {node["node"]: node["cpu_s"] for node in read_cost(out)["nodes"]}
    assert 0 < costs["proxies"] < costs["score"]


def test_the_proxy_is_the_source_frame_by_frame(encoded: Encode, brief: Path) -> None:
    out = encoded(brief, *QUICK, "--ladder", "360p,180p")
    assert_frame_by_frame(brief, out / "proxies" / "source.mp4", (320, 180))


@pytest.mark.parametrize("codec", ["x264", "svtav1"])
def test_every_rung_is_the_source_frame_by_frame(encoded: Encode, brief: Path, codec: str) -> None:
    other = ["--codec", "svtav1", "--crf", "30", "--preset", "10", *UNSCORED]
    out = encoded(brief, *(QUICK if codec == "x264" else other), "--ladder", "360p,180p")
    assert_frame_by_frame(brief, out / "renditions" / "360p.mp4", (320, 180))
    assert_frame_by_frame(brief, out / "renditions" / "180p.mp4", (320, 180))


def test_scores_have_a_row_per_frame_in_libvmafs_layout(encoded: Encode, brief: Path) -> None:
    out = encoded(brief, *QUICK, "--ladder", "360p,180p")
    scores = json.loads((out / "scores" / "360p.json").read_bytes())
    assert [frame["frameNum"] for frame in scores["frames"]] == list(range(60))
    assert 60 < scores["pooled_metrics"]["vmaf"]["mean"] <= 100
    low = json.loads((out / "scores" / "180p.json").read_bytes())
    assert low["pooled_metrics"]["vmaf"]["mean"] < scores["pooled_metrics"]["vmaf"]["mean"]


def test_a_second_run_has_nothing_to_do(encoded: Encode, brief: Path) -> None:
    out = encoded(brief, *QUICK, "--ladder", "360p,180p")
    before = (out / "manifest.json").stat().st_mtime_ns
    again = subprocess.run(
        [*CINEMILL, "encode", brief, "-o", out, *QUICK, "--ladder", "360p,180p"],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert "up to date" in again.stdout
    assert (out / "manifest.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("clip", "rungs", "shown"),
    [
        ("awkward/anamorphic_sar64_45.mp4", "288p", (512, 288)),
        ("awkward/rotated_90.mp4", "180p", (180, 320)),
        pytest.param("awkward/odd_853x479_vp9.webm", "240p", (428, 240), marks=pytest.mark.slow),
        ("awkward/vfr_real_timestamps.mp4", "180p", (320, 180)),
        pytest.param("awkward/editlist_negcts.mov", "180p", (320, 180), marks=pytest.mark.slow),
        ("awkward/one_frame.mp4", "180p", (320, 180)),
        ("awkward/opengop_hevc_starts_at_cra.ts", "180p", (320, 180)),
    ],
)
def test_awkward_sources(clip: str, rungs: str, shown: tuple[int, int], clips: Path, encoded: Encode) -> None:
    out = encoded(clips / clip, *QUICK, *UNSCORED, "--ladder", rungs)
    facts = json.loads((out / "manifest.json").read_bytes())
    rendition = out / "renditions" / f"{rungs}.mp4"
    with av.open(str(rendition)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == shown
        assert video.sample_aspect_ratio in (None, 0, 1)
    expected = {
        entry["file"]: entry for entry in json.loads((clips / "awkward/MANIFEST.json").read_bytes())["files"]
    }
    count = expected[Path(clip).name]["pyav_frames"]
    times, _ = luma(rendition)
    assert len(times) == count == facts["files"][f"renditions/{rungs}.mp4"]["frames"]
    if "rotated" not in clip:
        assert_frame_by_frame(clips / clip, rendition, shown)


def test_no_rung_is_larger_than_the_source(clips: Path, encoded: Encode, tmp_path: Path) -> None:
    source = tmp_path / "start.mp4"  # its first second
    ffmpeg(["-i", clips / "awkward/no_audio.mp4", "-map", "0", "-c", "copy", "-t", "1", source])
    out = encoded(source, *QUICK, *UNSCORED)
    names = sorted(path.stem for path in (out / "renditions").glob("*.mp4"))
    assert "360p" in names
    assert not {"480p", "540p", "720p", "1080p"} & set(names)


def test_one_file_keeps_every_track(clips: Path, encoded: Encode, tmp_path: Path) -> None:
    source = tmp_path / "start.mkv"  # its first seconds
    everything = ["-map", "0", "-c", "copy", "-t", "4"]
    ffmpeg(["-i", clips / "awkward/multitrack_3audio_2subs.mkv", *everything, source])
    wanted, _ = luma(source)
    out = encoded(source, "--crf", "40", "--preset", "ultrafast", *UNSCORED, name="out.mkv")
    with av.open(str(out)) as container, av.open(str(source)) as original:
        assert [s.type for s in container.streams] == [s.type for s in original.streams]
        assert [s.metadata.get("language") for s in container.streams.audio] == ["eng", "deu", "spa"]
    times, _ = luma(out)
    assert len(times) == len(wanted) > 90


def test_output_at_a_url(cinemill: Cinemill, short: Path, tmp_path: Path) -> None:
    fast = ["--crf", "40", "--preset", "ultrafast", "--ladder", "144p", *UNSCORED]
    done = cinemill("encode", short, "-o", f"file://{tmp_path}/there", *fast)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "manifest.json").exists()


def test_without_scores_there_is_everything_but_the_report(
    cinemill: Cinemill, encoded: Encode, tiny: Path
) -> None:
    """Nothing is measured, and it is said everywhere; what is made of scores is refused in a line."""
    fast = ["--crf", "40", "--preset", "ultrafast", "--ladder", "144p", *UNSCORED]
    out = encoded(tiny, *fast)
    manifest = json.loads((out / "manifest.json").read_bytes())
    on_disk = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert on_disk - {"manifest.json", "run.json"} == set(manifest["files"])
    assert {"master.m3u8", "manifest.mpd", "renditions/144p.mp4", "shots.json"} <= on_disk
    assert not [
        name for name in on_disk if name.startswith(("report", "scores", "features", "plots", "proxies"))
    ]
    assert [note for note in manifest["notices"] if "--no-score" in note]
    assert manifest["scorer"] == ""
    assert not [key for row in manifest["renditions"] for key in row if key.startswith("vmaf")]
    assert {"score", "report", "proxies"}.isdisjoint(manifest["stages"])
    rows = pq.read_table(out / "segments.parquet").to_pylist()
    assert {row["vmaf_mean"] for row in rows} == {None}
    again = cinemill("encode", tiny, "-o", out, *fast)
    assert (again.returncode, "up to date" in again.stdout, "VMAF" in again.stdout) == (0, True, False)
    for words, reason in (
        (("compare", out, out), "with scores"),
        (("report", out), "without scores"),
        (("encode", tiny, "-o", f"{out}.mkv", "--report", *fast), "leave out --no-score"),
        (("encode", tiny, "-o", f"{out}2", "--qc", *fast), "--qc-gate"),
    ):
        refused = cinemill(*words)
        assert refused.returncode in (1, 2)
        assert reason in refused.stderr


def test_events_in_json_tell_the_whole_story(tiny: Path, tmp_path: Path) -> None:
    fast = ["--crf", "40", "--preset", "ultrafast", "--ladder", "144p", "--json"]
    done = subprocess.run(
        [*CINEMILL, "encode", tiny, "-o", tmp_path / "out", *fast], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {event["type"] for event in events}
    assert {"job-started", "node-planned", "chunk-done", "node-done", "job-done", "result"} <= kinds
    assert events[-1]["type"] == "result"
    assert events[-1]["renditions"][0]["frames"] == 12
