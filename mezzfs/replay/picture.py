"""A log as a picture: bytes of each file over time, and what was requested, fetched, cached and wasted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from mezzfs.replay.summary import FileLog

WIDTH, HEIGHT, TOP = 900, 220, 20
"""Of a file's panel, in SVG units, below `TOP` of words."""
BLOCK = 32 << 10
COLOURS = {
    "cached": ("#e3ead9", "in memory"),
    "ahead": ("#b5cdf0", "fetched ahead"),
    "awaited": ("#3a6fc4", "fetched while a reader waited"),
    "kept": ("#8a63b8", "from the disk cache"),
    "wasted": ("#e8a33d", "fetched for nobody"),
    "miss": ("#c43a3a", "requested, not there"),
    "hit": ("#2e9e4f", "requested, there"),
}
Residence = tuple[int, int, int, int]
"""Since and until when, microseconds; first byte, and the first after it."""


def picture(files: list[FileLog]) -> str:
    """An SVG: time to the right, bytes of the file downwards; colours as its legend says."""
    end = (
        max((event[0] for file in files for event in (*file.reads, *file.fetches, *file.kept)), default=0)
        or 1
    )
    high = HEIGHT + 2 * TOP
    body = "".join(_panel(file, TOP + number * high, end) for number, file in enumerate(files))
    height = TOP + len(files) * high
    box = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    style = "".join(f".{name}{{fill:{colour}}}" for name, (colour, _) in COLOURS.items())
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12"><style>{style}</style>'
    return f"{head}{_legend()}{body}</svg>\n"


def residences(file: FileLog, end: int) -> Iterator[Residence]:
    """When which bytes of a file were in memory: from their arrival to their eviction, or to `end`."""
    since: dict[int, int] = {}
    gone: list[tuple[int, int, int]] = []
    arrivals = [(us, 0, offset, length) for us, offset, length, _ in (*file.fetches, *file.kept)]
    departures = [(us, 1, offset, length) for us, offset, length, _ in file.evictions]
    for us, leaves, offset, length in sorted(arrivals + departures):
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            if not leaves:
                since.setdefault(block, us)
            elif block in since:
                gone.append((since.pop(block), us, block))
    gone += [(us, end, block) for block, us in since.items()]
    yield from _runs(sorted(gone))


def _runs(gone: Iterable[tuple[int, int, int]]) -> Iterator[Residence]:
    numbered = enumerate(gone)
    for (begun, ended, _), group in groupby(numbered, lambda item: (*item[1][:2], item[1][2] - item[0])):
        blocks = [block for _, (_, _, block) in group]
        yield begun, ended, blocks[0] * BLOCK, (blocks[-1] + 1) * BLOCK


def _legend() -> str:
    out, x = [], 4
    for name, (_, words) in COLOURS.items():
        out.append(
            f'<path class="{name}" d="M{x} 6h9v9h-9z"/><text x="{x + 12}" y="14" font-size="10">{words}</text>'
        )
        x += 30 + 5 * len(words)
    return "".join(out)


def _panel(file: FileLog, top: int, end: int) -> str:
    words = f"{file.name}: requested {file.requested_bytes:,}, fetched {file.fetched_bytes:,}, wasted {file.wasted_bytes:,} bytes"
    out = [f'<text x="4" y="{top + 14}">{escape(words)}</text>']
    out.append(f'<path d="M0 {top + TOP}h{WIDTH}v{HEIGHT}h-{WIDTH}z" fill="#f6f6f6"/>')

    def add(name: str, us: int, first: int, last: int, until: int = 0) -> None:
        x, y = WIDTH * us / end, top + TOP + HEIGHT * first / max(1, file.size)
        high = max(1.0, HEIGHT * min(last - first, file.size - first) / max(1, file.size))
        wide = max(2.0, WIDTH * (until - us) / end)
        out.append(f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>')

    for since, until, first, last in residences(file, end):
        add("cached", since, first, last, until)
    for us, offset, length, awaited in file.fetches:
        add("awaited" if awaited else "ahead", us, offset, offset + length)
        for first, last in file.not_requested(offset, length):
            add("wasted", us, first, last)
    for us, offset, length, _ in file.kept:
        add("kept", us, offset, offset + length)
    for us, offset, length, hit in file.reads:
        add("hit" if hit else "miss", us, offset, offset + length)
    return "".join(out)
