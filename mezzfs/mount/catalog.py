"""What a mount shows: a folder of a store, one object, or the files of a manifest."""

from __future__ import annotations

import contextlib
import posixpath
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mezzfs.errors import NotFound, NotWritable
from mezzfs.objects import ObjectMap, Stat, whole
from mezzfs.stores import store_for
from mezzfs.stores.base import Entry, Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file of a mount: how long it is, what it is made of, and the known versions of its objects."""

    stat: Stat
    layout: ObjectMap
    stats: dict[str, Stat] = field(default_factory=dict)


class Catalog(Protocol):
    """Names of a mount; paths are relative, with `/` between, "" is the root. Thread-safe."""

    def find(self, path: str) -> Found | None:
        """A file; None for a folder. Raises: NotFound, and as stores do."""

    def list(self, path: str) -> Sequence[Entry]:
        """Names in a folder, sorted."""

    def create(self, path: str) -> Upload:
        """Begin a new file. Raises: NotWritable."""


class UrlCatalog:
    """A folder of a store. Listings are remembered for some seconds, so that `ls -l` asks once.

    Args:
        url: the folder.
        fresh_s: how long a listing counts.
    """

    def __init__(self, url: str, *, fresh_s: float = 5.0) -> None:
        self._root, self._fresh_s = url.rstrip("/"), fresh_s
        self._store = store_for(url)
        self._seen: dict[str, tuple[float, Stat | None]] = {}
        self._lock = threading.Lock()

    def find(self, path: str) -> Found | None:
        """See `Catalog.find`."""
        stat = self._remembered(path)
        if stat is None:
            return None
        url = self._url(path)
        return Found(stat=stat, layout=whole(url, stat.size), stats={url: stat})

    def list(self, path: str) -> Sequence[Entry]:
        """See `Catalog.list`; where a store cannot list, the names found so far."""
        try:
            entries = self._store.list(self._url(path))
        except NotWritable:
            return self._known(path)
        now = time.monotonic()
        with self._lock:
            for entry in entries:
                self._seen[posixpath.join(path, entry.name)] = now, entry.stat
        return entries

    def create(self, path: str) -> Upload:
        """See `Catalog.create`."""
        with self._lock:
            self._seen.pop(path, None)
        return self._store.create(self._url(path))

    def forget(self, path: str) -> None:
        """Ask the store again next time: the object has changed."""
        with self._lock:
            self._seen.pop(path, None)

    def _remembered(self, path: str) -> Stat | None:
        if not path:
            return None
        with self._lock:
            when, stat = self._seen.get(path, (float("-inf"), None))
        if time.monotonic() - when < self._fresh_s:
            return stat
        try:
            stat = self._store.stat(self._url(path))
        except IsADirectoryError:
            stat = None
        with self._lock:
            if len(self._seen) > 100_000:
                self._seen.clear()
            self._seen[path] = time.monotonic(), stat
        return stat

    def _known(self, path: str) -> Sequence[Entry]:
        with self._lock:
            seen = sorted(self._seen.items())
        return [
            Entry(name=posixpath.basename(name), stat=stat)
            for name, (_, stat) in seen
            if posixpath.dirname(name) == path
        ]

    def _url(self, path: str) -> str:
        return f"{self._root}/{path}" if path else self._root


class FilesCatalog:
    """Files known beforehand, in folders: a manifest, or one object.

    Args:
        files: path to what is there.
    """

    def __init__(self, files: dict[str, Found]) -> None:
        self._files = files
        self._folders: dict[str, dict[str, Stat | None]] = {"": {}}
        for path, found in files.items():
            self._folders.setdefault(posixpath.dirname(path), {})[posixpath.basename(path)] = found.stat
        for folder in list(self._folders):
            while folder:
                parent, name = posixpath.split(folder)
                self._folders.setdefault(parent, {})[name] = None
                folder = parent

    def find(self, path: str) -> Found | None:
        """See `Catalog.find`."""
        if path in self._folders:
            return None
        if path not in self._files:
            raise NotFound(path)
        return self._files[path]

    def list(self, path: str) -> Sequence[Entry]:
        """See `Catalog.list`."""
        return [Entry(name=name, stat=stat) for name, stat in sorted(self._folders[path].items())]

    def create(self, path: str) -> Upload:
        """A manifest is what it is."""
        raise NotWritable(
            path, "the files of a manifest cannot be written; mount the folder that they come from"
        )


def catalog_for(url: str) -> Catalog:
    """A catalog of one object, or of a folder.

    Raises:
        MezzError: it is not there, or cannot be reached.
    """
    try:
        found = store_for(url).stat(url)
    except (IsADirectoryError, NotFound):  # a web server says "not found" of a folder that it does not list
        store = store_for(url)
        with contextlib.suppress(NotWritable):
            store.list(url)
        return UrlCatalog(url)
    except PermissionError:
        if not url.startswith("http"):
            raise
        return UrlCatalog(url)
    if url.endswith("/"):
        return UrlCatalog(url)
    name = posixpath.basename(url.partition("?")[0])
    return FilesCatalog({name: Found(stat=found, layout=whole(url, found.size), stats={url: found})})
