"""A real Chromium, spoken to over the DevTools pipe, a web server, and the players from the npm registry."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
PLAYERS = {  # npm package and version -> the one file of it that is needed
    "hls.js@1.7.4": "dist/hls.min.js",
    "shaka-player@5.2.12": "dist/shaka-player.compiled.js",
}
KINDS = {
    "hls": ("hls.js@1.7.4/hls.min.js", "master.m3u8"),
    "dash": ("shaka-player@5.2.12/shaka-player.compiled.js", "manifest.mpd"),
}
SIZE = (64, 36)
RATE = 25
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --disable-extensions --mute-audio "
    "--autoplay-policy=no-user-gesture-required --disable-dev-shm-usage --window-size=1280,900 "
    "--remote-debugging-pipe"
)


class Chromium:
    """One browser process with a profile of its own; commands and events of the DevTools protocol."""

    def __init__(self, binary: str, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        argv = [binary, *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"]
        script = f'exec "$@" 3</proc/self/fd/{to_read} 4>/proc/self/fd/{to_write}'  # where Chromium looks
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", script, "sh", *argv],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._count = b"", 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", timeout_s: float = 30, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result; events on the way are kept in `events`."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        os.write(
            self._write, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        )
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for answer in self.pump(until - time.monotonic()):
                if answer["id"] == self._count:
                    assert "error" not in answer, (method, answer["error"])
                    return answer["result"]
        raise TimeoutError(f"{method}: no answer in {timeout_s} s")

    def pump(self, wait_s: float) -> list[dict[str, Any]]:
        """Read what has come: events are kept, answers returned."""
        if not select.select([self._read], [], [], max(wait_s, 0))[0]:
            return []
        block = os.read(self._read, 1 << 20)
        assert block, "the browser has gone"
        *messages, self._buffer = (self._buffer + block).split(b"\0")
        parsed = [json.loads(message) for message in messages]
        self.events += [message for message in parsed if "id" not in message]
        return [message for message in parsed if "id" in message]

    def open(self, url: str) -> Page:
        """A new tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        page.wait_for("document.readyState === 'complete'")
        return page

    def close(self) -> None:
        """End the browser; it also ends when its pipe closes."""
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)


class Page:
    """A tab."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self.browser, self.session = browser, session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **params)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str, timeout_s: float = 20) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + timeout_s
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < until, f"waited {timeout_s} s for: {condition}"
            time.sleep(0.05)

    def events(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the events of one kind so far."""
        self.browser.pump(0)
        return [
            event["params"]
            for event in self.browser.events
            if event["method"] == method and event.get("sessionId") == self.session
        ]

    def complaints(self) -> list[str]:
        """What the page wrote to the console as warning or error, threw, or could not load."""
        logged = [entry["entry"]["text"] for entry in self.events("Log.entryAdded")]
        thrown = [
            event["exceptionDetails"]
            .get("exception", {})
            .get("description", event["exceptionDetails"]["text"])
            for event in self.events("Runtime.exceptionThrown")
        ]
        calls = self.events("Runtime.consoleAPICalled")
        return (
            logged
            + thrown
            + [str(call["args"]) for call in calls if call["type"] in ("error", "warning", "assert")]
        )

    def screenshot(self, path: Path, **options: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", format="png", **options)["data"])
        )
        return path


class Handler(SimpleHTTPRequestHandler):
    """Files with the types and the single byte ranges that players ask for."""

    extensions_map: ClassVar = {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript",
        ".json": "application/json",
        ".m3u8": "application/vnd.apple.mpegurl",
        ".mpd": "application/dash+xml",
        ".m4s": "video/iso.segment",
        ".mp4": "video/mp4",
        "": "application/octet-stream",
    }

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        path = Path(self.translate_path(self.path))
        if not wanted.startswith("bytes=") or not path.is_file():
            super().do_GET()
            return
        first, _, last = wanted[6:].partition("-")
        content = path.read_bytes()
        start = int(first) if first else len(content) - int(last)
        end = min(int(last), len(content) - 1) if first and last else len(content) - 1
        self.send_response(206)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.send_header("Content-Length", str(end - start + 1))
        self.end_headers()
        self.wfile.write(content[start : end + 1])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the URL under which it is served."""
    root = tmp_path / "site"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Handler(*args, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield root, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def players(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with hls.js and shaka-player, from the npm registry; kept in pytest's cache."""
    kept = request.config.cache.mkdir("players")
    for package, file in PLAYERS.items():
        target = kept / package / Path(file).name
        if not target.exists():
            _install(package, file, target, tmp_path_factory.mktemp("npm"))
    return kept


def _install(package: str, file: str, target: Path, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, to get the players from the npm registry: apt-get install npm")
    done = subprocess.run(
        [npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        pytest.skip(
            f"needs {package} from the npm registry, which does not answer: {done.stderr.strip()[-200:]}"
        )
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        content = archive.extractfile(f"package/{file}")
        assert content is not None
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}")
        partial.write_bytes(content.read())
    partial.replace(target)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser with a fresh profile."""
    binary = os.environ.get("CINEMILL_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("needs Chromium: apt-get install chromium, or set CINEMILL_CHROMIUM")
    browser = Chromium(binary, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def tab(browser: Chromium) -> Iterator[Callable[[str], Page]]:
    """Open pages; they are closed after the test."""
    pages: list[Page] = []

    def show(url: str) -> Page:
        pages.append(browser.open(url))
        return pages[-1]

    yield show
    for page in pages:
        page.call("Page.close")


@pytest.fixture
def play(site: tuple[Path, str], players: Path, tab: Callable[[str], Any]) -> Callable[[Path, str], Any]:
    """Open a package in a player and start it."""

    def start(made: Path, kind: str) -> Any:
        root, url = site
        script, manifest = KINDS[kind]
        shutil.copytree(made / "package", root / "package")
        shutil.copy(Path(__file__).parent / "pages" / "player.html", root / "player.html")
        shutil.copy(players / script, root / "player.js")
        page = tab(f"{url}/player.html")
        page.evaluate(f"start({kind!r}, '{url}/package/{manifest}')")
        return page

    return start


@pytest.fixture
def picture_number() -> Callable[[Page, Path, int], int]:
    """Seek to the middle of a frame of the clip; which frame of a rendition is shown: the nearest one."""

    def number_of(page: Page, rendition: Path, wanted: int) -> int:
        seen = page.evaluate(f"pictureAt({(wanted + 0.5) / RATE}, {SIZE[0]}, {SIZE[1]})")
        assert abs(seen["mediaTime"] - wanted / RATE) < 0.005, wanted
        with av.open(str(rendition)) as container:
            frames = [
                frame.reformat(*SIZE, format="gray").to_ndarray() for frame in container.decode(video=0)
            ]
        shown = np.array(seen["grey"]).reshape(SIZE[::-1])
        errors = [float(np.var(shown - frame)) for frame in frames]  # whatever matrix the browser assumed
        near = range(max(0, wanted - 6), min(len(frames), wanted + 7))
        return min(near, key=lambda number: errors[number])

    return number_of


@pytest.fixture
def evidence(request: pytest.FixtureRequest) -> Callable[[Page], None]:
    """Keep a screenshot and the console of a page in test-results/, for a test that is about to fail."""

    def keep(page: Page) -> None:
        name = request.node.name.replace("/", "-")
        page.screenshot(RESULTS / f"{name}.png")
        (RESULTS / f"{name}.log").write_text("\n".join(page.complaints()) + "\n")

    return keep
