"""Errors of packaging, drawn as a tree.

CinemillError
└── PackagingError
    ├── CannotPackage(ValueError)      the tracks do not make a package
    ├── CannotSign(ValueError)         there is nothing that could be signed or verified
    ├── KeyStoreError(ValueError)      the content keys cannot be had
    ├── PackagerFailed(RuntimeError)   Shaka Packager gave up
    └── PackageWrong(RuntimeError)     what it wrote does not show what it was given
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class PackagingError(CinemillError):
    """Something about making a package."""


class CannotPackage(PackagingError, ValueError):
    """The tracks do not make a package.

    Attributes:
        track: the track at fault.
        reason: what is wrong, what was wanted and what to do.
    """

    def __init__(self, track: str, reason: str) -> None:
        super().__init__(track, reason)
        self.track, self.reason = track, reason

    def __str__(self) -> str:
        return f"cannot package {self.track}: {self.reason}"


class CannotSign(PackagingError, ValueError):
    """There is nothing that could be signed or verified.

    Attributes:
        place: the file.
        reason: what is wrong and what was wanted.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place, self.reason = place, reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class KeyStoreError(PackagingError, ValueError):
    """The content keys cannot be had.

    Attributes:
        store: the file, or what is missing.
        reason: what is wrong and what to do; never holds a key.
    """

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(store, reason)
        self.store, self.reason = store, reason

    def __str__(self) -> str:
        return f"{self.store}: {self.reason}"


class PackagerFailed(PackagingError, RuntimeError):
    """Shaka Packager gave up.

    Attributes:
        message: its last words, without its log prefix.
        exit_code: its exit code.
        stderr_tail: its last 20 lines.
    """

    def __init__(self, message: str, exit_code: int, stderr_tail: str) -> None:
        super().__init__(message, exit_code, stderr_tail)
        self.message, self.exit_code, self.stderr_tail = message, exit_code, stderr_tail

    def __str__(self) -> str:
        return f"Shaka Packager (exit code {self.exit_code}): {self.message}"


class PackageWrong(PackagingError, RuntimeError):
    """A packaged track does not show what it was given.

    Attributes:
        track: the track at fault.
        reason: the first difference.
    """

    def __init__(self, track: str, reason: str) -> None:
        super().__init__(track, reason)
        self.track, self.reason = track, reason

    def __str__(self) -> str:
        return f"package of {self.track}: {self.reason}"
