"""S3 servers on loopback for benchmarks: nginx with static files, JuiceFS's gateway, and one of our own that is slow to order.

    python benchmarks/buckets.py --serve FOLDER DELAY_S BYTES_PER_S

All but the gateway count their answers and the bytes of them.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
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
KEY, SECRET = "cinemill", "cinemill-secret"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
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
    counted: bool = True

    def counts(self) -> tuple[int, int]:
        """Answers with a body, and bytes of them, since the start."""
        if not self.counted:
            return 0, 0
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


@contextmanager
def gateway(folder: Path, scratch: Path) -> Iterator[Server]:
    """JuiceFS's S3 server, with the files of `folder` that are not sparse."""
    import mezzfs

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    program, meta = str(juicefs()), f"sqlite3://{scratch}/meta.db"
    secrets = {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "HOME": str(scratch)}
    quiet: Any = {"env": os.environ | secrets, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    make = [program, "format", "--storage", "file", "--bucket", f"{scratch}/data/", meta, "bucket"]
    subprocess.run(make, check=True, **quiet)
    serving = [program, "gateway", "--no-usage-report", "--cache-dir", f"{scratch}/cache", meta, place]
    with subprocess.Popen(serving, **quiet) as process:
        until = time.monotonic() + 60
        while not answers(int(place.rpartition(":")[2])):
            assert time.monotonic() < until, "the gateway does not answer"
            time.sleep(0.1)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL": f"http://{place}"}).items():
                patch.setenv(name, value)
            patch.delenv("AWS_CA_BUNDLE", raising=False)
            for path in folder.iterdir():
                if path.stat().st_size < SPARSE:
                    with path.open("rb") as file:
                        mezzfs.put(f"s3://bucket/{path.name}", file)
        yield Server(url=f"http://{place}", counted=False)
        process.terminate()


def juicefs() -> str | None:
    return shutil.which("juicefs") or shutil.which("juicefs", path=str(Path(sys.executable).parent))


SERVERS: dict[str, Callable[[Path, Path], Any]] = {
    "near": lambda bucket, scratch: (
        nginx(bucket, scratch) if shutil.which("nginx") else simulated(bucket, **NEAR)
    ),
    "far": lambda bucket, _: simulated(bucket, **FAR),
    "gateway": gateway,
}


if __name__ == "__main__":
    serve(Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
