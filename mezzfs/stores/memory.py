"""Objects in the memory of this process: for tests, and as the model that the other stores are held against."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

from mezzfs.errors import ChangedObject, NotAFile, NotFound
from mezzfs.objects import Stat
from mezzfs.stores.base import CHUNK, Entry, Reply, Upload
from mezzfs.stores.upload import WaitingUpload


class MemoryStore:
    """URLs to bytes; use it with `mezzfs.stores.register("test", MemoryStore())`."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, Stat]] = {}
        self._lock = threading.Lock()

    def put(self, url: str, data: bytes) -> None:
        """Create or replace an object."""
        etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        with self._lock:
            self._objects[url] = data, Stat(size=len(data), etag=etag, mtime_s=1)

    def remove(self, url: str) -> None:
        """Remove an object."""
        with self._lock:
            del self._objects[url]

    def stat(self, url: str) -> Stat:
        """See `Store.stat`."""
        return self._find(url)[1]

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`."""
        data, now = self._find(url)
        if now != stat:
            raise ChangedObject(url)
        piece = data[offset : offset + length]
        chunks = (piece[at : at + CHUNK] for at in range(0, len(piece), CHUNK))
        return Reply(
            chunks=chunks,
            close=lambda: None,
            first=offset,
            total=now.size,
            length=len(piece),
            etag=now.etag,
        )

    def list(self, url: str) -> list[Entry]:
        """See `Store.list`."""
        entries = {entry.name: entry for entry in self._below(url.rstrip("/") + "/")}
        if not entries:
            raise NotFound(url)
        return [entries[name] for name in sorted(entries)]

    def create(self, url: str) -> Upload:
        """See `Store.create`."""
        return WaitingUpload(lambda data: self.put(url, data))

    def refresh(self) -> None:
        """There are no credentials."""

    def _below(self, prefix: str) -> Iterator[Entry]:
        with self._lock:
            objects = list(self._objects.items())
        for url, (_, stat) in objects:
            if url.startswith(prefix):
                name, slash, _ = url[len(prefix) :].partition("/")
                yield Entry(name=name, stat=None if slash else stat)

    def _find(self, url: str) -> tuple[bytes, Stat]:
        with self._lock:
            found = self._objects.get(url)
            folder = found is None and any(name.startswith(url.rstrip("/") + "/") for name in self._objects)
        if folder:
            raise NotAFile(url)
        if found is None:
            raise NotFound(url)
        return found
