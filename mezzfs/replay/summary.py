"""What a log tells of each file: requested, fetched, used twice, wasted; as numbers and as a picture of bytes over time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from mezzfs.replay.log import Kind, Record

WIDTH, HEIGHT = 900, 220
"""Of a file's picture, in SVG units."""


@dataclass(slots=True)
class FileLog:
    """All openings of one file, in one log.

    Attributes:
        name, size: of the file.
        reads, fetches: (microseconds, offset, length, flag), as the log has them.
        hits: reads that found all they wanted.
        failures: fetches that failed for good.
    """

    name: str
    size: int
    reads: list[tuple[int, int, int, bool]] = field(default_factory=list)
    fetches: list[tuple[int, int, int, bool]] = field(default_factory=list)
    failures: int = 0

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
    def wasted_bytes(self) -> int:
        """Different bytes that came and that nobody asked for."""
        fetched = [(offset, offset + length) for _, offset, length, _ in self.fetches]
        requested = [(offset, offset + length) for _, offset, length, _ in self.reads]
        return covered(fetched + requested) - covered(requested)

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
        file = handles.get(numbers[0])
        if file is None:
            continue
        if record.kind is Kind.READ:
            file.reads.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.FETCHED:
            file.fetches.append((record.us, numbers[1], numbers[2], record.flag))
        elif record.kind is Kind.FAILED:
            file.failures += 1
    return list(files.values())


def picture(files: list[FileLog]) -> str:
    """An SVG: time to the right, bytes of the file downwards.

    Fetched is blue, pale where nobody waited; requested is green where it was there and red where it was not.
    """
    end = max((event[0] for file in files for event in (*file.reads, *file.fetches)), default=0) or 1
    body = "".join(_panel(file, number * (HEIGHT + 40), end) for number, file in enumerate(files))
    height = len(files) * (HEIGHT + 40)
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">{body}</svg>\n'


def _panel(file: FileLog, top: int, end: int) -> str:
    words = f"{file.name}: requested {file.requested_bytes:,}, fetched {file.fetched_bytes:,}, wasted {file.wasted_bytes:,} bytes"
    out = [f'<text x="4" y="{top + 14}">{escape(words)}</text>']
    out.append(f'<rect x="0" y="{top + 20}" width="{WIDTH}" height="{HEIGHT}" fill="#f6f6f6"/>')
    for events, colours in ((file.fetches, ("#b5cdf0", "#3a6fc4")), (file.reads, ("#c43a3a", "#2e9e4f"))):
        for us, offset, length, flag in events:
            x, y = WIDTH * us / end, top + 20 + HEIGHT * offset / max(1, file.size)
            high = max(1.0, HEIGHT * length / max(1, file.size))
            out.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="2" height="{high:.1f}" fill="{colours[flag]}"/>'
            )
    return "".join(out)
