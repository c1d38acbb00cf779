"""Blocks kept on a local disk, for later processes: as the store sent them, each with its CRC, shared by all who use the folder.

A segment is up to 64 MiB of one version of one object: a sparse file of data, and an index with length and CRC-32 of each
block of 32 KiB.
Data is written before its index entry, and every read checks the CRC: what a crash or another process tore is not there.
Nothing is locked; two processes that write one block write the same bytes.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from mezzfs.crypt import Ask
from mezzfs.stores.base import Bytes, Sealed

log = logging.getLogger(__name__)
BLOCK = 32 << 10
SEGMENT = 64 << 20
ENTRY = struct.Struct("<II")
TRIM_BYTES = 64 << 20
"""Bytes written between two looks at the limits."""


class DiskCache:
    """Thread-safe. Errors of the disk are logged and never reach a reader: the bytes come from the store then.

    Args:
        folder: made if need be; only the owner may look in.
        size: bytes on disk at most; segments that were used longest ago go first.
        age_s: segments that were not used for so long go too.
    """

    def __init__(self, folder: Path, *, size: int, age_s: float = 30 * 86400.0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.size, self.age_s = folder, size, age_s
        self.hits = self.misses = self.damaged = 0
        self._written, self._lock = TRIM_BYTES, threading.Lock()

    def get(self, version: str, offset: int, length: int) -> bytes | None:
        """Bytes [offset, offset + length) of a version of an object, if all are here and whole.

        Args:
            version: of the object: its URL and what its store says of it.
            offset: a multiple of a block.
            length: whole blocks, or up to the end of the object.
        """
        parts = []
        try:
            for path, at, count in self._segments(version, offset, length):
                part = self._read(path, at, count)
                if part is None:
                    self.misses += 1
                    return None
                parts.append(part)
        except OSError as error:
            self._complain(error)
            return None
        self.hits += 1
        return b"".join(parts)

    def put(self, version: str, offset: int, data: bytes) -> None:
        """Keep bytes from `offset` (a multiple of a block) on; a last block that is not whole is kept as it is."""
        try:
            done = 0
            for path, at, count in self._segments(version, offset, len(data)):
                self._write(path, at, memoryview(data)[done : done + count])
                done += count
        except OSError as error:
            self._complain(error)
            return
        with self._lock:
            self._written += len(data)
            due = self._written >= TRIM_BYTES
            self._written = 0 if due else self._written
        if due:
            self.trim()

    def trim(self) -> None:
        """Remove what is too old, and what is too much."""
        found = []
        for path in self.folder.glob("*.data"):
            with suppress(OSError):  # another process was faster
                status = path.with_suffix(".index").stat()
                found.append((status.st_mtime, path, path.stat().st_blocks * 512 + status.st_size))
        total, oldest = sum(size for *_, size in found), time.time() - self.age_s
        for used, path, size in sorted(found):
            if total <= self.size and used >= oldest:
                break
            path.with_suffix(".index").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            total -= size

    def _segments(self, version: str, offset: int, length: int) -> Iterator[tuple[Path, int, int]]:
        end = offset + length
        while offset < end:
            number, at = divmod(offset, SEGMENT)
            count = min(end - offset, SEGMENT - at)
            name = hashlib.sha256(f"{version}\0{number}".encode()).hexdigest()[:40]
            yield self.folder / f"{name}.data", at, count
            offset += count

    def _read(self, path: Path, at: int, count: int) -> bytes | None:
        first, last = at // BLOCK, (at + count - 1) // BLOCK
        try:
            with path.with_suffix(".index").open("rb") as index, path.open("rb", buffering=0) as file:
                entries = os.pread(index.fileno(), (last - first + 1) * ENTRY.size, first * ENTRY.size)
                data = os.pread(file.fileno(), count, at)
                os.utime(index.fileno())
        except FileNotFoundError:
            return None
        if len(entries) < (last - first + 1) * ENTRY.size or len(data) < count:
            return None
        for number, (length, crc) in enumerate(ENTRY.iter_unpack(entries)):
            block = data[number * BLOCK : (number + 1) * BLOCK]
            if length < len(block) or not length:
                return None
            if length != len(block) or zlib.crc32(block) != crc:
                self.damaged += length == len(block)
                return None
        return data

    def _write(self, path: Path, at: int, data: memoryview) -> None:
        entries = bytearray()
        for start in range(0, len(data), BLOCK):
            block = data[start : start + BLOCK]
            entries += ENTRY.pack(len(block), zlib.crc32(block))
        flags, index = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, path.with_suffix(".index")
        for place, where, what in ((path, at, data), (index, at // BLOCK * ENTRY.size, entries)):
            file = os.open(place, flags, 0o600)
            try:
                os.pwrite(file, what, where)
            finally:
                os.close(file)

    def _complain(self, error: OSError) -> None:
        log.warning("disk cache in %s: %s; going on without it", self.folder, error.strerror)


def through(
    disk: DiskCache | None, version: str, ask: Ask, found: Callable[[int, int], None] = lambda *_: None
) -> Ask:
    """`ask`, but for what the disk has, which `found` is told of; what comes from the store is kept there.

    Pieces that begin within a block pass by.
    """
    if disk is None:
        return ask

    def kept(start: int, length: int, take: Callable[[int, Bytes], bool]) -> int:
        data = None if start % BLOCK else disk.get(version, start, length)
        if data is not None:
            found(start, length)
            return length if take(start, Sealed(data)) else 0  # its blocks were checked when they were read
        whole = bytearray()

        def both(at: int, piece: Bytes) -> bool:
            whole.extend(piece)
            return take(at, piece)

        done = ask(start, length, both)
        if done == length and not start % BLOCK:
            disk.put(version, start, bytes(whole))
        return done

    return kept
