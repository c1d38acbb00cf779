"""Whether a Matroska file goes on to the end of its last element: what else tells that it was cut off may be missing.

Source: RFC 8794 (EBML: identifiers and sizes of variable length), RFC 9559 (Matroska: segments and clusters of unknown size,
as live recordings have them, which say nothing of their length or duration).
"""

from __future__ import annotations

from typing import BinaryIO

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
HEADER = 12
"""Most bytes of an identifier (4) and a size (8)."""
UNKNOWN = -1


def is_torn(file: BinaryIO, size: int) -> bool:
    """Whether a file ends inside an element. False also for what is no Matroska, and where elements cannot be followed.

    Args:
        file: read from, a few bytes for each element of a segment that does not say its size; where it stands afterwards is
            undefined.
        size: of the file, bytes.
    """
    at, first = 0, True
    while at < size:
        file.seek(at)
        head = file.read(HEADER)
        found = _element(head)
        if found is None:
            return len(head) < HEADER and not first
        name, header, length = found
        if first and name != EBML:
            return False
        first = False
        if length == UNKNOWN:
            if name not in (SEGMENT, CLUSTER):
                return False
            at += header
            continue
        at += header + length
        if at > size or name == SEGMENT:  # a segment of known size says it for all that is in it
            return at > size
    return False


def _element(head: bytes) -> tuple[int, int, int] | None:
    """Identifier, bytes of the header, and bytes of the content; None where that cannot be read."""
    named = _width(head[:1], 4)
    sized = _width(head[named : named + 1], 8) if named else 0
    if not sized or len(head) < named + sized:
        return None
    value = int.from_bytes(head[named : named + sized]) & ((1 << 7 * sized) - 1)
    unknown = value == (1 << 7 * sized) - 1
    return int.from_bytes(head[:named]), named + sized, UNKNOWN if unknown else value


def _width(first: bytes, most: int) -> int:
    """Bytes of a number of variable length, by its first byte; 0 where it is none."""
    width = 9 - int.from_bytes(first).bit_length()
    return width if width <= most else 0
