"""Boxes of mp4 files: find one, and add static HDR metadata to the description of a video track.

FFmpeg's muxer writes the metadata only where the stream carries it as side data, which PyAV cannot set; players and
packagers look for it in the container.

Source: ISO/IEC 14496-12 (boxes, `stco`, `co64`, `mdcv`, `clli`), 8.5.2 and 12.1.5.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from archer.media import Hdr
from archer.media.hdr import Point

PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
VISUAL_ENTRY, STSD_HEAD = 86, 16
"""Bytes of a visual sample entry before its boxes, and of `stsd` before its first entry, headers included."""


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box in a part of a file."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
        size = size or end - start
        if size < 8 or start + size > end:
            return
        yield bytes(kind), start, start + size
        start += size


def top_level(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box of a file, of which only the heads are read."""
    end, start = file.seek(0, 2), 0
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack_from(">Q", head, 8)
        size = size or end - start
        if size < 8 or start + size > end:
            return
        yield kind, start, start + size
        start += size


def vpcc_record(path: Path) -> bytes:
    """Content of the `vpcC` box of a file's first track, behind version and flags; empty where it has none."""
    return next((content[4:] for kind, content in _described(path) if kind == b"vpcC"), b"")


def add_static_hdr(path: Path, hdr: Hdr) -> None:
    """Put mastering display and light levels into the sample description of the first video track of a file.

    Args:
        path: mp4 file or init segment with one track; replaced where there is something to add.
        hdr: what to write.
    """
    _add(path, mdcv_box(hdr) + clli_box(hdr))


def copy_static_hdr(source: Path, target: Path) -> None:
    """Put the metadata of one file's first track into another's: packagers leave it out.

    Args:
        source: mp4 file with or without it.
        target: mp4 file or init segment with the same track; replaced where there is something to add.
    """
    kept = [_box(kind, content) for kind, content in _described(source) if kind in (b"mdcv", b"clli")]
    _add(target, b"".join(kept))


def _described(path: Path) -> list[tuple[bytes, bytes]]:
    """Kind and content of the boxes in the first sample entry of a file's first track."""
    _, movie, _ = _movie(path)
    spans = _spans(movie)
    if not spans:
        return []
    start, end = spans[-1]
    return [(kind, bytes(movie[a + 8 : b])) for kind, a, b in boxes(movie, start + VISUAL_ENTRY, end)]


def _movie(path: Path) -> tuple[int, bytearray, bool]:
    """Place and bytes of a file's `moov`, and whether media data lies behind it; empty where it has none."""
    with path.open("rb") as file:
        found = list(top_level(file))
        place = next(((start, end) for kind, start, end in found if kind == b"moov"), None)
        if place is None:
            return 0, bytearray(), False
        file.seek(place[0])
        behind = any(kind == b"mdat" and start > place[0] for kind, start, _ in found)
        return place[0], bytearray(file.read(place[1] - place[0])), behind


def _add(path: Path, extra: bytes) -> None:
    """Put boxes at the end of the first sample entry of a file's first track; the file is copied once."""
    at, movie, behind = _movie(path)
    spans, old = _spans(movie), len(movie)
    if not extra or not spans:
        return
    place = spans[-1][1]
    if behind:
        _shift_offsets(movie, spans[-3], len(extra))
    for start, _ in spans:
        (size,) = struct.unpack_from(">I", movie, start)
        struct.pack_into(">I", movie, start, size + len(extra))
    movie[place:place] = extra
    partial = path.with_name(f"{path.name}.partial")
    with path.open("rb") as source, partial.open("wb") as target:
        target.write(source.read(at))
        target.write(movie)
        source.seek(at + old)
        shutil.copyfileobj(source, target, 1 << 20)
    partial.replace(path)


def _spans(data: bytearray) -> list[tuple[int, int]]:
    """(start, end) of the boxes from `moov` down to the first sample entry of the first track; empty where one lacks."""
    found: list[tuple[int, int]] = []
    start, end = 0, len(data)
    for wanted in (*PATH, b"stsd"):
        inner = next(((a, b) for kind, a, b in boxes(data, start, end) if kind == wanted), None)
        if inner is None:
            return []
        found.append(inner)
        start, end = inner[0] + 8, inner[1]
    entry = next(boxes(data, found[-1][0] + STSD_HEAD, found[-1][1]), None)
    return [*found, (entry[1], entry[2])] if entry else []


def _shift_offsets(data: bytearray, stbl: tuple[int, int], by: int) -> None:
    """Move the chunk offsets of a track by as many bytes as are put in before them."""
    for kind, start, _ in list(boxes(data, stbl[0] + 8, stbl[1])):
        if kind in (b"stco", b"co64"):
            word, size = (">I", 4) if kind == b"stco" else (">Q", 8)
            (count,) = struct.unpack_from(">I", data, start + 12)
            for at in range(start + 16, start + 16 + count * size, size):
                (offset,) = struct.unpack_from(word, data, at)
                struct.pack_into(word, data, at, offset + by)


def mdcv_box(hdr: Hdr) -> bytes:
    """The mastering display, green first, in units of 0.00002 and 0.0001 cd/m2; empty where it is not known."""
    found = hdr.mastering
    if found is None or not (found.green and found.blue and found.red and found.white):
        return b""
    points = [_units(point) for point in (found.green, found.blue, found.red, found.white)]
    light = [round((value or Fraction(0)) * 10_000) for value in (found.max_luminance, found.min_luminance)]
    return _box(b"mdcv", struct.pack(">8H2I", *(value for point in points for value in point), *light))


def clli_box(hdr: Hdr) -> bytes:
    """The light levels, cd/m2; empty where they are not known."""
    return _box(b"clli", struct.pack(">2H", hdr.max_cll, hdr.max_fall or 0)) if hdr.max_cll else b""


def _units(point: Point) -> tuple[int, int]:
    return round(point[0] * 50_000), round(point[1] * 50_000)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
