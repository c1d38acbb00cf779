"""Errors of mezzfs, drawn as a tree. Each carries the URL and says what to do.

CinemillError
└── MezzError
    ├── NotFound(FileNotFoundError)    there is no such object
    ├── NotAFile(IsADirectoryError)    it is a folder
    ├── EmptyObject(ValueError)        it has no bytes
    ├── AccessDenied(PermissionError)  we may not read it
    ├── MissingExtra(ImportError)      its protocol needs a package that is not installed
    └── Unreachable(OSError)           its server does not answer      [retryable]
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class MezzError(CinemillError):
    """An object cannot be read.

    Attributes:
        url: the object, as the user named it.
        reason: what is wrong.
    """

    wanted = ""

    def __init__(self, url: str, reason: str = "") -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason or self.wanted}"


class NotFound(MezzError, FileNotFoundError):
    """There is no such object."""

    wanted = "no such file or object; check the path"


class NotAFile(MezzError, IsADirectoryError):
    """It is a folder."""

    wanted = "is a folder; wanted a media file"


class EmptyObject(MezzError, ValueError):
    """It has no bytes."""

    wanted = "the file is empty (0 bytes); copy it again"


class AccessDenied(MezzError, PermissionError):
    """We may not read it."""

    wanted = "no permission to read it; check its owner and your credentials"


class MissingExtra(MezzError, ImportError):
    """Its protocol needs a package that is not installed."""


class Unreachable(MezzError, OSError):
    """Its server does not answer."""

    retryable = True
