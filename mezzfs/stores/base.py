"""What a store is: somewhere objects are, that can tell about them and give byte ranges of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from mezzfs.objects import Stat

Bytes = bytes | memoryview


class Sealed(bytes):
    """Bytes that fit a checksum of their source; they are checked again at every read from memory."""


CHUNK = 512 << 10
"""Bytes per chunk of an answer: stays in the processor's cache on its way into the arena."""


def _nowhere() -> None:
    return None


@dataclass(slots=True)
class Landing:
    """Where an answer may put its next bytes, so that they need not be copied there later.

    Attributes:
        room: gives writable memory for them, or None; asked before each chunk.
    """

    room: Callable[[], memoryview | None] = _nowhere


@dataclass(slots=True, kw_only=True)
class Reply:
    """An answer to a request for a byte range, as the store gave it; nothing of it is checked yet (see `mezzfs.fetch`).

    Attributes:
        chunks: the bytes, in pieces of any size; a piece may be a view that is good only until the next is asked for.
        landing: whoever takes the chunks may set its `room`; a store that cannot read into memory ignores it.
        close: gives the connection back or ends it; may be called twice.
        partial: True for 206, False for 200 (the whole object).
        first, total: from Content-Range: offset of the first byte, size of the object; None where it is not said.
        length: bytes of the answer; None where it is not said.
        etag: of the version that the bytes are from; None where it is not said.
        sha256: of the bytes of this answer (RFC 9530 Content-Digest); None where it is not said.
    """

    chunks: Iterator[Bytes]
    close: Callable[[], None]
    landing: Landing = field(default_factory=Landing)
    partial: bool = True
    first: int | None = None
    total: int | None = None
    length: int | None = None
    etag: str | None = None
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a folder; `stat` is None for a folder."""

    name: str
    stat: Stat | None = None


class Upload(Protocol):
    """A new object being written, in order; it exists for nobody before `commit`."""

    def write(self, data: bytes) -> None:
        """Append bytes."""

    def commit(self) -> None:
        """Make the object visible, whole."""

    def abort(self) -> None:
        """Leave nothing behind; harmless after `commit`."""


@runtime_checkable
class Asking(Protocol):
    """An upload whose store can be asked whether it takes the object, before there are bytes; give it up with `abort`."""

    def begin(self) -> None:
        """Ask; nothing is visible of it."""


class Store(Protocol):
    """Thread-safe. Every method raises `mezzfs.MezzError`s; those that say `retryable` are tried again by the caller."""

    def stat(self, url: str) -> Stat:
        """What the object is now.

        Raises:
            NotFound, NotAFile (a folder), AccessDenied, Unreachable.
        """

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """Ask for bytes of the version that `stat` names, which must be refused where the object is another one now.

        Raises:
            ChangedObject, and as `stat`.
        """

    def list(self, url: str) -> list[Entry]:
        """Names in a folder, sorted.

        Raises:
            NotFound, AccessDenied, Unreachable; NotWritable where the store cannot list.
        """

    def create(self, url: str) -> Upload:
        """Begin a new object.

        Raises:
            NotWritable where the store is read-only.
        """

    def refresh(self) -> None:
        """Forget credentials that may have expired."""
