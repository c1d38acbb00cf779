"""Where artifacts can be kept beside a work folder: by name, whole, in anything that a URL may mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from archer.registry import STORES, installed, load

WHOLE_PUTS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"})
"""Protocols where an object appears when all of its bytes are there, so that it needs no other name at first."""
_names = count()


class Backend(Protocol):
    """Objects by relative name (`objects/ab/cdef.mp4`) below a URL; any number of processes use it at once.

    An implementation is installed by entry point group `cinemill.stores`, under the scheme of the URLs that it serves, and is
    made with such a URL. What goes wrong is an OSError.
    """

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""

    def put(self, path: Path, name: str) -> None:
        """Keep a file under a name, which appears when all of it is there; whatever had that name is replaced."""

    def get(self, name: str, path: Path) -> None:
        """Write an object to a local file. Raises FileNotFoundError where there is none."""

    def read(self, name: str) -> bytes:
        """All of a small object. Raises FileNotFoundError where there is none."""

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Name and size of every object below a prefix."""

    def remove(self, name: str) -> None:
        """Delete an object."""


def backend_for(url: str) -> Backend:
    """The backend of a URL: a plug-in's where one serves its scheme, fsspec's otherwise.

    Raises:
        SpecError: the plug-in cannot be loaded.
    """
    scheme = url.partition("://")[0]
    made: Backend = load(STORES, scheme)(url) if scheme in installed(STORES) else FsspecBackend(url)
    return made


class FsspecBackend:
    """Objects at any URL that fsspec knows: `s3://bucket/prefix`, `memory://x`, a path.

    Args:
        url: of the folder.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        protocol = self._fs.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        self._whole = not names.isdisjoint(WHOLE_PUTS)

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        try:
            return int(self._fs.size(self._at(name)))
        except FileNotFoundError:
            return None

    def put(self, path: Path, name: str) -> None:
        """Upload a file; where uploads are seen while they grow, under another name at first."""
        at = self._at(name)
        self._fs.makedirs(at.rpartition("/")[0], exist_ok=True)
        if self._whole:
            self._fs.put_file(str(path), at)
            return
        beside = f"{at}.{os.getpid()}-{next(_names)}.new"
        self._fs.put_file(str(path), beside)
        self._fs.mv(beside, at)

    def get(self, name: str, path: Path) -> None:
        """Download an object."""
        self._fs.get_file(self._at(name), str(path))

    def read(self, name: str) -> bytes:
        """Its bytes."""
        found: Any = self._fs.cat_file(self._at(name))
        return bytes(found)

    def names(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Name and size of every object below a prefix."""
        try:
            found = self._fs.find(self._at(prefix), detail=True)
        except FileNotFoundError:
            return
        for path, facts in found.items():
            yield str(path)[len(self._root) + 1 :], int(facts["size"])

    def remove(self, name: str) -> None:
        """Delete an object."""
        self._fs.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"
