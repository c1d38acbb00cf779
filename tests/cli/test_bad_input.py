"""Bad input gives one line that says what, why and what to do, exit code 1 or 2, and nothing that looks finished."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
Cinemill = Callable[..., subprocess.CompletedProcess[str]]
FAST = ["--crf", "40", "--preset", "ultrafast", "--ladder", "180p"]


def run(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, from an unrelated folder."""
    return subprocess.run([*CINEMILL, *map(str, args)], cwd=cwd, capture_output=True, text=True, timeout=240)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 1 or 2, a message with the words, no traceback, the error in one line."""
    assert done.returncode in (1, 2), (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.lower().startswith("error"), done.stderr
    for word in words:
        assert word.lower() in done.stderr.lower(), (word, done.stderr)


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ("awkward/zero_length.mp4", ["zero_length.mp4", "empty"]),
        ("awkward/text_renamed.mp4", ["text_renamed.mp4"]),
        ("awkward/audio_only.m4a", ["audio_only.m4a", "no video"]),
        ("awkward/audio_with_cover_art.m4a", ["no video"]),
        ("awkward/mp4_truncated_60pct_moov_first.mp4", ["truncated"]),
        ("awkward/mp4_truncated_no_moov.mp4", ["mp4_truncated_no_moov.mp4"]),
        ("awkward/interlaced_tff_telecine_mpeg2.ts", ["telecine", "--deinterlace film"]),
    ],
)
def test_media_that_cannot_be_encoded(
    clip: str, words: list[str], clips: Path, cinemill: Cinemill, tmp_path: Path
) -> None:
    done = cinemill("encode", clips / clip, "-o", tmp_path / "out", *FAST, cwd=tmp_path)
    assert_refused(done, *words)
    assert not (tmp_path / "out").exists()


def test_missing_file(tmp_path: Path) -> None:
    done = run("encode", "nowhere.mp4", "-o", tmp_path / "out", cwd=tmp_path)
    assert_refused(done, "nowhere.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stream", ["-", "pipe", "/dev/zero"])
def test_what_can_be_read_only_once(stream: str, cinemill: Cinemill, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = cinemill("encode", stream, "-o", "out", *FAST, cwd=tmp_path)
    assert_refused(done, f"{stream}: is a pipe or a device", "save it to a file")


def test_folder_as_input(cinemill: Cinemill, tmp_path: Path) -> None:
    assert_refused(cinemill("encode", tmp_path, "-o", tmp_path / "out", cwd=tmp_path), "folder")


def test_unreachable_url(tmp_path: Path) -> None:
    done = run("encode", "http://127.0.0.1:9/title.mp4", "-o", tmp_path / "out", cwd=tmp_path)
    assert_refused(done, "http://127.0.0.1:9/title.mp4")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--codec", "x264, x264"], ["x264,x264", "twice"]),
        (["--codec", "divx"], ["divx", "x264", "svtav1"]),
        (["--preset", "warp"], ["warp", "medium"]),
        (["--crf", "99"], ["99", "51"]),
        (["--crf", "23", "--target-vmaf", "93"], ["--crf", "--target-vmaf"]),
        (["--target-vmaf", "130"], ["130", "100"]),
        (["--ladder", "tall"], ["tall"]),
        (["--encoder-params", "keyint=7"], ["keyint"]),
        (["--model", "vmaf_v9"], ["vmaf_v9", "vmaf_v0.6.1"]),
        (["--workers", "0"], ["workers"]),
        (["--dynamic-range", "hdr"], ["x265", "svtav1"]),
        (["--target-size", "1M", "--ladder", "360p,180p@crf30"], ["180p@crf30", "--target-size"]),
        (["--scenes", __file__], ["'.py'", ".csv, .edl, .otio"]),
        (["--captions", "=a.srt"], ["--captions =a.srt", "LANGUAGE=FILE"]),
        (["--encoder-params", "ref=3:"], ["ref=3:", "key=value"]),
        (["--codec", "svtav1", "--crf", "20.5"], ["20.5", "whole numbers"]),
        (["--bit-depth", "10"], ["x264", "--codec x265"]),
        (["--bit-depth", "8", "--codec", "x265", "--dynamic-range", "hdr"], ["HDR needs 10 bits"]),
        (["--grain", "8"], ["svtav1", "aom"]),
        (["--crop", "1:2"], ["W:H:X:Y"]),
        (["--crop", "64:64:1240:0"], ["1280x720"]),
        (["--fps", "0"], ["1 to 480"]),
        (["--pad", "wide"], ["16:9"]),
        (["--qc-profile", sys.executable], ["quality profile", "cannot be read"]),
        (["-o", "out.avi"], ["out.avi", "NAME.mkv", "out.avi/"]),
        (["-o", "title.M3U8"], ["title.M3U8", "package"]),
        (["-o", "http://127.0.0.1:9/out"], ["http://127.0.0.1:9/out", "read-only"]),
        (["-o", "nothing://host/out"], ["nothing://host/out", "not known"]),
        (["--crf", "nan"], ["nan", "valid number"]),
        (["--gop-s", "nan"], ["nan", "valid number"]),
        (["--shot-floor", "95", "--shot-ceiling", "80"], ["--shot-floor 95", "--shot-ceiling 80"]),
        (["--ladder", "auto", "--min-bitrate", "5M", "--max-bitrate", "1M"], ["--min-bitrate 5000", "1000"]),
        (["--target-vmaf", "nan"], ["nan", "valid number"]),
        (["--max-bitrate", "5M"], ["--max-bitrate 5000", "--ladder auto"]),
        (["--crf", "30", "--shot-floor", "80"], ["--shot-floor 80", "leave out --crf"]),
        (["-o", "one.mkv", "--audio-codec", "opus"], ["--audio-codec opus", "keeps the source's audio"]),
        (["-o", "one.mkv", "--pool", "harmonic"], ["--pool harmonic", "--mode dynamic"]),
        (["--target-vmaf", "0"], ["0<x<=100"]),
        (["--ladder", "0p"], ["'0p'"]),
        (["--ladder", "180p@crf99"], ["180p@crf99", "1 to 51"]),
        (["--ladder", "180p@vmaf130"], ["130", "100"]),
        (["--crf", "40", "--ladder", "360p,180p@vmaf80"], ["180p@vmaf80", "contradicts --crf 40"]),
    ],
)
def test_settings_that_do_not_fit(
    options: list[str], words: list[str], bbb: Path, cinemill: Cinemill, tmp_path: Path
) -> None:
    done = cinemill("encode", bbb, "-o", tmp_path / "out", *options, cwd=tmp_path)
    assert_refused(done, *words)
    assert list(tmp_path.iterdir()) == []


def test_output_that_is_not_ours_is_kept(bbb: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert_refused(run("encode", bbb, "-o", out, *FAST, cwd=tmp_path), "--force")
    assert (out / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_was_removed_while_one_is_in_it(
    bbb: Path, cinemill: Cinemill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert_refused(cinemill("encode", bbb, "-o", "out", *FAST), "the folder that you are in was removed")


def test_output_in_a_missing_folder(bbb: Path, cinemill: Cinemill, tmp_path: Path) -> None:
    assert_refused(
        cinemill("encode", bbb, "-o", tmp_path / "no" / "out", *FAST, cwd=tmp_path), "does not exist"
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 600 kB; needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield disk  # type: ignore[misc]
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_full_disk(bbb: Path, small_disk: Path, tmp_path: Path) -> None:
    done = run("encode", bbb, "-o", small_disk / "out", "--crf", "10", "--preset", "ultrafast", cwd=tmp_path)
    assert_refused(done, "space")
    assert not (small_disk / "out").exists()


def test_damage_in_the_middle_is_not_hidden(clips: Path, tmp_path: Path) -> None:
    """A transport stream with 2 % of its packets hit must fail or warn, never finish silently."""
    hit = tmp_path / "start.ts"  # a tenth of it
    hit.write_bytes((clips / "awkward/ts_corrupt_packets.ts").read_bytes()[: 188 * 400])
    done = run("encode", hit, "-o", tmp_path / "out", *FAST, "--no-score", cwd=tmp_path)
    if done.returncode == 0:
        assert "note:" in done.stdout
        assert "damage" in done.stdout.lower() or "missing" in done.stdout.lower()
    else:
        assert_refused(done)
        assert not (tmp_path / "out").exists()
