"""New objects through a mount: written in order, visible when they are complete; all else is refused with the reason."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
from dataclasses import dataclass, field

from mezzfs.errors import MezzError, NotWritable
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.protocol import Owner
from mezzfs.stores.base import Upload

log = logging.getLogger(__name__)
FIRST = 1 << 48
"""Numbers of writing handles begin here, so that they differ from those that read."""


class OutOfOrder(NotWritable):
    """A write that does not go on where the last one ended."""


@dataclass(slots=True)
class New:
    """One file being written."""

    path: str
    upload: Upload
    size: int = 0
    broken: bool = False
    done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Writing:
    """The files being written in one mount."""

    def __init__(self, catalog: Catalog, owner: Owner) -> None:
        self._catalog, self._owner = catalog, owner
        self._files: dict[int, New] = {}
        self._next = FIRST
        self._lock = threading.Lock()

    def begin(self, path: str, *, replaces: bool, flags: int) -> int:
        """Begin a file; returns its handle.

        Raises:
            NotWritable: the mount is read-only, or the file would be changed in place.
        """
        if not self._owner.writable:
            raise NotWritable(path, "the mount is read-only; mount with --write to make new objects")
        if flags & os.O_APPEND or (replaces and not flags & os.O_TRUNC):
            raise NotWritable(path, "objects cannot be changed in place; write a new one, whole")
        upload = self._catalog.create(path)
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._files[number] = New(path, upload)
        return number

    def size(self, path: str) -> int | None:
        """Bytes written so far of a file being written; None where none is."""
        with self._lock:
            return next((new.size for new in self._files.values() if new.path == path and not new.done), None)

    def write(self, number: int, offset: int, data: bytes) -> None:
        """Append.

        Raises:
            NotWritable: not at the end of what was written.
            MezzError: the store does not take it; the file is lost.
        """
        new = self._files[number]
        with new.lock:
            if new.done or new.broken or offset != new.size:
                log.warning(
                    "%s: objects are written in order, once; got a write at %d, wanted %d",
                    new.path,
                    offset,
                    new.size,
                )
                raise OutOfOrder(new.path, "objects are written from start to end, once")
            try:
                new.upload.write(data)
            except MezzError:
                new.broken = True
                raise
            new.size += len(data)

    def commit(self, number: int) -> None:
        """Make a file visible; called when it is closed.

        Raises:
            MezzError: the store does not take it; nothing is visible.
        """
        new = self._files.get(number)
        if new is None or new.done:
            return
        with new.lock:
            if new.broken:
                raise NotWritable(
                    new.path, f"a write failed before ({os.strerror(errno.EIO)}); nothing was kept"
                )
            new.upload.commit()
            new.done = True
        forget = getattr(self._catalog, "forget", None)
        if forget is not None:
            forget(new.path)

    def release(self, number: int) -> None:
        """Forget a handle; what was not committed leaves nothing behind."""
        with self._lock:
            new = self._files.pop(number, None)
        if new is not None and not new.done:
            self._abort(new)

    def abandon(self) -> None:
        """The mount ends: drop all files that are not complete."""
        for number in list(self._files):
            self.release(number)

    def _abort(self, new: New) -> None:
        try:
            with contextlib.suppress(OSError):
                new.upload.abort()
        except MezzError as error:
            log.warning("%s: parts of an upload may be left: %s", new.path, error)
