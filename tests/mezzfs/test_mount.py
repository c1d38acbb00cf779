"""A mount shows the objects as files: right bytes, right errors, nothing changed in place, and a clean end however it ends."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mezzfs.core import Core
from mezzfs.errors import AccessDenied, CannotMount, Unreachable
from mezzfs.fetch import Retries
from mezzfs.handle import Handle
from mezzfs.mount import (
    Face,
    FilesCatalog,
    Found,
    Mount,
    Owner,
    UrlCatalog,
    catalog_for,
    face_for_here,
    fallback,
    kernel,
    missing,
    recover,
)
from mezzfs.objects import Extent, ObjectMap, Stat
from mezzfs.stores import register
from mezzfs.stores.base import Reply
from mezzfs.stores.faulty import Fault, FaultyStore
from mezzfs.stores.memory import MemoryStore

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"cannot mount here: {missing()}")
MIB = 1 << 20
Mounted = Callable[..., Path]


@pytest.fixture(params=["native", "mfusepy"])
def face(request: pytest.FixtureRequest) -> Face:
    """Both faces, one after the other; `@NATIVE` for what only the native one promises."""
    if request.param == "mfusepy" and fallback.missing():
        pytest.skip(fallback.missing())
    found: Face = request.param
    return found


NATIVE = pytest.mark.parametrize("face", ["native"])


@pytest.fixture
def mounted(tmp_path: Path, face: Face) -> Iterator[Mounted]:
    """Mounts a catalog in a new folder, with an engine of its own; all end with the test."""
    made: list[Mount] = []

    def mount(catalog: FilesCatalog | UrlCatalog, *, writable: bool = False) -> Path:
        core = Core(budget=16 * MIB)
        core.retries = Retries(attempts=4, first_s=0.001, most_s=0.01)
        folder = tmp_path / f"mount{len(made)}"
        folder.mkdir()
        owner = Owner(uid=os.geteuid(), gid=os.getegid(), writable=writable, valid_s=0)
        made.append(Mount(catalog, folder, core=core, owner=owner, face=face))
        return folder

    yield mount
    for one in made:
        one.close()
        one.core.close()


@pytest.fixture
def folder(store: MemoryStore, noise: bytes, mounted: Mounted) -> Path:
    """A mount of `mem://top`, which has title.mov (8 MiB), empty, sub/small and 3,000 files in many/."""
    store.put("mem://top/title.mov", noise)
    store.put("mem://top/empty", b"")
    store.put("mem://top/sub/small", b"small")
    for number in range(3000):
        store.put(f"mem://top/many/{number:04}", b"x" * number)
    return mounted(UrlCatalog("mem://top", fresh_s=0))


def fails(number: int, act: Callable[[], object]) -> None:
    with pytest.raises(OSError, match=r".") as raised:
        act()
    assert raised.value.errno == number, errno.errorcode[raised.value.errno or 0]


def test_names_sizes_and_permissions(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == ["empty", "many", "sub", "title.mov"]
    assert (folder / "title.mov").stat().st_size == 8 * MIB + 12345
    assert (folder / "title.mov").stat().st_mode == 0o100444
    assert (folder / "sub").is_dir()
    assert (folder / "sub/small").read_bytes() == b"small"
    assert (folder / "empty").read_bytes() == b""


def test_a_long_folder_is_listed_whole(folder: Path) -> None:
    with os.scandir(folder / "many") as entries:
        sizes = {entry.name: entry.stat().st_size for entry in entries}
    assert sizes == {f"{number:04}": number for number in range(3000)}


def test_any_read_gives_the_bytes_of_the_object(folder: Path, noise: bytes) -> None:
    assert (folder / "title.mov").read_bytes() == noise
    draw, file = random.Random(3), os.open(folder / "title.mov", os.O_RDONLY)
    for _ in range(200):
        offset, length = draw.randrange(len(noise) + 1000), draw.choice([1, 511, 4096, 65536, 3 * MIB])
        assert os.pread(file, length, offset) == noise[offset : offset + length]
    os.close(file)


def test_many_readers_at_once(folder: Path, noise: bytes) -> None:
    script = (
        "import sys, hashlib\nwith open(sys.argv[1], 'rb') as f: f.seek(int(sys.argv[2]));"
        " print(hashlib.file_digest(f, 'sha1').hexdigest())"
    )
    import hashlib

    starts = [number * MIB for number in range(8)]
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script, folder / "title.mov", str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in starts
    ]
    for start, reader in zip(starts, readers, strict=True):
        assert reader.communicate(timeout=60)[0].strip() == hashlib.sha1(noise[start:]).hexdigest()  # noqa: S324


def test_what_is_not_there_and_what_is_no_file(folder: Path) -> None:
    fails(errno.ENOENT, lambda: os.stat(folder / "nothing"))
    fails(errno.EISDIR, lambda: os.open(folder / "sub", os.O_WRONLY))
    fails(errno.ENOTDIR, lambda: os.stat(folder / "title.mov/x"))


def test_a_mount_is_read_only_unless_it_is_told(folder: Path) -> None:
    fails(errno.EROFS, lambda: os.open(folder / "new", os.O_WRONLY | os.O_CREAT))
    fails(errno.EROFS, lambda: os.unlink(folder / "title.mov"))
    fails(errno.EROFS, lambda: os.mkdir(folder / "new"))


def test_a_replaced_object_is_stale_also_where_it_was_read(
    folder: Path, store: MemoryStore, noise: bytes
) -> None:
    file = os.open(folder / "title.mov", os.O_RDONLY)
    assert os.pread(file, 10, 0) == noise[:10]
    store.put("mem://top/title.mov", noise[::-1])
    fails(errno.ESTALE, lambda: os.pread(file, 10, 6 * MIB))
    fails(errno.ESTALE, lambda: os.pread(file, 10, 0))
    os.close(file)
    assert (folder / "title.mov").read_bytes() == noise[::-1]


class Closed(MemoryStore):
    """A store that lets nobody read, or is not there."""

    error: type[AccessDenied | Unreachable] = AccessDenied

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        raise self.error(url)


@pytest.mark.parametrize(("error", "number"), [(AccessDenied, errno.EACCES), (Unreachable, errno.EIO)])
def test_errors_of_the_store_have_their_numbers(
    error: type[AccessDenied | Unreachable], number: int, mounted: Mounted
) -> None:
    closed = Closed()
    closed.error = error
    closed.put("mem://top/title", b"data")
    register("mem", closed)
    folder = mounted(UrlCatalog("mem://top"))
    fails(number, lambda: (folder / "title").read_bytes())
    register("mem", None)


def test_faults_of_the_store_do_not_show(store: MemoryStore, noise: bytes, mounted: Mounted) -> None:
    store.put("mem://top/title.mov", noise)
    rates = {fault: 0.03 for fault in Fault if fault is not Fault.CHANGED}
    register("mem", FaultyStore(store, rates, seed=1, late_s=0.01))
    folder, draw = mounted(UrlCatalog("mem://top")), random.Random(9)
    file = os.open(folder / "title.mov", os.O_RDONLY)
    for _ in range(500):
        offset = draw.randrange(len(noise))
        assert os.pread(file, 70_000, offset) == noise[offset : offset + 70_000]
    os.close(file)


def until_asked(store: FaultyStore) -> None:
    """Return once somebody waits for bytes of a store."""
    until = time.monotonic() + 60
    while not store.requests:
        assert time.monotonic() < until
        time.sleep(0.01)


@NATIVE
def test_a_reader_that_waits_can_be_killed(store: MemoryStore, noise: bytes, mounted: Mounted) -> None:
    store.put("mem://top/title.mov", noise)
    slow = FaultyStore(store, {}, delay_s=4.0)
    register("mem", slow)
    folder = mounted(UrlCatalog("mem://top"))
    reader = subprocess.Popen(["head", "-c", "10", folder / "title.mov"], stdout=subprocess.DEVNULL)
    until_asked(slow)
    began = time.monotonic()
    reader.terminate()
    reader.wait(10)
    assert time.monotonic() - began < 2


def test_byte_ranges_and_joined_parts_are_files(store: MemoryStore, noise: bytes, mounted: Mounted) -> None:
    store.put("mem://a", noise[:1000])
    store.put("mem://b", noise)
    shot = ObjectMap((Extent(url="mem://b", offset=5000, length=MIB),))
    joined = ObjectMap(
        (Extent(url="mem://a", offset=0, length=1000), Extent(url="mem://b", offset=7, length=99))
    )
    files = {
        "frames/0001": Found(stat=Stat(size=shot.size), layout=shot),
        "joined": Found(stat=Stat(size=joined.size), layout=joined),
    }
    folder = mounted(FilesCatalog(files))
    assert sorted(os.listdir(folder)) == ["frames", "joined"]
    assert (folder / "frames/0001").read_bytes() == noise[5000 : 5000 + MIB]
    assert (folder / "joined").read_bytes() == noise[:1000] + noise[7:106]


def test_one_object_is_one_file(store: MemoryStore, mounted: Mounted) -> None:
    store.put("mem://top/title.mov", b"bytes")
    folder = mounted(catalog_for("mem://top/title.mov"))  # type: ignore[arg-type]
    assert os.listdir(folder) == ["title.mov"]
    assert (folder / "title.mov").read_bytes() == b"bytes"


def test_hints_bring_bytes_before_they_are_read(folder: Path, noise: bytes) -> None:
    file = os.open(folder / "title.mov", os.O_RDONLY)
    assert os.getxattr(folder / "title.mov", "user.mezzfs.hints.1048576-3145728") == b"taken"
    for _ in range(600):
        facts = json.loads(os.getxattr(folder / "title.mov", "user.mezzfs.stats"))
        if facts["engine"]["fetched_bytes"] == 2 * MIB:
            break
        time.sleep(0.05)
    assert (facts["engine"]["fetched_bytes"], facts["mount"]["reads"]) == (2 * MIB, 0)
    assert os.pread(file, 100, 2 * MIB) == noise[2 * MIB : 2 * MIB + 100]
    with (folder / "title.mov").open(
        "rb", buffering=0
    ) as another:  # hints hold for it as well: nothing beyond
        for number in range(4):
            another.seek(MIB + number * MIB // 2)
            assert len(another.read(MIB // 2)) == MIB // 2
    facts = json.loads(os.getxattr(folder / "title.mov", "user.mezzfs.stats"))
    assert facts["engine"]["fetched_bytes"] == 2 * MIB
    fails(errno.EINVAL, lambda: os.getxattr(folder / "title.mov", "user.mezzfs.hints.nonsense"))
    fails(errno.ENODATA, lambda: os.getxattr(folder / "title.mov", "user.other"))
    os.close(file)


@NATIVE
def test_how_long_a_reader_thinks_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def noticed(handle: Handle, offset: int, length: int, *, missed: bool, thought_s: float) -> None:
        seen.append(thought_s)
        before(handle, offset, length, missed=missed, thought_s=thought_s)

    before = Handle.noticed
    monkeypatch.setattr(Handle, "noticed", noticed)
    file = os.open(folder / "title.mov", os.O_RDONLY)
    for number in range(3):
        os.pread(file, 4096, number * 2 * MIB)
        time.sleep(0.2)
    os.close(file)
    assert seen[0] == 0.0
    assert min(seen[1:3]) >= 0.19


def test_a_new_file_is_there_when_it_is_closed(store: MemoryStore, noise: bytes, mounted: Mounted) -> None:
    store.put("mem://top/old", b"old")
    folder = mounted(UrlCatalog("mem://top", fresh_s=0), writable=True)
    with (folder / "new").open("wb") as file:
        file.write(noise)
        file.flush()
        assert (folder / "new").stat().st_size == len(noise)
        fails(errno.ENOENT, lambda: store.stat("mem://top/new"))
    assert store.list("mem://top")[0].name == "new"
    assert (folder / "new").read_bytes() == noise
    (folder / "old").write_bytes(b"replaced")
    assert (folder / "old").read_bytes() == b"replaced"


def test_objects_are_not_changed_in_place(store: MemoryStore, mounted: Mounted) -> None:
    store.put("mem://top/old", b"old")
    folder = mounted(UrlCatalog("mem://top", fresh_s=0), writable=True)
    fails(errno.EROFS, lambda: os.open(folder / "old", os.O_RDWR))
    fails(errno.EROFS, lambda: os.open(folder / "old", os.O_WRONLY | os.O_APPEND))
    fails(errno.EROFS, lambda: os.truncate(folder / "old", 1))
    fails(errno.EROFS, lambda: os.rename(folder / "old", folder / "new"))
    file = os.open(folder / "other", os.O_WRONLY | os.O_CREAT)
    os.pwrite(file, b"x", 0)
    fails(errno.EROFS, lambda: os.pwrite(file, b"x", 100))
    os.close(file)
    assert (folder / "old").read_bytes() == b"old"


def command(folder: Path, source: Path, *more: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "pipelines.cli.main", "mount", *more, str(source), str(folder)]
    made = subprocess.Popen(argv, stderr=subprocess.DEVNULL, text=True)
    until = time.monotonic() + 60
    while not folder.is_mount() and time.monotonic() < until:
        assert made.poll() is None
        time.sleep(0.05)
    return made


@pytest.fixture
def places(tmp_path: Path, noise: bytes) -> Iterator[tuple[Path, Path]]:
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    (source / "title.mov").write_bytes(noise)
    yield source, folder
    while os.path.ismount(folder) or recover(folder):
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(
    ("number", "face"),
    [(signal.SIGTERM, "native"), (signal.SIGINT, "native"), (signal.SIGTERM, "mfusepy")],
)
def test_the_command_unmounts_when_it_is_ended(
    number: signal.Signals, face: Face, places: tuple[Path, Path], noise: bytes
) -> None:
    if face == "mfusepy" and fallback.missing():
        pytest.skip(fallback.missing())
    source, folder = places
    made = command(folder, source, "--face", face)
    assert (folder / "title.mov").read_bytes() == noise
    held = (folder / "title.mov").open("rb")  # in use: it ends nevertheless
    made.send_signal(number)
    assert made.wait(60) == 0
    assert not folder.is_mount()
    assert os.listdir(folder) == []
    with suppress(OSError):  # libfuse wants to be told that it is closed
        held.close()


def test_a_killed_mount_is_cleared_away_by_the_next(places: tuple[Path, Path], noise: bytes) -> None:
    source, folder = places
    made = command(folder, source)
    assert (folder / "title.mov").read_bytes() == noise
    made.kill()
    made.wait(60)
    fails(errno.ENOTCONN, lambda: os.listdir(folder))
    again = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli.main", "mount", str(source), str(folder)],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if (folder / "title.mov").read_bytes() == noise:
                break
        except OSError:
            time.sleep(0.05)
    else:
        pytest.fail("the mount did not come back")
    again.terminate()
    again.wait(60)
    assert not recover(folder)


def test_a_daemon_says_when_it_is_ready(places: tuple[Path, Path]) -> None:
    source, folder = places
    argv = [sys.executable, "-m", "pipelines.cli.main", "mount", "--daemon", str(source), str(folder)]
    subprocess.run(argv, check=True, timeout=60)
    assert folder.is_mount()
    subprocess.run(["umount", folder], check=True)
    assert not folder.is_mount()


def test_a_mount_takes_no_more_memory_than_it_was_given(places: tuple[Path, Path]) -> None:
    source, folder = places
    for number in range(64):
        (source / f"{number}").touch()
        os.truncate(source / f"{number}", 4 * MIB)
    made = command(folder, source, "--memory", "16")

    def resident(what: str) -> int:
        status = Path(f"/proc/{made.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith(what)))

    before = resident("VmRSS")  # the blocks' memory is there from the start
    files = [os.open(folder / f"{number}", os.O_RDONLY) for number in range(64)]
    threads = [threading.Thread(target=read_all, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    after = resident("VmHWM")
    for file in files:
        os.close(file)
    made.terminate()
    assert made.wait(60) == 0
    assert after - before < 48 * MIB, (
        "of 256 MiB that were read: buffers of 32 threads that fetch, and no bytes of files"
    )


def read_all(file: int) -> None:
    while len(os.read(file, MIB)) == MIB:
        pass


def test_readers_end_when_the_mount_does(
    store: MemoryStore, noise: bytes, tmp_path: Path, face: Face
) -> None:
    store.put("mem://top/title.mov", noise)
    slow = FaultyStore(store, {}, delay_s=3.0)
    register("mem", slow)
    (tmp_path / "m").mkdir()
    mount = Mount(UrlCatalog("mem://top"), tmp_path / "m", core=Core(budget=8 * MIB), face=face)
    failed: list[int | None] = []

    def read() -> None:
        try:
            (tmp_path / "m/title.mov").read_bytes()
        except OSError as error:
            failed.append(error.errno)

    thread = threading.Thread(target=read)
    thread.start()
    until_asked(slow)
    mount.close()
    thread.join(10)
    assert failed
    assert failed[0] in (errno.ENOTCONN, errno.ECONNABORTED, errno.EIO)


def test_a_web_folder_is_found_by_name(web: str, noise: bytes, mounted: Mounted) -> None:
    folder = mounted(catalog_for(f"{web}/"))
    assert os.listdir(folder) == []
    assert (folder / "title.mov").read_bytes() == noise
    assert os.listdir(folder) == ["title.mov"]
    fails(errno.ENOENT, lambda: os.stat(folder / "nothing"))


def test_owner_and_umask_are_those_asked_for(store: MemoryStore, tmp_path: Path, face: Face) -> None:
    store.put("mem://top/title.mov", b"x")
    (tmp_path / "m").mkdir()
    owner = Owner(uid=12, gid=34, umask=0o077)
    with Mount(UrlCatalog("mem://top"), tmp_path / "m", core=Core(budget=8 * MIB), owner=owner, face=face):
        status = (tmp_path / "m/title.mov").stat()
    assert (status.st_uid, status.st_gid, status.st_mode) == (12, 34, 0o100400)


def test_the_other_face_is_taken_where_the_native_one_cannot_run(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fallback.missing():
        pytest.skip(fallback.missing())
    assert face_for_here() == "native"
    monkeypatch.setattr(kernel, "_kernel", lambda: (4, 19))
    store.put("mem://top/title.mov", b"bytes")
    (tmp_path / "m").mkdir()
    with Mount(UrlCatalog("mem://top"), tmp_path / "m", core=Core(budget=8 * MIB)) as mount:
        assert mount.face == "mfusepy"
        assert (tmp_path / "m/title.mov").read_bytes() == b"bytes"
    monkeypatch.setattr(fallback, "missing", lambda: "mfusepy is not installed")
    with pytest.raises(CannotMount, match="kernel is older"):
        Mount(UrlCatalog("mem://top"), tmp_path / "m")


def test_each_file_is_counted_by_itself(folder: Path) -> None:
    (folder / "title.mov").read_bytes()
    (folder / "sub/small").read_bytes()
    size = 8 * MIB + 12345
    for _ in range(600):  # the last reads are noticed a moment later
        found = json.loads(os.getxattr(folder / "title.mov", "user.mezzfs.stats"))["files"]
        if sum(file["used_bytes"] for file in found) == size + 5:
            break
        time.sleep(0.05)
    assert [(file["name"], file["opens"], file["fetched_bytes"]) for file in found] == [
        ("title.mov", 1, size),
        ("sub/small", 1, 5),
    ]
    assert [file["used_bytes"] for file in found] == [size, 5]
    assert found[0]["requests"] >= 2
