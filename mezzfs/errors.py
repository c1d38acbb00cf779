"""Errors of mezzfs, drawn as a tree. Each carries the URL and says what to do.

CinemillError
└── MezzError
    ├── NotFound(FileNotFoundError)    there is no such object
    ├── NotAFile(IsADirectoryError)    it is a folder, or a stream that can be read only once
    ├── EmptyObject(ValueError)        it has no bytes
    ├── AccessDenied(PermissionError)  we may not read it
    │   └── ExpiredCredentials         we might again, with new ones           [retryable]
    ├── MissingExtra(ImportError)      its protocol needs a package that is not installed
    ├── Unreachable(OSError)           its server does not answer             [retryable]
    ├── BadReply(OSError)              the server answered something else     [retryable]
    ├── ChangedObject(OSError)         it was replaced while we read it
    ├── BadManifest(ValueError)        a manifest that cannot be used
    ├── NotWritable(OSError)           a way of writing that objects do not have
    └── CannotMount(OSError)           the mount cannot be made here
"""

from __future__ import annotations

import errno

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
        _number(self, reason or self.wanted)

    def __str__(self) -> str:
        return f"{shown(self.url)}: {self.reason or self.wanted}"


class NotFound(MezzError, FileNotFoundError):
    """There is no such object."""

    wanted = "no such file or object; check the path"


class NotAFile(MezzError, IsADirectoryError):
    """It is a folder, or a stream that can be read only once."""

    wanted = "is a folder; wanted a media file"
    stream = "is a pipe or a device, but is read more than once, and not in order; save it to a file, and name that"


class EmptyObject(MezzError, ValueError):
    """It has no bytes."""

    wanted = "the file is empty (0 bytes); copy it again"


class AccessDenied(MezzError, PermissionError):
    """We may not read it."""

    wanted = "no permission to read it; check its owner and your credentials"


class ExpiredCredentials(AccessDenied):
    """The credentials have expired; the SDK is asked for new ones."""

    wanted = "the credentials have expired; renew them"
    retryable = True


class MissingExtra(MezzError, ImportError):
    """Its protocol needs a package that is not installed."""


class Unreachable(MezzError, OSError):
    """Its server does not answer."""

    retryable = True


class BadReply(MezzError, OSError):
    """The server answered something else than what was asked: wrong range, length, checksum; or it cut its answer off."""

    retryable = True


class ChangedObject(MezzError, OSError):
    """It was replaced while we read it; bytes of two versions are never mixed."""

    wanted = "the object was replaced while it was read; open it again"


class BadManifest(MezzError, ValueError):
    """A manifest that cannot be used."""


class NotWritable(MezzError, OSError):
    """A way of writing that objects do not have."""


class CannotMount(MezzError, OSError):
    """The mount cannot be made here."""


NUMBERS: tuple[tuple[type[BaseException], int], ...] = (
    (NotFound, errno.ENOENT),
    (NotAFile, errno.EISDIR),
    (AccessDenied, errno.EACCES),
    (ChangedObject, errno.ESTALE),
    (NotWritable, errno.EROFS),
    (MissingExtra, errno.ENOTSUP),
    (Unreachable, errno.EIO),
    (BadReply, errno.EIO),
)
"""What a mount answers for each error; anything else is EIO."""


def errno_of(error: BaseException) -> int:
    """The errno that a mount answers for `error`."""
    return next((number for kind, number in NUMBERS if isinstance(error, kind)), errno.EIO)


def _number(error: BaseException, reason: str) -> None:
    """Give those of our errors that are errors of the system their number."""
    if isinstance(error, OSError):
        error.errno, error.strerror = errno_of(error), reason


def shown(url: str) -> str:
    """`url` without what must not be logged: passwords, and the values of its query (signatures of signed URLs)."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    place, slash, path = rest.partition("/")
    path, query, _ = path.partition("?")
    return scheme + mark + place.rpartition("@")[2] + slash + path + ("?..." if query else "")
