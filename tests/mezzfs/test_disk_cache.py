"""What the disk gives back is what the store sent, or nothing; it stays within its limits and survives crashes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mezzfs.core import Core
from mezzfs.disk import BLOCK, SEGMENT, DiskCache
from mezzfs.file import RemoteFile
from mezzfs.stores import register
from mezzfs.stores.faulty import FaultyStore
from mezzfs.stores.memory import MemoryStore

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache", size=100 * MIB)


def test_what_was_put_comes_back(disk: DiskCache, noise: bytes) -> None:
    disk.put("a", 3 * BLOCK, noise[: 10 * BLOCK])
    assert disk.get("a", 3 * BLOCK, 10 * BLOCK) == noise[: 10 * BLOCK]
    assert disk.get("a", 5 * BLOCK, BLOCK) == noise[2 * BLOCK : 3 * BLOCK]
    assert disk.get("a", 2 * BLOCK, 2 * BLOCK) is None
    assert disk.get("a", 12 * BLOCK, 2 * BLOCK) is None
    assert disk.get("b", 3 * BLOCK, BLOCK) is None, "another version"


def test_a_range_may_cross_segments(disk: DiskCache, noise: bytes) -> None:
    at = SEGMENT - 2 * BLOCK
    disk.put("a", at, noise[: 4 * BLOCK])
    assert disk.get("a", at, 4 * BLOCK) == noise[: 4 * BLOCK]
    assert len(list(disk.folder.glob("*.data"))) == 2


def test_the_short_end_of_an_object_is_kept(disk: DiskCache, noise: bytes) -> None:
    disk.put("a", 0, noise[: BLOCK + 77])
    assert disk.get("a", 0, BLOCK + 77) == noise[: BLOCK + 77]
    assert disk.get("a", 0, 2 * BLOCK) is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=8),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 12)), max_size=8),
)
def test_against_a_model(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, int]], gets: list[tuple[int, int]]
) -> None:
    disk, data, there = (
        DiskCache(tmp_path_factory.mktemp("model"), size=1 << 40),
        random.Random(2).randbytes(64 * BLOCK),
        set[int](),
    )
    for first, count in puts:
        disk.put("v", first * BLOCK, data[first * BLOCK : (first + count) * BLOCK])
        there |= set(range(first, first + count))
    for first, count in gets:
        wanted = (
            data[first * BLOCK : (first + count) * BLOCK]
            if set(range(first, first + count)) <= there
            else None
        )
        assert disk.get("v", first * BLOCK, count * BLOCK) == wanted


@pytest.mark.parametrize("suffix", [".data", ".index"])
def test_a_damaged_file_is_not_believed(suffix: str, disk: DiskCache, noise: bytes) -> None:
    disk.put("a", 0, noise[: 4 * BLOCK])
    (path,) = disk.folder.glob(f"*{suffix}")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 + 5] ^= 4
    path.write_bytes(whole)
    assert disk.get("a", 0, 4 * BLOCK) is None
    path.write_bytes(whole[: len(whole) // 3])
    assert disk.get("a", 0, 4 * BLOCK) is None


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, noise: bytes) -> None:
    disk, now = DiskCache(tmp_path / "cache", size=3 * MIB), time.time() - 5000
    for number in range(5):
        disk.put(f"v{number}", 0, noise[:MIB])
        (path,) = [p for p in disk.folder.glob("*.index") if p.stat().st_mtime > time.time() - 1000]
        os.utime(path, (now + number, now + number))
    disk.trim()
    there = [disk.get(f"v{number}", 0, MIB) is not None for number in range(5)]
    assert sum(path.stat().st_blocks * 512 for path in disk.folder.iterdir()) <= 3 * MIB
    assert there == [False, False, False, True, True]


def test_what_is_too_old_goes(tmp_path: Path, noise: bytes) -> None:
    disk = DiskCache(tmp_path / "cache", size=100 * MIB, age_s=60)
    disk.put("old", 0, noise[:MIB])
    for path in disk.folder.iterdir():
        os.utime(path, (1, 1))
    disk.put("new", 0, noise[:MIB])
    disk.trim()
    assert (disk.get("old", 0, MIB), disk.get("new", 0, MIB)) == (None, noise[:MIB])


def test_a_second_process_reads_without_the_store(store: MemoryStore, noise: bytes, tmp_path: Path) -> None:
    store.put("mem://title", noise)
    counting = FaultyStore(store, {})
    register("mem", counting)
    for wanted in (True, False):
        before = counting.requests
        core = Core(budget=16 * MIB, disk=DiskCache(tmp_path / "cache", size=100 * MIB))
        assert RemoteFile(core.open("mem://title")).read() == noise
        assert core.settle()
        assert (counting.requests > before) is wanted
        core.close()
    store.put("mem://title", noise[::-1])
    core = Core(budget=16 * MIB, disk=DiskCache(tmp_path / "cache", size=100 * MIB))
    assert RemoteFile(core.open("mem://title")).read() == noise[::-1]


def test_a_killed_writer_leaves_nothing_wrong(tmp_path: Path) -> None:
    script = (
        "import sys, random; from pathlib import Path; from mezzfs.disk import BLOCK, DiskCache\n"
        "disk = DiskCache(Path(sys.argv[1]), size=1 << 40); data = random.Random(5).randbytes(16 * BLOCK); print(1, flush=True)\n"
        "while True:\n    for n in range(100): disk.put(f'v{n}', 0, data)"
    )
    data, disk = random.Random(5).randbytes(16 * BLOCK), DiskCache(tmp_path / "cache", size=1 << 40)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", script, disk.folder], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.05)
            writer.kill()
        assert {disk.get(f"v{number}", 0, 16 * BLOCK) for number in range(100)} <= {None, data}
    assert disk.damaged <= 3


def test_a_full_disk_is_not_the_readers_trouble(
    store: MemoryStore, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    store.put("mem://title", noise)

    class Full(DiskCache):
        def _segments(self, version: str, offset: int, length: int):  # type: ignore[no-untyped-def]
            raise OSError(28, "No space left on device")

    disk = Full(Path("/dev/shm") / f"mezzfs-test-{os.getpid()}", size=MIB)  # noqa: S108
    core = Core(budget=16 * MIB, disk=disk)
    assert RemoteFile(core.open("mem://title")).read() == noise
    assert "No space left" in caplog.text
    disk.folder.rmdir()
