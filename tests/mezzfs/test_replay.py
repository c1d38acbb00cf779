"""A log holds what happened, survives being cut off, and done again it gives the same reads and the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzfs.core import Core
from mezzfs.disk import DiskCache
from mezzfs.file import RemoteFile
from mezzfs.mount import missing
from mezzfs.replay import (
    FileLog,
    NotAReplay,
    Recorder,
    WrongBytes,
    picture,
    read_log,
    run,
    statistics,
    summarise,
)
from mezzfs.replay.log import Kind
from mezzfs.replay.picture import BLOCK, residences
from mezzfs.replay.summary import covered
from mezzfs.stores.memory import MemoryStore

MIB = 1 << 20


@pytest.fixture
def log(store: MemoryStore, noise: bytes, tmp_path: Path) -> Path:
    """A log of three reads of mem://top/title.mov."""
    store.put("mem://top/title.mov", noise)
    recorder = Recorder(tmp_path / "one.mzr")
    core = Core(budget=16 * MIB, observer=recorder)
    with RemoteFile(core.open("mem://top/title.mov")) as file:
        for offset in (5 * MIB, MIB, 5 * MIB):
            file.pread(100_000, offset)
    assert core.settle()
    recorder.close()
    return tmp_path / "one.mzr"


def test_a_log_holds_what_happened(log: Path) -> None:
    kinds = [record.kind for record in read_log(log)]
    assert kinds[0] is Kind.OPENED
    assert {Kind.READ, Kind.FETCHED, Kind.CLOSED, Kind.COUNTED} <= set(kinds)
    (file,) = summarise(read_log(log))
    assert (file.name, file.size) == ("mem://top/title.mov", 8 * MIB + 12345)
    assert [(offset, length, hit) for _, offset, length, hit in file.reads] == [
        (5 * MIB, 100_000, False),
        (MIB, 100_000, False),
        (5 * MIB, 100_000, True),
    ]
    assert (file.requested_bytes, file.fetched_bytes, file.hits) == (200_000, 2 * 131072, 1)
    assert file.wasted_bytes == 2 * (131072 - 100_000)


def test_a_log_is_small(log: Path) -> None:
    assert log.stat().st_size < 200


def test_a_log_that_was_cut_off_is_read_up_to_there(log: Path) -> None:
    whole, data = list(read_log(log)), log.read_bytes()
    for end in range(4, len(data)):
        log.write_bytes(data[:end])
        part = list(read_log(log))
        assert part == whole[: len(part)]


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"RIFF....")
    with pytest.raises(NotAReplay):
        list(read_log(path))
    path.write_bytes(b"MZR1\x7f")
    with pytest.raises(NotAReplay, match="damaged at byte 4"):
        list(read_log(path))


def test_done_again_it_reads_the_same(log: Path, noise: bytes, tmp_path: Path) -> None:
    copy = tmp_path / "title.mov"
    copy.write_bytes(noise)
    result = run(read_log(log), "mem://top/", reference=str(copy))
    assert (result.reads, result.read_bytes) == (3, 300_000)
    assert result.over_fetch < 1


def test_wrong_bytes_are_found(log: Path, noise: bytes, tmp_path: Path) -> None:
    copy = tmp_path / "title.mov"
    copy.write_bytes(noise[: MIB + 10] + b"!" + noise[MIB + 11 :])
    with pytest.raises(WrongBytes, match="from 1048576 on"):
        run(read_log(log), "mem://top/title.mov", reference=str(copy))


def test_evictions_and_counters_are_in_the_log(store: MemoryStore, tmp_path: Path) -> None:
    store.put("mem://long", bytes(12 * MIB))
    recorder = Recorder(tmp_path / "long.mzr")
    core = Core(budget=4 * MIB, observer=recorder)
    with RemoteFile(core.open("mem://long")) as file:
        assert len(file.read()) == 12 * MIB
    core.settle()
    core.close()
    recorder.close()
    (log,) = summarise(read_log(tmp_path / "long.mzr"))
    assert 8 * MIB <= log.evicted_bytes <= log.fetched_bytes == 12 * MIB
    assert all(used for *_, used in log.evictions)
    counted = statistics(read_log(tmp_path / "long.mzr"))
    assert counted["fetched_bytes"] == 12 * MIB
    assert counted["ready"] * 32768 == 12 * MIB - log.evicted_bytes
    assert counted["requests"] == core.counters.requests


def test_what_comes_from_disk_is_in_the_log(store: MemoryStore, noise: bytes, tmp_path: Path) -> None:
    store.put("mem://title", noise)
    for name in ("first", "second"):
        disk = DiskCache(tmp_path / "disk", size=1 << 30)
        recorder = Recorder(tmp_path / name)
        core = Core(budget=16 * MIB, observer=recorder, disk=disk)
        assert RemoteFile(core.open("mem://title")).pread(100, MIB) == noise[MIB : MIB + 100]
        core.settle()
        recorder.close()
    (first,), (second,) = (summarise(read_log(tmp_path / name)) for name in ("first", "second"))
    assert (first.fetched_bytes, first.kept_bytes) == (32768, 0)
    assert (second.fetched_bytes, second.kept_bytes) == (0, 32768)


def test_the_picture_shows_what_was_requested_fetched_cached_and_wasted(log: Path) -> None:
    files = summarise(read_log(log))
    text = picture(files)
    assert text.count('<rect class="hit"') == 1
    assert text.count('<rect class="miss"') == 2
    assert text.count('<rect class="awaited"') == len(files[0].fetches) == 2
    assert text.count('<rect class="wasted"') == 2
    assert text.count('<rect class="cached"') == 2


def test_bytes_are_cached_until_they_are_evicted() -> None:
    file = FileLog("x", 10 * BLOCK)
    file.fetches = [(10, 0, 4 * BLOCK, True)]
    file.evictions = [(50, BLOCK, BLOCK, True)]
    assert sorted(residences(file, 90)) == [
        (10, 50, BLOCK, 2 * BLOCK),
        (10, 90, 0, BLOCK),
        (10, 90, 2 * BLOCK, 4 * BLOCK),
    ]


def test_what_nobody_asked_for() -> None:
    file = FileLog("x", 100)
    file.reads = [(0, 20, 10, True), (1, 25, 10, True), (2, 60, 5, False)]
    assert file.not_requested(0, 100) == [(0, 20), (35, 60), (65, 100)]
    assert file.not_requested(20, 15) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20))))
def test_the_union_of_spans_is_that_of_sets(spans: list[tuple[int, int]]) -> None:
    ends = [(first, first + length) for first, length in spans]
    assert covered(ends) == len({byte for first, end in ends for byte in range(first, end)})


def cinemill(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
def test_a_mount_records_and_the_command_repeats(tmp_path: Path, noise: bytes) -> None:
    source, folder, log = tmp_path / "source", tmp_path / "folder", tmp_path / "logs/mount.mzr"
    for path in (source, folder, log.parent):
        path.mkdir()
    (source / "title.mov").write_bytes(noise)
    made = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli.main", "mount", "--record", log, source, folder],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while not os.path.ismount(folder) and time.monotonic() < until:
        time.sleep(0.05)
    assert (folder / "title.mov").read_bytes() == noise
    made.terminate()
    assert made.wait(60) == 0
    shown = cinemill("replay", "show", log, "--json", "-o", tmp_path / "picture.svg")
    assert json.loads(shown.stdout.splitlines()[0])["requested_bytes"] == len(noise)
    assert (tmp_path / "picture.svg").read_text().startswith("<svg")
    options = ("--source", f"{source}/", "--against", f"{source}/")
    assert cinemill("replay", "run", log, *options).returncode == 0
    assert cinemill("replay", "batch", log.parent, *options, "--over-fetch", "1.1").returncode == 0
    slow = cinemill("replay", "batch", log.parent, *options, "--at-least", "1e9")
    assert (slow.returncode, "wanted at least" in slow.stdout) == (1, True)
    (source / "title.mov").write_bytes(noise[::-1])
    (tmp_path / "title.mov").write_bytes(noise)
    wrong = cinemill("replay", "run", log, "--source", f"{source}/", "--against", tmp_path / "title.mov")
    assert (wrong.returncode, "differ" in wrong.stdout) == (1, True)
