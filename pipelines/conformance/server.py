"""A web server for one test run: the package, the page with the player, and licences; on this machine only."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLAYERS = Path(__file__).parent / "players"
LIBRARIES = {"hls.js": "hls.js.gz", "shaka": "shaka-player.js.gz"}
WRONG = "00" * 16
"""The key that `/wrong` gives for every key id, to see that nothing plays with it."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
}


@contextmanager
def serving(package: Path, keys: Mapping[str, str]) -> Iterator[str]:
    """Serve a package; yields the URL of the root.

    `/package/...` are its files, `/hls.js/player.html` and `/shaka/player.html` the pages, `/license` gives the keys that
    are asked for, as a ClearKey licence.

    Args:
        package: the folder.
        keys: key id -> key, both hexadecimal; held in memory only.
    """
    handler = partial(_Handler, directory=str(package), keys=keys)
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def license_for(request: bytes, keys: Mapping[str, str]) -> bytes:
    """The answer to a ClearKey licence request: those of the wanted keys that there are.

    Source: W3C Encrypted Media Extensions section 9.1.4.
    """
    wanted = [base64.urlsafe_b64decode(f"{kid}==").hex() for kid in json.loads(request)["kids"]]
    found = [{"kty": "oct", "kid": _text(kid), "k": _text(keys[kid])} for kid in wanted if kid in keys]
    return json.dumps({"keys": found, "type": "temporary"}).encode()


def _text(hexadecimal: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).rstrip(b"=").decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that breaks off a transfer is its usual way."""


class _Handler(SimpleHTTPRequestHandler):
    """Files with the types and the single byte ranges that players ask for."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, keys: Mapping[str, str], directory: str) -> None:
        self._keys = keys
        super().__init__(*args, directory=directory)

    def do_GET(self) -> None:
        place = urlsplit(self.path).path.split("/")[1:]
        if place[0] == "package":
            self.path = "/" + "/".join(place[1:])
            path = Path(self.translate_path(self.path))
            self._file(path) if path.is_file() else self._send(404, b"", "text/plain")
        elif place[0] in LIBRARIES and place[1:] == ["library.js"]:
            self._send(200, gzip.decompress((PLAYERS / LIBRARIES[place[0]]).read_bytes()), TYPES[".js"])
        elif place[0] in LIBRARIES and place[1:] in (["player.html"], ["player.js"]):
            self._file(PLAYERS / place[1])
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = urlsplit(self.path).path
        if place in ("/license", "/wrong"):
            keys = self._keys if place == "/license" else dict.fromkeys(self._keys, WRONG)
            self._send(200, license_for(request, keys), "application/json")
        else:
            self._send(404, b"", "text/plain")

    def _file(self, path: Path) -> None:
        kind, content = TYPES.get(path.suffix, "application/octet-stream"), path.read_bytes()
        wanted = self.headers.get("Range", "")
        if not wanted.startswith("bytes="):
            self._send(200, content, kind)
            return
        first, _, last = wanted[6:].partition("-")
        start = int(first) if first else max(0, len(content) - int(last))
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        span = f"bytes {start}-{end}/{len(content)}"
        self._send(206, content[start : end + 1], kind, {"Content-Range": span})

    def _send(self, status: int, content: bytes, kind: str, more: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store"}
        for name, value in {**headers, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: requests are no news."""
