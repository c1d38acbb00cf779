"""What a log tells of each file, and of the engine: requested, fetched, cached, wasted. `mezzfs.replay.picture` draws it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mezzfs.observer import STATISTICS
from mezzfs.replay.log import Kind, Record


@dataclass(slots=True)
class FileLog:
    """All openings of one file, in one log.

    Attributes:
        name, size: of the file.
        reads, fetches: (microseconds, offset, length, flag), as the log has them.
        kept: what came from the disk cache, as fetches.
        evictions: what left the cache in memory; the flag says that a reader had got it.
        hits: reads that found all they wanted.
        failures: fetches that failed for good.
    """

    name: str
    size: int
    reads: list[tuple[int, int, int, bool]] = field(default_factory=list)
    fetches: list[tuple[int, int, int, bool]] = field(default_factory=list)
    kept: list[tuple[int, int, int, bool]] = field(default_factory=list)
    evictions: list[tuple[int, int, int, bool]] = field(default_factory=list)
    failures: int = 0
    _joined: tuple[list[Any], list[tuple[int, int]]] = field(default_factory=lambda: ([], []), repr=False)

    @property
    def hits(self) -> int:
        """Reads that found all they wanted."""
        return sum(flag for *_, flag in self.reads)

    @property
    def requested_bytes(self) -> int:
        """Different bytes that readers asked for."""
        return covered((offset, offset + length) for _, offset, length, _ in self.reads)

    @property
    def fetched_bytes(self) -> int:
        """Bytes that came from the store, those that came twice counted twice."""
        return sum(length for _, _, length, _ in self.fetches)

    @property
    def kept_bytes(self) -> int:
        """Bytes that came from the disk cache."""
        return sum(length for _, _, length, _ in self.kept)

    @property
    def evicted_bytes(self) -> int:
        """Bytes that left the cache in memory."""
        return sum(length for _, _, length, _ in self.evictions)

    @property
    def wasted_bytes(self) -> int:
        """Different bytes that came and that nobody asked for."""
        fetched = [(offset, offset + length) for _, offset, length, _ in self.fetches]
        requested = [(offset, offset + length) for _, offset, length, _ in self.reads]
        return covered(fetched + requested) - covered(requested)

    def not_requested(self, offset: int, length: int) -> list[tuple[int, int]]:
        """The parts of a range, half-open, that nobody asked for in the whole log."""
        at, end, found = offset, offset + length, []
        for first, last in self._requested():
            if first >= end:
                break
            if last <= at:
                continue
            if first > at:
                found.append((at, first))
            at = max(at, last)
        return found + ([(at, end)] if at < end else [])

    def _requested(self) -> list[tuple[int, int]]:
        if len(self._joined[0]) != len(self.reads):
            self._joined = self.reads[:], joined((at, at + length) for _, at, length, _ in self.reads)
        return self._joined[1]

    @property
    def over_fetch(self) -> float:
        """Bytes fetched per different byte requested; 0 where nothing was."""
        return self.fetched_bytes / self.requested_bytes if self.requested_bytes else 0.0


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """Length of the union of half-open spans."""
    total = end = 0
    for first, last in sorted(spans):
        total += max(0, last - max(first, end))
        end = max(end, last)
    return total


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The union of half-open spans, as few spans as possible, in order."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        elif first < last:
            found.append((first, last))
    return found


def statistics(records: Iterable[Record]) -> dict[str, int]:
    """The engine's counters at the end of a log, by their names in `STATISTICS`; empty where it has none."""
    found: dict[str, int] = {}
    for record in records:
        if record.kind is Kind.COUNTED:
            found = dict(zip(STATISTICS, record.numbers, strict=True))
    return found


def summarise(records: Iterable[Record]) -> list[FileLog]:
    """One entry per file, in the order of their first opening."""
    files: dict[tuple[str, int], FileLog] = {}
    handles: dict[int, FileLog] = {}
    for record in records:
        numbers = record.numbers
        if record.kind is Kind.OPENED:
            found = files.setdefault((record.name, numbers[1]), FileLog(record.name, numbers[1]))
            handles[numbers[0]] = found
            continue
        file = handles.get(numbers[0]) if record.kind is not Kind.COUNTED else None
        if file is None:
            continue
        if record.kind is Kind.READ:
            file.reads.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.FETCHED:
            file.fetches.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.KEPT:
            file.kept.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.EVICTED:
            file.evictions.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.FAILED:
            file.failures += 1
    return list(files.values())
