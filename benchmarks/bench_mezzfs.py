"""Mounts beside each other: ours, rclone and s3fs-fuse, on one server on loopback, near and far.

    pytest --benchmark-only benchmarks/bench_mezzfs.py      reading from start to end, by turns
    python benchmarks/bench_mezzfs.py [--mib 1024]          the table: speed, processor time of the mount, over-fetch

The server speaks as much S3 as the peers ask for and sends files with sendfile; `far` waits 25 ms before the first byte
and sends 60 MB/s per connection. It counts requests and bytes, so over-fetch is what left the server.
Peers that are not installed are left out, and so is everything where nothing can be mounted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import pytest

MIB = 1 << 20
FAR = {"delay_s": 0.025, "bytes_per_s": 60e6}
NEAR = {"delay_s": 0.0, "bytes_per_s": 0.0}
SPARSE = 1 << 36
"""Bytes of the file that is read at random: so many that no place is read twice."""
LIST = '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>'
ITEM = "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>&quot;{etag}&quot;</ETag><LastModified>2026-01-01T00:00:00.000Z"
ITEM_END = "</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class Bucket(BaseHTTPRequestHandler):
    """One bucket of files, enough S3 for boto3, rclone and s3fs-fuse; `server` carries folder, delay, rate and counters."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, *, body: bool) -> None:
        parts = urllib.parse.urlsplit(self.path)
        if parts.path == "/_stats":
            return self._text(json.dumps(self.server.counts).encode())
        _, _, key = urllib.parse.unquote(parts.path).removeprefix("/").partition("/")
        if not key:
            return self._list(urllib.parse.parse_qs(parts.query).get("prefix", [""])[0])
        path = self.server.folder / key
        if not path.is_file():
            return self._text(b"<Error><Code>NoSuchKey</Code></Error>" if body else b"", status=404)
        return self._file(path, body=body)

    def _list(self, prefix: str) -> None:
        paths = [path for path in sorted(self.server.folder.iterdir()) if path.name.startswith(prefix)]
        items = "".join(
            ITEM.format(name=path.name, size=path.stat().st_size, etag=etag(path)) + ITEM_END
            for path in paths
        )
        head = LIST.format(prefix=prefix, count=len(paths)) + "<IsTruncated>false</IsTruncated>"
        self._text((head + items + "</ListBucketResult>").encode(), kind="application/xml")

    def _text(self, data: bytes, *, status: int = 200, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(data)

    def _file(self, path: Path, *, body: bool) -> None:
        size, mark = path.stat().st_size, f'"{etag(path)}"'
        first, last, status = 0, size - 1, 200
        if self.headers.get("If-Match", mark) != mark:
            return self._text(b"", status=412)
        if wanted := self.headers.get("Range"):
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last, status = int(begin), min(int(end or size - 1), size - 1), 206
        time.sleep(self.server.delay_s if body else 0)
        self.send_response(status)
        for name, value in (("ETag", mark), ("Last-Modified", DATE), ("Accept-Ranges", "bytes")):
            self.send_header(name, value)
        self.send_header("Content-Length", str(last - first + 1))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if body:
            self.wfile.flush()
            self._send(path, first, last + 1)
        return None

    def _send(self, path: Path, at: int, end: int) -> None:
        self.server.counts["requests"] += 1
        rate, began, start = self.server.bytes_per_s, time.perf_counter(), at
        with path.open("rb") as file:
            while at < end:
                sent = os.sendfile(
                    self.connection.fileno(), file.fileno(), at, min(end - at, MIB if not rate else MIB // 4)
                )
                at += sent
                self.server.counts["bytes"] += sent
                if rate:
                    time.sleep(max(0.0, began + (at - start) / rate - time.perf_counter()))


def etag(path: Path) -> str:
    return f"{path.stat().st_mtime_ns:x}{path.stat().st_size:x}"


def serve(folder: Path, delay_s: float, bytes_per_s: float) -> None:
    """Serve until the parent ends; prints the port."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.daemon_threads, server.folder = True, folder
    server.delay_s, server.bytes_per_s, server.counts = delay_s, bytes_per_s, {"requests": 0, "bytes": 0}
    server.handle_error = lambda *_: None  # peers hang up in the middle of answers
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


@contextmanager
def served(folder: Path, delay_s: float, bytes_per_s: float) -> Iterator[str]:
    """A server in a process of its own; gives its address."""
    argv = [sys.executable, __file__, "--serve", folder, str(delay_s), str(bytes_per_s)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/_stats") as reply:  # noqa: S310
        found: dict[str, int] = json.loads(reply.read())
        return found


def ours(url: str, folder: Path, _: Path) -> list[str]:
    return [sys.executable, "-m", "pipelines.cli.main", "mount", f"{url}/bucket/", str(folder)]


def ours_s3(url: str, folder: Path, _: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "pipelines.cli.main",
        "mount",
        "--endpoint-url",
        url,
        "s3://bucket/",
        str(folder),
    ]


def rclone(url: str, folder: Path, _: Path) -> list[str]:
    remote = f":s3,provider=Other,endpoint='{url}',access_key_id=a,secret_access_key=b,force_path_style=true:bucket"
    return ["rclone", "mount", "--config", "/dev/null", "--read-only", remote, str(folder)]


def s3fs(url: str, folder: Path, scratch: Path) -> list[str]:
    secret = scratch / "passwd"
    secret.write_text("a:b")
    secret.chmod(0o600)
    options = f"url={url},use_path_request_style,passwd_file={secret},ro"
    return ["s3fs", "bucket", str(folder), "-f", "-o", options]


SIDES: dict[str, Callable[[str, Path, Path], list[str]]] = {
    "cinemill http": ours,
    "cinemill s3": ours_s3,
    "rclone": rclone,
    "s3fs": s3fs,
}


def installed() -> list[str]:
    return [name for name in SIDES if name.startswith("cinemill") or shutil.which(name)]


@contextmanager
def mounted(side: str, url: str, scratch: Path) -> Iterator[tuple[Path, int]]:
    """A mount by one side; gives its folder and process id."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
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


@pytest.fixture
def scratch() -> Iterator[Path]:
    from mezzfs.mount import missing

    if lacking := missing():
        pytest.skip(f"cannot mount here: {lacking}")
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("place", ["near", "far"])
def bench_mezzfs(race: Any, place: str, scratch: Path) -> None:
    mib = 64
    (scratch / "bucket").mkdir()
    make_file(scratch / "bucket", mib)
    with ExitStack() as stack:
        url = stack.enter_context(served(scratch / "bucket", **(NEAR if place == "near" else FAR)))
        sides = {side: stack.enter_context(mounted(side, url, scratch))[0] for side in installed()}

        def reader(folder: Path) -> Callable[[], int]:
            return lambda: read_through(folder / "title.mov", mib * MIB)

        mine, *peers = [(side, reader(folder)) for side, folder in sides.items()]
        race(mine[1], dict(peers), rounds=3, per=mib, unit="MiB")


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def random_reads(path: Path, size: int, length: int, number: int, url: str) -> tuple[float, float, float]:
    """Median milliseconds, bytes sent per byte read, and requests per read."""
    file, draw, taken = os.open(path, os.O_RDONLY), random.Random(length), []  # noqa: S311
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_RANDOM)
    before = counts(url)
    for _ in range(number):
        at, began = draw.randrange(size - length), time.perf_counter()
        assert len(os.pread(file, length, at)) == length
        taken.append(time.perf_counter() - began)
    os.close(file)
    time.sleep(0.5)
    after = counts(url)
    fetched = (after["bytes"] - before["bytes"]) / (number * length)
    return 1e3 * median(taken), fetched, (after["requests"] - before["requests"]) / number


def parallel(path: Path, size: int) -> float:
    """MB/s of two readers of different halves together."""
    began = time.perf_counter()
    halves = [
        threading.Thread(target=read_through, args=(path, size // 2, start)) for start in (0, size // 2)
    ]
    for half in halves:
        half.start()
    for half in halves:
        half.join()
    return size / 1e6 / (time.perf_counter() - began)


def cached_us(path: Path) -> float:
    """Median microseconds of a 4 KiB read of what was just read."""
    file, taken = os.open(path, os.O_RDONLY), []
    os.pread(file, 4096, 0)
    for _ in range(2000):
        began = time.perf_counter()
        os.pread(file, 4096, 0)
        taken.append(time.perf_counter() - began)
    os.close(file)
    return 1e6 * median(taken)


def frames(path: Path, url: str | None) -> tuple[float, int]:
    """Seconds and bytes sent for 48 frames from the middle, by ffmpeg."""
    from imageio_ffmpeg import get_ffmpeg_exe

    before = counts(url)["bytes"] if url else 0
    began = time.perf_counter()
    argv = [get_ffmpeg_exe(), "-v", "error", "-ss", "5", "-i", path, "-frames:v", "48", "-f", "null", "-"]
    subprocess.run(argv, check=True)
    taken = time.perf_counter() - began
    time.sleep(0.3)
    return taken, (counts(url)["bytes"] if url else 0) - before


def make_clips(folder: Path) -> dict[str, int]:
    """A mov and an mkv of intra frames; returns the bytes of the 48 frames that `frames` decodes."""
    from imageio_ffmpeg import get_ffmpeg_exe

    base = [get_ffmpeg_exe(), "-v", "error", "-y"]
    source = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=1280x720:rate=24,noise=alls=30",
        "-t",
        "10",
        "-c:v",
        "mjpeg",
        "-q:v",
        "3",
    ]
    subprocess.run([*base, *source, folder / "clip.mov"], check=True)
    subprocess.run([*base, "-i", folder / "clip.mov", "-c", "copy", folder / "clip.mkv"], check=True)
    used = (folder / "clip.mov").stat().st_size * 48 // 240
    return {"clip.mov": used, "clip.mkv": used}


def table(mib: int) -> None:
    """Measure every side on every server, by turns, and print."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "bucket").mkdir()
        make_file(scratch / "bucket", mib)
        os.truncate(make_empty(scratch / "bucket"), SPARSE)
        used = make_clips(scratch / "bucket")
        for place, speed in (("near", NEAR), ("far", FAR)):
            with served(scratch / "bucket", **speed) as url:
                for side in installed():
                    row = measure(side, url, scratch, mib * MIB, used)
                    print(
                        f"{place:5} {side:14} " + "  ".join(f"{key} {value}" for key, value in row.items()),
                        flush=True,
                    )
        print("load", os.getloadavg())


def measure(side: str, url: str, scratch: Path, size: int, used: dict[str, int]) -> dict[str, str]:
    """All figures of one side on one server."""
    row: dict[str, str] = {}
    with mounted(side, url, scratch) as (folder, pid):
        path, speeds, burnt = folder / "title.mov", [], []
        row["two readers"] = f"{parallel(path, size):.0f} MB/s"  # first: nothing of the file is cached yet
        for _ in range(3):
            cpu, began = processor_s(pid), time.perf_counter()
            read_through(path, size)
            speeds.append(size / 1e6 / (time.perf_counter() - began))
            burnt.append((processor_s(pid) - cpu) / (size / 1e9))
        row["seq"] = f"{median(speeds):.0f} MB/s"
        row["cpu"] = f"{median(burnt):.2f} s/GB"
        for length, name in ((MIB, "1MiB"), (64 << 10, "64KiB")):
            taken, fetched, requests = random_reads(folder / "random.mov", SPARSE, length, 25, url)
            row[f"random {name}"] = f"{taken:.1f} ms {fetched:.2f}x {requests:.1f} GETs"
        row["4KiB again"] = f"{cached_us(path):.0f} us"
        for clip, wanted in used.items():
            local, _ = frames(scratch / "bucket" / clip, None)
            taken, fetched_bytes = frames(folder / clip, url)
            row[clip] = f"{fetched_bytes / wanted:.2f}x {taken / local:.2f}t"
    return row


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--mib", type=int, default=1024, help="more than the 256 MiB of our cache, or it is no race"
    )
    table(parser.parse_args().mib)
