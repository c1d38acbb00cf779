"""What a conformance test needs of a browser."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from typing import Any, Self

from archer.errors import ToolMissing
from pipelines.conformance.errors import ScriptFailed

POLL_S = 0.1
ASYNC = (
    "const done = arguments[arguments.length - 1];"
    "(async () => await window.eval(arguments[0]))().then("
    "(value) => done(JSON.stringify({ value: value === undefined ? null : value })),"
    "(error) => done(JSON.stringify({ error: String(error) })));"
)
"""An asynchronous script of WebDriver that awaits the expression it is given; see `value_of`."""


class Page(ABC):
    """A tab."""

    @abstractmethod
    def evaluate(self, script: str, timeout_s: float = 60) -> Any:
        """The value of a JavaScript expression, promises awaited.

        Raises:
            ScriptFailed: it threw. BrowserGone: there was no answer.
        """

    @abstractmethod
    def screenshot(self) -> bytes:
        """What is shown, as PNG."""

    @abstractmethod
    def complaints(self) -> list[str]:
        """What the browser itself logged as warning or error about this page."""

    @abstractmethod
    def close(self) -> None:
        """Close the tab."""

    def wait_for(self, condition: str, timeout_s: float) -> bool:
        """Wait until an expression is true; False where it never was."""
        until = time.monotonic() + timeout_s
        while not self.evaluate(f"Boolean({condition})"):
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        return True


class Browser(ABC):
    """A browser process with a profile of its own; it ends with the `with` block.

    Attributes:
        version: what it calls itself.
    """

    version: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def open(self, url: str) -> Page:
        """A new tab that has loaded `url`."""

    @abstractmethod
    def close(self) -> None:
        """End it, with everything it started."""


def value_of(script: str, text: str) -> Any:
    """What `ASYNC` answered. Raises: ScriptFailed: the expression threw."""
    answer = json.loads(text)
    if "error" in answer:
        raise ScriptFailed(script, answer["error"])
    return answer["value"]


def missing(name: str, package: str, variable: str) -> ToolMissing:
    """The error that says how to get a browser."""
    return ToolMissing(name, f"apt-get install {package}, or set {variable}")
