"""Artifacts at a URL, behind the folder that caches them: `s3://bucket/prefix`, `memory://x`, a shared mount.

A blob is `objects/ab/cdef....suffix` there as it is in the folder; a tree is its listing (a blob) and the blobs of its files. The
listing goes last, so what has a listing is whole. Every blob that is fetched is checked against its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from archer.errors import BlobDamaged
from archer.store.backend import backend_for

_names = count()


class RemoteBlobs:
    """Blobs by hash at a URL. Safe for any number of processes: equal content meets under one name.

    Args:
        url: of the folder; see `backend_for`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._backend = backend_for(url)

    def has(self, name: str, size: int | None = None) -> bool:
        """True where the blob is there, in this size."""
        found = self._backend.size(name)
        return found is not None and size in (None, found)

    def put(self, path: Path, name: str) -> None:
        """Upload a finished file, unless it is there."""
        if not self.has(name, path.stat().st_size):
            self._backend.put(path, name)

    def fetch(self, name: str, digest: str, place: Path) -> None:
        """Download a blob to its place in the folder.

        Raises:
            BlobDamaged: it is not there, or its bytes are not what `digest` says.
        """
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{place.name}.{os.getpid()}-{next(_names)}")
        try:
            self._backend.get(name, beside)
            with beside.open("rb") as file:
                found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
            if found != digest:
                raise BlobDamaged(digest, f"{self.url}/{name}")
            beside.replace(place)
        except FileNotFoundError as error:
            raise BlobDamaged(digest, f"{self.url}/{name}") from error
        finally:
            beside.unlink(missing_ok=True)

    def signed(self, name: str, seconds: int) -> str:
        """An address where anybody may read the blob for a while; empty where the store gives none."""
        import mezzfs

        return mezzfs.signed(f"{self.url.rstrip('/')}/{name}", seconds)

    def put_tree(self, folder: Path, listing: dict[str, Any], listing_path: Path, listing_name: str) -> None:
        """Upload the files of a tree as blobs, then its listing."""
        for relative, entry in listing.items():
            self.put(folder / relative, blob_name(entry["hash"]))
        self.put(listing_path, listing_name)

    def fetch_tree(self, listing_path: Path, place: Path) -> None:
        """Download the files that a listing names. Raises: see `fetch`."""
        beside = place.with_name(f".{place.name}.{os.getpid()}-{next(_names)}")
        try:
            for relative, entry in json.loads(listing_path.read_bytes()).items():
                self.fetch(blob_name(entry["hash"]), entry["hash"], beside / relative)
            beside.mkdir(parents=True, exist_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                beside.rename(place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, as a manifest is."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self._backend.put(Path(file.name), name)

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Name and size of every blob."""
        return self._backend.names("objects")

    def files_of(self, name: str) -> list[str]:
        """Hashes of the files of a tree, where the blob is a listing; nothing otherwise."""
        value = json.loads(self._backend.read(name))
        if not isinstance(value, dict) or not all(
            isinstance(entry, dict) and "hash" in entry for entry in value.values()
        ):
            return []
        return [str(entry["hash"]) for entry in value.values()]

    def remove(self, name: str) -> None:
        """Delete a blob."""
        self._backend.remove(name)


def blob_name(digest: str, suffix: str = "") -> str:
    """Where a blob is, below the root of any store."""
    word = digest.removeprefix("sha256:")
    return f"objects/{word[:2]}/{word[2:]}{suffix}"
