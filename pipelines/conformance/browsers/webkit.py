"""WebKitGTK over WebDriver, on a display of its own that nobody sees."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from archer.process import Child, Limits
from pipelines.conformance.browsers.base import ASYNC, Browser, Page, missing, value_of
from pipelines.conformance.errors import BrowserGone, ScriptFailed

VARIABLE = "CINEMILL_WEBKIT"
DRIVER, DISPLAY = "WebKitWebDriver", "Xvfb"
PLACES = "webkit2gtk-4.*/MiniBrowser"
SIZE = (1280, 900)
START_S = 60


def find_webkit() -> str | None:
    """Its small browser, where that, its driver and a display are there; else None."""
    if shutil.which(DRIVER) is None or shutil.which(DISPLAY) is None:
        return None
    if asked := os.environ.get(VARIABLE):
        return shutil.which(asked)
    found = [path for folder in ("/usr/lib", "/usr/libexec") for path in Path(folder).glob(f"*/{PLACES}")]
    return str(max(found)) if found else None


class Webkit(Browser):
    """One browser process; commands of WebDriver (W3C), one session.

    Args:
        profile: an empty folder.

    Raises:
        ToolMissing: it is not installed. BrowserGone: it does not start.
    """

    def __init__(self, profile: Path) -> None:
        binary = find_webkit()
        if binary is None:
            raise missing("webkit", "webkit2gtk-driver libwebkit2gtk-4.1-0 xvfb gstreamer1.0-libav", VARIABLE)
        self._port, self._session = _free_port(), ""
        with ExitStack() as stack:
            environment = {**os.environ, **_settings(profile), "DISPLAY": _display(stack)}
            argv = [DRIVER, f"--port={self._port}"]
            stack.enter_context(Child(argv, limits=Limits(memory_mb=None), env=environment))
            self._wait()
            options = {"binary": binary, "args": ["--automation", "--autoplay-policy=allow"]}
            wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
            made = self.call("POST", "", capabilities=wanted)
            self._session = f"/{made['sessionId']}"
            self._stack = stack.pop_all()
        self.version = f"WebKitGTK/{made['capabilities']['browserVersion']}"
        self.call("POST", "/timeouts", script=120_000)
        self.call("POST", "/window/rect", x=0, y=0, width=SIZE[0], height=SIZE[1])

    def call(self, method: str, place: str, timeout_s: float = 60, **params: Any) -> Any:
        """Send a command of the session and return its value.

        Raises:
            ScriptFailed: the browser refuses it. BrowserGone: it is gone, or says nothing.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout_s)
        body = json.dumps(params) if method == "POST" else None
        try:
            connection.request(method, f"/session{self._session}{place}", body)
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        except (OSError, http.client.HTTPException, ValueError) as broken:
            raise BrowserGone("webkit", place or "starting") from broken
        finally:
            connection.close()
        if answer.status != 200:
            raise ScriptFailed(place, str(value.get("message") or value.get("error")))
        return value

    def _wait(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise BrowserGone("webkit", "starting")

    def open(self, url: str) -> WebkitPage:
        """The window, with another page in it: there is one only."""
        self.call("POST", "/url", url=url)
        return WebkitPage(self)

    def close(self) -> None:
        """End the browser, its driver and its display."""
        self._stack.close()


class WebkitPage(Page):
    """The window of WebKitGTK. WebDriver tells no console messages; the page reports its errors itself."""

    def __init__(self, browser: Webkit) -> None:
        self._browser = browser

    def evaluate(self, script: str, timeout_s: float = 60) -> Any:
        """See `Page`."""
        return value_of(
            script,
            self._browser.call("POST", "/execute/async", timeout_s + 5, script=ASYNC, args=[script]),
        )

    def close(self) -> None:
        """Leave the page."""
        self._browser.call("POST", "/url", url="about:blank")

    def screenshot(self) -> bytes:
        """See `Page`."""
        return base64.b64decode(self._browser.call("GET", "/screenshot"))

    def complaints(self) -> list[str]:
        """Nothing: see the class."""
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settings(profile: Path) -> dict[str, str]:
    """A home of its own; pictures are drawn, and sound is made, without a device."""
    homes = {name: str(profile) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return {**homes, "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}


def _display(stack: ExitStack) -> str:
    """Start an X server that draws into memory; returns its name."""
    reader, writer = os.pipe()
    try:
        screen = f"{SIZE[0]}x{SIZE[1]}x24"
        argv = [DISPLAY, "-displayfd", str(writer), "-screen", "0", screen, "-nolisten", "tcp"]
        stack.enter_context(Child(argv, limits=Limits(memory_mb=None), pass_fds=[writer]))
    finally:
        os.close(writer)
    with os.fdopen(reader) as answer:
        number = answer.readline().strip()
    if not number:
        raise BrowserGone("webkit", "starting a display")
    return f":{number}"
