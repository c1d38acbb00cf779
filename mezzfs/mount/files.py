"""What is open in a mount, and what is being written: the half of a face that does not speak to the kernel."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Literal

from mezzfs.core import Core
from mezzfs.errors import MezzError, errno_of
from mezzfs.handle import Handle
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.protocol import Owner
from mezzfs.mount.writing import Writing
from mezzfs.objects import Stat

log = logging.getLogger(__name__)
HINTS, STATS = "user.mezzfs.hints.", "user.mezzfs.stats"
"""Ask a file for the attribute `user.mezzfs.hints.0-1048576,5000000-6000000` to say what will be read of it (asking is
allowed on a read-only mount, setting is not), and for `user.mezzfs.stats` to hear what was fetched.
Hints hold for all openings of the file, also later ones, until it is closed by all."""


Face = Literal["native", "mfusepy"]
"""What speaks to the kernel."""


class Failed(Exception):
    """An answer that is an errno."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def number_of(error: Exception, what: object) -> int:
    """The errno that answers a request for `what`; says in the log what a user cannot see by it."""
    if isinstance(error, Failed):
        return error.number
    if isinstance(error, MezzError):
        number = errno_of(error)
        if number not in (errno.ENOENT, errno.EISDIR):
            log.warning("%s", error)
        return number
    log.error("%s failed", what, exc_info=error)
    return errno.EIO


class Files:
    """Thread-safe.

    Args:
        catalog: what is shown.
        core: the engine that fetches.
        owner: whose the files are.
        more: further statistics of the face.
    """

    def __init__(
        self, catalog: Catalog, core: Core, owner: Owner, more: Callable[[], dict[str, Any]]
    ) -> None:
        self.catalog, self.core, self.owner = catalog, core, owner
        self.handles: dict[int, Handle] = {}
        self._hints: dict[str, list[tuple[int, int]]] = {}
        self.writing = Writing(catalog, owner)
        self._more = more

    def stat(self, path: str) -> Stat | None:
        """What a file is now, also one being written; None for a folder. Raises: NotFound, and as stores do."""
        size = self.writing.size(path)
        if size is not None:
            return Stat(size=size)
        found = self.catalog.find(path)
        return found.stat if found else None

    def open(self, path: str) -> Handle:
        """Open a file for reading. Raises: Failed for a folder, MezzError."""
        found = self.catalog.find(path)
        if found is None:
            raise Failed(errno.EISDIR)
        handle = self.core.open_map(found.layout, name=path, stats=found.stats)
        self.handles[handle.number] = handle
        handle.hint(self._hints.get(path, ()))
        return handle

    def release(self, number: int) -> Handle | None:
        """Forget a handle, of reading or of writing; returns that of reading."""
        handle = self.handles.pop(number, None)
        if handle is None:
            self.writing.release(number)
        else:
            handle.close()
            if self._hints and not any(
                other.shared is handle.shared for other in list(self.handles.values())
            ):
                self._hints.pop(handle.shared.name, None)
        return handle

    def cut(self, path: str) -> None:
        """Lengths are only those of files being written. Raises: Failed."""
        if self.writing.size(path) != 0:
            log.warning("%s: objects cannot be cut or grown; write a new one", path)
            raise Failed(errno.EROFS)

    def attribute(self, path: str, name: str) -> bytes:
        """One extended attribute. Raises: Failed where there is none of that name."""
        if name.startswith(HINTS):
            self._hint(path, name.removeprefix(HINTS))
            return b"taken"
        if name == STATS:
            return json.dumps(self.stats()).encode()
        raise Failed(errno.ENODATA)

    def _hint(self, path: str, text: str) -> None:
        try:
            pairs = [word.partition("-") for word in text.split(",")]
            ranges = [(int(first), int(end)) for first, _, end in pairs]
        except ValueError:
            raise Failed(errno.EINVAL) from None
        for handle in list(self.handles.values()):
            if handle.shared.name == path:
                self._hints[path] = ranges
                handle.hint(ranges)

    def stats(self) -> dict[str, Any]:
        """What happened so far: the engine's counters, the cache's, those of each file and those of the face."""
        return {
            "engine": asdict(self.core.counters),
            "cache": self.core.cache.stats(),
            "mount": self._more(),
            "open_files": len(self.handles),
            "files": self.core.files(),
        }

    def forget(self, path: str) -> None:
        """Ask the store again next time: the object has changed."""
        forget = getattr(self.catalog, "forget", None)
        if forget is not None:
            forget(path)

    def close(self) -> None:
        """The mount has ended: stop reading ahead, and leave nothing of what was not written whole."""
        for handle in list(self.handles.values()):
            handle.close()
        self.writing.abandon()
