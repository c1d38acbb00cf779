"""Errors of conformance, drawn as a tree.

CinemillError
└── ConformanceError
    ├── NoPackage(ValueError)         there is nothing that could be tested
    ├── UnknownDevice(ValueError)     no device or test has this name
    ├── ScriptFailed(RuntimeError)    a page's script threw
    └── BrowserGone(RuntimeError)     a browser ended, or does not answer   [retryable]
"""

from __future__ import annotations

from collections.abc import Sequence

from cinemill_native.errors import CinemillError


class ConformanceError(CinemillError):
    """Something about proving that a package plays."""


class NoPackage(ConformanceError, ValueError):
    """There is nothing that could be tested.

    Attributes:
        place: what was named.
        reason: what is wrong and what to do.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class UnknownDevice(ConformanceError, ValueError):
    """No device or test has this name.

    Attributes:
        kind: `device` or `test`.
        name: what was asked for.
        known: what there is.
    """

    def __init__(self, kind: str, name: str, known: Sequence[str]) -> None:
        super().__init__(kind, name, tuple(known))
        self.kind, self.name, self.known = kind, name, tuple(known)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: unknown; wanted one of {', '.join(self.known)}"


class ScriptFailed(ConformanceError, RuntimeError):
    """A page's script threw, or the browser refused a command.

    Attributes:
        script: what was run.
        reason: in the browser's words.
    """

    def __init__(self, script: str, reason: str) -> None:
        super().__init__(script, reason)
        self.script, self.reason = script, reason

    def __str__(self) -> str:
        return " ".join(self.reason.split())[:300]


class BrowserGone(ConformanceError, RuntimeError):
    """A browser ended, or does not answer; that is no word about the package.

    Attributes:
        browser: its name.
        doing: what was asked of it.
    """

    retryable = True

    def __init__(self, browser: str, doing: str) -> None:
        super().__init__(browser, doing)
        self.browser, self.doing = browser, doing

    def __str__(self) -> str:
        return f"{self.browser}: no answer while {self.doing}; it ended, or hangs"
