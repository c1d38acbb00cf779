"""Mounts beside each other, ours and those that are installed of rclone, s3fs-fuse and fsspec.fuse: speed, processor time, GETs.

    cinemill bench mezzfs [--save]

Near is nginx on loopback (or, where it is not installed, the server of this file); far is the server of this file, which
waits 25 ms before the first byte and sends 60 MB/s per connection. Both speak as much S3 as the peers ask for, and
count requests and bytes. Processor time is that of the process that serves the mount; size is what left the
server per call, so `size x` compares over-fetch. Our side keeps its checks on (If-Match, range and length of every answer).
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pytest

MIB = 1 << 20
FAR = {"delay_s": 0.025, "bytes_per_s": 60e6}
NEAR = {"delay_s": 0.0, "bytes_per_s": 0.0}
SPARSE = 1 << 36
"""Bytes of the file that is read at random: so many that no place is read twice."""
PASSES = ("pass1.mov", "pass2.mov")
"""One file under more names, each read once: nothing of it is cached."""
LIST = '<?xml version="1.0"?><ListBucketResult><Name>bucket</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>'
ITEM = "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>&quot;{etag}&quot;</ETag><LastModified>2026-01-01T00:00:00.000Z"
ITEM_END = "</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class Bucket(BaseHTTPRequestHandler):
    """One bucket of files, enough S3 for boto3, rclone and s3fs-fuse; `server` carries folder, delay, rate and counters."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # or the last segment waits 40 ms for an acknowledgement, as on no real server
    )
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
        self._text(listing(paths, prefix).encode(), kind="application/xml")

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
    """As nginx makes it."""
    return f"{int(path.stat().st_mtime):x}-{path.stat().st_size:x}"


def listing(paths: list[Path], prefix: str = "") -> str:
    items = "".join(
        ITEM.format(name=path.name, size=path.stat().st_size, etag=etag(path)) + ITEM_END for path in paths
    )
    head = LIST.format(prefix=prefix, count=len(paths)) + "<IsTruncated>false</IsTruncated>"
    return head + items + "</ListBucketResult>"


def serve(folder: Path, delay_s: float, bytes_per_s: float) -> None:
    """Serve until the parent ends; prints the port."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.daemon_threads, server.folder = True, folder
    server.delay_s, server.bytes_per_s, server.counts = delay_s, bytes_per_s, {"requests": 0, "bytes": 0}
    server.handle_error = lambda *_: None  # peers hang up in the middle of answers
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the bucket is, and how much has been asked of it."""

    url: str
    log: Path | None = None

    def counts(self) -> tuple[int, int]:
        """Answers with a body, and bytes of them, since the start."""
        time.sleep(0.3)  # what is still on its way
        if self.log is not None:
            sizes = [int(line) for line in self.log.read_text().split()]
            return sum(size > 0 for size in sizes), sum(sizes)
        with urllib.request.urlopen(f"{self.url}/_stats") as reply:  # noqa: S310
            found = json.loads(reply.read())
        return found["requests"], found["bytes"]


@contextmanager
def simulated(folder: Path, delay_s: float, bytes_per_s: float) -> Iterator[Server]:
    """A server in a process of its own."""
    argv = [sys.executable, __file__, "--serve", folder, str(delay_s), str(bytes_per_s)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(url=f"http://127.0.0.1:{process.stdout.readline().strip()}")
        process.kill()


NGINX = """
daemon off; worker_processes 2; pid {scratch}/pid; error_log {scratch}/errors; {user}
events {{ worker_connections 256; }}
http {{
  log_format size "$body_bytes_sent"; access_log {scratch}/access size; sendfile on; tcp_nopush on;
  client_body_temp_path {scratch}/t1; proxy_temp_path {scratch}/t2; fastcgi_temp_path {scratch}/t3;
  uwsgi_temp_path {scratch}/t4; scgi_temp_path {scratch}/t5; keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port}; root {root};
    location = /bucket {{ rewrite ^ /list; }}
    location = /bucket/ {{ rewrite ^ /list; }}
    location = /list {{ default_type application/xml; }}
  }}
}}
"""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def nginx(folder: Path, scratch: Path) -> Iterator[Server]:
    """Static files by nginx; the list of the bucket is a file as well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    (scratch / "list").write_text(listing(sorted(folder.iterdir())))
    (scratch / "conf").write_text(NGINX.format(scratch=scratch, user=user, port=port, root=folder.parent))
    argv = ["nginx", "-e", str(scratch / "errors"), "-p", str(scratch), "-c", str(scratch / "conf")]
    process = subprocess.Popen(argv)
    until = time.monotonic() + 10
    while not answers(port):
        assert time.monotonic() < until, "nginx does not answer"
        time.sleep(0.05)
    try:
        yield Server(url=f"http://127.0.0.1:{port}", log=scratch / "access")
    finally:
        process.terminate()
        process.wait(20)


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
    "rclone": rclone,
    "s3fs-fuse": s3fs,
    "fsspec.fuse": fsspec_fuse,
}


def installed() -> dict[str, str]:
    """Side -> its name with its version."""
    found = {name: f"{name} {version('cinemill')}" for name in ("cinemill http", "cinemill s3")}
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


@dataclass(slots=True, kw_only=True)
class Field:
    """One server, and every side's mount of it; `pids` are those whose processor time counts."""

    server: Server
    bucket: Path
    mib: int
    folders: dict[str, Path] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["near", "far"])
def place(request: pytest.FixtureRequest) -> Iterator[Field]:
    from mezzfs.mount import missing

    if lacking := missing():
        pytest.skip(f"cannot mount here: {lacking}")
    quick = request.config.getoption("--benchmark-disable")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        scratch, bucket = Path(name), Path(name) / "bucket"
        bucket.mkdir()
        mib = 8 if quick else 320  # more than our cache of 256 MiB, or it is no race
        title = make_file(bucket, mib)
        for name in (*PASSES, "both.mov"):
            os.link(title, bucket / name)
        os.truncate(make_empty(bucket), SPARSE)
        make_clips(bucket, "160x90" if quick else "1280x720")
        fast = nginx(bucket, scratch) if shutil.which("nginx") else simulated(bucket, **NEAR)
        server = stack.enter_context(fast if request.param == "near" else simulated(bucket, **FAR))
        made = Field(server=server, bucket=bucket, mib=mib)
        for side in ("cinemill http", "cinemill s3") if quick else installed():
            made.folders[side], made.pids[side] = stack.enter_context(mounted(side, server.url, scratch))
        yield made


class Costs:
    """What one benchmark has measured, as `cinemill bench` shows it: medians per call, GETs in the name of the side."""

    def __init__(self, benchmark: Any, place: Field, unit: str) -> None:
        self._benchmark, self._place = benchmark, place
        benchmark.extra_info.update(unit=unit, rounds=1)

    def measure(
        self, side: str, run: Callable[[], list[float]], *, per: float = 1.0, pid: int | None = None
    ) -> None:
        """Call `run`, which returns the seconds of each of its reads; `per` is what one read counts."""
        pid = self._place.pids[side] if pid is None else pid
        before, cpu = self._place.server.counts(), processor_s(pid)
        taken = run()
        burnt, after = processor_s(pid) - cpu, self._place.server.counts()
        number = len(taken) * per
        name = installed().get(side, side)
        gets = (after[0] - before[0]) / number
        self._benchmark.extra_info.setdefault("sides", []).append(
            {
                "side": f"{name}, {gets:.3g} GETs",
                "wall_s": median(taken) / per,
                "wall_best_s": min(taken) / per,
                "cpu_s": burnt / number,
                "bytes": (after[1] - before[1]) / number,
            }
        )

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
    costs, number = Costs(benchmark, place, "read"), 3 if place.mib == 8 else 12

    def work() -> None:
        for side, folder in place.folders.items():
            costs.measure(side, lambda: random_reads(folder / "random.mov", length, number))  # noqa: B023

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
    """48 frames from the middle of intra frames, by ffmpeg; the last side is the local file, and those frames' bytes its size."""
    costs = Costs(benchmark, place, "48 frames")

    def work() -> None:
        for side, folder in place.folders.items():
            costs.measure(side, lambda: [frames(folder / clip)])  # noqa: B023
        costs.measure("local file", lambda: [frames(place.bucket / clip)], pid=os.getpid())
        used = (place.bucket / clip).stat().st_size * 48 // 240
        benchmark.extra_info["sides"][-1].update(bytes=used, side="local file, 0 GETs")

    costs.run(work)


def frames(path: Path) -> float:
    """Seconds of 48 frames from the middle, by ffmpeg."""
    from imageio_ffmpeg import get_ffmpeg_exe

    began = time.perf_counter()
    argv = [get_ffmpeg_exe(), "-v", "error", "-ss", "5", "-i", path, "-frames:v", "48", "-f", "null", "-"]
    subprocess.run(argv, check=True)
    return time.perf_counter() - began


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_clips(folder: Path, size: str) -> None:
    """A mov and an mkv of 240 intra frames."""
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


if __name__ == "__main__":
    serve(Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
