"""The replay log: what happened in one process, a few bytes per event.

File: the 4 bytes `MZR1`, then records. A record is a byte of kind and flags, the microseconds since the record before, and
the numbers of its kind, all as LEB128 varints (7 bits per byte, low ones first).
Names are UTF-8 after their length. A log that ends in the
middle of a record (the process was killed) is read up to there.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mezzfs.errors import MezzError
from mezzfs.observer import STATISTICS

MAGIC = b"MZR1"
FLAG = 0x80
FLUSH_S = 1.0


class Kind(enum.IntEnum):
    """What a record tells; in brackets its numbers."""

    OPENED = 1
    """[handle, size, name]"""
    READ = 2
    """[handle, offset, length]; the flag says that all of it was there."""
    FETCHED = 3
    """[handle, offset, length, microseconds]; the flag says that a reader waited."""
    FAILED = 4
    """[handle, offset, errno]"""
    CLOSED = 5
    """[handle]"""
    KEPT = 6
    """[handle, offset, length] from the disk cache; the flag says that a reader waited."""
    EVICTED = 7
    """[handle, offset, length] left the cache in memory; the flag says that a reader had got them.
    The handle is the last one of the file."""
    COUNTED = 8
    """The numbers of `mezzfs.observer.STATISTICS`, about every second and at the end."""


COUNTS = {Kind.OPENED: 3, Kind.READ: 3, Kind.FETCHED: 4, Kind.FAILED: 3, Kind.CLOSED: 1}
COUNTS |= {Kind.KEPT: 3, Kind.EVICTED: 3, Kind.COUNTED: len(STATISTICS)}


class NotAReplay(MezzError, ValueError):
    """A file that is no replay log."""

    wanted = "no replay log; wanted a file that `cinemill mount --record` wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event.

    Attributes:
        kind: which.
        us: microseconds since the log began.
        flag: see `Kind`.
        numbers: see `Kind`; for OPENED without the name's length.
        name: of OPENED.
    """

    kind: Kind
    us: int
    flag: bool
    numbers: tuple[int, ...]
    name: str = ""


class Recorder:
    """Writes a log; an `Observer` of `mezzfs.core.Core`. Thread-safe; flushed every second and at `close`."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._file.write(MAGIC)
        self._lock = threading.Lock()
        self._last_us = self._now()
        self._flushed_s = time.monotonic()

    def opened(self, handle: int, name: str, size: int) -> None:
        """See `Observer`."""
        text = name.encode()
        self._write(Kind.OPENED, False, (handle, size, len(text)), text)  # noqa: FBT003

    def read(self, handle: int, offset: int, length: int, *, hit: bool) -> None:
        """See `Observer`."""
        self._write(Kind.READ, hit, (handle, offset, length))

    def fetched(
        self, handle: int, offset: int, length: int, *, urgent: bool, began_s: float, ended_s: float
    ) -> None:
        """See `Observer`."""
        self._write(Kind.FETCHED, urgent, (handle, offset, length, int(1e6 * (ended_s - began_s))))

    def kept(self, handle: int, offset: int, length: int, *, urgent: bool) -> None:
        """See `Observer`."""
        self._write(Kind.KEPT, urgent, (handle, offset, length))

    def evicted(self, handle: int, offset: int, length: int, *, used: bool) -> None:
        """See `Observer`."""
        self._write(Kind.EVICTED, used, (handle, offset, length))

    def counted(self, numbers: tuple[int, ...]) -> None:
        """See `Observer`."""
        self._write(Kind.COUNTED, False, numbers)  # noqa: FBT003

    def failed(self, handle: int, offset: int, number: int) -> None:
        """See `Observer`."""
        self._write(Kind.FAILED, False, (handle, offset, number))  # noqa: FBT003

    def closed(self, handle: int) -> None:
        """See `Observer`."""
        self._write(Kind.CLOSED, False, (handle,))  # noqa: FBT003

    def close(self) -> None:
        """End the log; later events are dropped."""
        with self._lock:
            self._file.close()

    def _write(self, kind: Kind, flag: bool, numbers: tuple[int, ...], tail: bytes = b"") -> None:  # noqa: FBT001
        with self._lock:
            if self._file.closed:
                return
            now = self._now()
            record = bytearray([kind | (FLAG if flag else 0)])
            for number in (now - self._last_us, *numbers):
                _append(record, number)
            self._last_us = now
            self._file.write(record + tail)
            if time.monotonic() - self._flushed_s > FLUSH_S:
                self._file.flush()
                self._flushed_s = time.monotonic()

    @staticmethod
    def _now() -> int:
        return time.monotonic_ns() // 1000


def read_log(path: Path) -> Iterator[Record]:
    """The records of a log, in order.

    Raises:
        NotAReplay: it is none, or is damaged.
    """
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise NotAReplay(str(path))
    at, us = 4, 0
    while at < len(data):
        try:
            kind, flag = Kind(data[at] & ~FLAG), bool(data[at] & FLAG)
        except ValueError:
            raise NotAReplay(str(path), f"damaged at byte {at}; record it again") from None
        numbers, after = _numbers(data, at + 1, COUNTS[kind] + 1)
        if kind is Kind.OPENED and numbers:
            after += numbers[-1]
        if not numbers or after > len(data):
            return  # cut off: the process was killed
        us += numbers[0]
        name = data[after - numbers[-1] : after].decode("utf-8", "replace") if kind is Kind.OPENED else ""
        at = after
        values = numbers[1:3] if kind is Kind.OPENED else numbers[1:]
        yield Record(kind=kind, us=us, flag=flag, numbers=values, name=name)


def _append(out: bytearray, number: int) -> None:
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(data: bytes, at: int, count: int) -> tuple[tuple[int, ...], int]:
    found: list[int] = []
    while len(found) < count:
        value = shift = 0
        while True:
            if at >= len(data):
                return (), at
            byte, at = data[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append(value)
    return tuple(found), at
