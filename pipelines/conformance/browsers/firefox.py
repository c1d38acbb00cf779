"""Firefox over Marionette, the remote protocol that is built in: numbered JSON messages on a local socket."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import time
from pathlib import Path
from typing import Any

from archer.process import Child, Limits
from pipelines.conformance.browsers.base import ASYNC, Browser, Page, missing, value_of
from pipelines.conformance.errors import BrowserGone, ScriptFailed

VARIABLE = "CINEMILL_FIREFOX"
NAMES = ("firefox-esr", "firefox")
START_S = 60
PREFS: dict[str, bool | int | str] = {
    "marionette.port": 0,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.eme.enabled": True,
    "media.volume_scale": "0.01",
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.disabledForTesting": True,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "dom.disable_open_during_load": False,
    "privacy.reduceTimerPrecision": False,
    "security.sandbox.content.level": 0,
}


def find_firefox() -> str | None:
    """Its binary; None where there is none."""
    asked = os.environ.get(VARIABLE)
    return shutil.which(asked) if asked else next(filter(None, map(shutil.which, NAMES)), None)


class Firefox(Browser):
    """One browser process.

    Args:
        profile: an empty folder.

    Attributes:
        home: the tab that it began with; it stays open, since Firefox ends with its last one.

    Raises:
        ToolMissing: it is not installed. BrowserGone: it does not start.
    """

    def __init__(self, profile: Path) -> None:
        binary = find_firefox()
        if binary is None:
            raise missing("firefox", "firefox-esr", VARIABLE)
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFS.items())
        (profile / "user.js").write_text("\n".join(lines))
        argv = [binary, "--headless", "--no-remote", "--marionette", "--width", "1280", "--height", "900"]
        environment = {**os.environ, "HOME": str(profile), "MOZ_DISABLE_AUTO_SAFE_MODE": "1"}
        self._child = Child(
            [*argv, "--profile", str(profile)], limits=Limits(memory_mb=None), env=environment
        )
        self._count, self._buffer = 0, b""
        try:
            self._socket = self._connect(profile / "MarionetteActivePort")
            self._message()  # its greeting
            capabilities = self.call("WebDriver:NewSession", capabilities={})["capabilities"]
        except BaseException:
            self._child.kill()
            raise
        self.version = f"Firefox/{capabilities['browserVersion']}"
        self.call("WebDriver:SetTimeouts", script=120_000)
        self.home = str(self.call("WebDriver:GetWindowHandle")["value"])

    def _connect(self, port_file: Path) -> socket.socket:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if port_file.exists() and (text := port_file.read_text().strip()):
                return socket.create_connection(("127.0.0.1", int(text)), timeout=START_S)
            time.sleep(0.1)
        raise BrowserGone("firefox", "starting")

    def call(self, method: str, timeout_s: float = 60, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its result.

        Raises:
            ScriptFailed: the browser refuses it. BrowserGone: it is gone, or says nothing.
        """
        self._count += 1
        text = json.dumps([0, self._count, method, params])
        self._socket.settimeout(timeout_s)
        try:
            self._socket.sendall(f"{len(text.encode())}:".encode() + text.encode())
            _, number, error, result = self._message()
        except OSError as broken:
            raise BrowserGone("firefox", method) from broken
        if number != self._count:
            raise BrowserGone("firefox", f"{method}: answers out of step")
        if error:
            raise ScriptFailed(method, str(error.get("message")))
        return result if isinstance(result, dict) else {"value": result}

    def _message(self) -> Any:
        while b":" not in self._buffer:
            self._receive()
        size, _, rest = self._buffer.partition(b":")
        self._buffer = rest
        while len(self._buffer) < int(size):
            self._receive()
        content, self._buffer = self._buffer[: int(size)], self._buffer[int(size) :]
        return json.loads(content)

    def _receive(self) -> None:
        block = self._socket.recv(1 << 20)
        if not block:
            raise BrowserGone("firefox", "reading")
        self._buffer += block

    def open(self, url: str) -> FirefoxPage:
        """A new tab, in front of the others."""
        self.call("WebDriver:SwitchToWindow", handle=self.home)
        handle = str(self.call("WebDriver:NewWindow", type="tab")["handle"])
        page = FirefoxPage(self, handle)
        self.call("WebDriver:SwitchToWindow", handle=handle)
        self.call("WebDriver:Navigate", url=url)
        return page

    def close(self) -> None:
        """End the browser."""
        self._socket.close()
        self._child.kill()


class FirefoxPage(Page):
    """A tab of Firefox. Marionette tells no console messages; the page reports its errors itself."""

    def __init__(self, browser: Firefox, handle: str) -> None:
        self._browser, self._handle = browser, handle

    def evaluate(self, script: str, timeout_s: float = 60) -> Any:
        """See `Page`."""
        self._browser.call("WebDriver:SwitchToWindow", handle=self._handle)
        text = self._browser.call("WebDriver:ExecuteAsyncScript", timeout_s + 5, script=ASYNC, args=[script])[
            "value"
        ]
        return value_of(script, text)

    def close(self) -> None:
        """See `Page`; the tab that the browser began with stays."""
        self._browser.call("WebDriver:SwitchToWindow", handle=self._handle)
        self._browser.call("WebDriver:CloseWindow")
        self._browser.call("WebDriver:SwitchToWindow", handle=self._browser.home)

    def screenshot(self) -> bytes:
        """See `Page`."""
        self._browser.call("WebDriver:SwitchToWindow", handle=self._handle)
        return base64.b64decode(self._browser.call("WebDriver:TakeScreenshot", full=False)["value"])

    def complaints(self) -> list[str]:
        """Nothing: see the class."""
        return []
