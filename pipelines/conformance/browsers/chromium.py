"""Chromium over the pipe of its DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import time
from pathlib import Path
from typing import Any

from archer.process import Child, Limits
from pipelines.conformance.browsers.base import Browser, Page, missing
from pipelines.conformance.errors import BrowserGone, ScriptFailed

VARIABLE = "CINEMILL_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-default-apps --disable-extensions --mute-audio "
    "--autoplay-policy=no-user-gesture-required --disable-dev-shm-usage --window-size=1280,900 "
    "--force-color-profile=srgb --remote-debugging-pipe"
)
Message = dict[str, Any]


def find_chromium() -> str | None:
    """Its binary; None where there is none."""
    asked = os.environ.get(VARIABLE)
    return shutil.which(asked) if asked else next(filter(None, map(shutil.which, NAMES)), None)


class Chromium(Browser):
    """One browser process; commands and events of the DevTools protocol.

    Args:
        profile: an empty folder.

    Raises:
        ToolMissing: it is not installed.
    """

    def __init__(self, profile: Path) -> None:
        binary = find_chromium()
        if binary is None:
            raise missing("chromium", "chromium", VARIABLE)
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # Chromium reads descriptor 3 and writes descriptor 4; we cannot know that ours have these numbers.
        script = f'exec "$@" 3</proc/self/fd/{to_read} 4>/proc/self/fd/{to_write}'
        argv = [
            "/bin/sh",
            "-c",
            script,
            "sh",
            binary,
            *FLAGS.split(),
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        try:
            self._child = Child(argv, limits=Limits(memory_mb=None), pass_fds=(to_read, to_write))
        except BaseException:
            os.close(self._write)
            os.close(self._read)
            raise
        finally:
            os.close(to_read)
            os.close(to_write)
        self._buffer, self._count = b"", 0
        self.events: list[Message] = []
        self.version = str(self.call("Browser.getVersion")["product"])

    def call(self, method: str, session: str = "", timeout_s: float = 60, **params: Any) -> Message:
        """Send a command and wait for its result; events on the way are kept in `events`.

        Raises:
            ScriptFailed: the browser refuses it. BrowserGone: it is gone, or says nothing.
        """
        self._count += 1
        message: Message = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        try:
            os.write(self._write, json.dumps(message).encode() + b"\0")
        except OSError as error:
            raise BrowserGone("chromium", method) from error
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for answer in self.pump(until - time.monotonic()):
                if answer["id"] == self._count:
                    if "error" in answer:
                        raise ScriptFailed(method, str(answer["error"].get("message")))
                    return dict(answer["result"])
        raise BrowserGone("chromium", method)

    def pump(self, wait_s: float) -> list[Message]:
        """Read what has come: events are kept, answers returned."""
        if not select.select([self._read], [], [], max(wait_s, 0))[0]:
            return []
        block = os.read(self._read, 1 << 20)
        if not block:
            raise BrowserGone("chromium", "reading")
        *messages, self._buffer = (self._buffer + block).split(b"\0")
        parsed = [json.loads(message) for message in messages]
        self.events += [message for message in parsed if "id" not in message]
        return [message for message in parsed if "id" in message]

    def open(self, url: str) -> ChromiumPage:
        """A new tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = ChromiumPage(self, str(session), str(target))
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        page.wait_for("document.readyState === 'complete'", 30)
        return page

    def close(self) -> None:
        """End the browser; it also ends when its pipe closes."""
        os.close(self._write)
        self._child.kill()
        os.close(self._read)


class ChromiumPage(Page):
    """A tab of Chromium.

    Attributes:
        session: what events of the browser about this tab carry as `sessionId`.
    """

    def __init__(self, browser: Chromium, session: str, target: str) -> None:
        self._browser, self.session, self._target = browser, session, target

    def call(self, method: str, timeout_s: float = 60, **params: Any) -> Message:
        """A command to this tab."""
        return self._browser.call(method, self.session, timeout_s, **params)

    def evaluate(self, script: str, timeout_s: float = 60) -> Any:
        """See `Page`."""
        answer = self.call(
            "Runtime.evaluate", timeout_s, expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise ScriptFailed(script, details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def close(self) -> None:
        """See `Page`."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def screenshot(self) -> bytes:
        """See `Page`."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def complaints(self) -> list[str]:
        """Log entries, exceptions, and console warnings and errors."""
        self._browser.pump(0)
        own = [event for event in self._browser.events if event.get("sessionId") == self.session]
        found: list[str] = []
        for event in own:
            params = event["params"]
            if event["method"] == "Log.entryAdded":
                found.append(str(params["entry"]["text"]))
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(str(params["exceptionDetails"]["text"]))
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                found.append(" ".join(str(part.get("value", "")) for part in params["args"]))
        return found
