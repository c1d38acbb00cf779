"""Stores and servers for the tests of mezzfs; nothing leaves this machine."""

from __future__ import annotations

import hashlib
import http.server
import random
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mezzfs.stores import register
from mezzfs.stores.memory import MemoryStore


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    """An empty store behind `mem://` URLs."""
    made = MemoryStore()
    register("mem", made)
    yield made
    register("mem", None)


@pytest.fixture(scope="session")
def noise() -> bytes:
    """8 MiB and a bit that no codec shortens and no two blocks share; not a multiple of a block."""
    return random.Random(7).randbytes((8 << 20) + 12345)


class Ranges(http.server.BaseHTTPRequestHandler):
    """A web server of one file that knows ranges, ETags and conditions; `server.data` is its body.

    To S3 clients it is the object title.mov of a bucket; `server.signed` holds the queries of signed URLs.
    """

    protocol_version = "HTTP/1.1"
    server: Any

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, *, body: bool) -> None:
        data, etag = self.server.data, f'"{hashlib.sha1(self.server.data).hexdigest()}"'  # noqa: S324
        first, last, status = 0, len(data) - 1, 200
        if found := re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last, status = int(found[1]), min(int(found[2]), last), 206
        place, _, query = self.path.partition("?")
        self.server.signed += [query] if "X-Amz-Signature" in query else []
        if place not in ("/title.mov", "/bucket/title.mov"):
            status = 404
        elif "X-Amz-Signature" in query and self.server.refuses_signed:
            status = 403
        elif self.headers.get("If-Match", etag) != etag:
            status = 412
        piece = data[first : last + 1] if status < 300 else b""
        self.server.headers.append(dict(self.headers.items()))
        self.server.asked.append((self.command, self.headers.get("Range"), self.headers.get("If-Match")))
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(piece)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if body:
            self.wfile.write(piece)


@pytest.fixture
def web_server(noise: bytes) -> Iterator[Any]:
    """The server; `data` may be replaced, `asked` holds (method, range, condition) of every request, `headers` all."""
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    server.data, server.asked, server.daemon_threads = noise, [], True
    server.headers = []
    server.signed, server.refuses_signed = [], False
    server.handle_error = lambda *_: None  # clients hang up in the middle of answers
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def web(web_server: Any) -> str:
    """Address of a web server that has `noise` as /title.mov."""
    return f"http://127.0.0.1:{web_server.server_port}"
