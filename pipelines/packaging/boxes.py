"""The boxes of ISO media files that tell when a segment plays and whether it is encrypted; reading only.

Source of the layout: ISO/IEC 14496-12 (boxes, fragments) and 23001-7 (encryption).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

CONTAINERS = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"sinf", b"schi"}
)
_HEADER = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Init:
    """What an init segment says.

    Attributes:
        timescale: ticks per second of its track.
        language: ISO 639-2 code in the track header; `und` where it names none.
        key_id: default key id; empty where nothing is encrypted.
        scheme: `cenc`, `cbcs`, or empty.
        duration: default duration of a sample, ticks; 0 where there is none.
    """

    timescale: int
    language: str
    key_id: bytes
    scheme: str
    duration: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """When a media segment is decoded.

    Attributes:
        start: decoding time of its first sample, ticks.
        duration: of all its samples, ticks.
        samples: their number.
        encrypted: they carry what a decrypter needs.
    """

    start: int
    duration: int
    samples: int
    encrypted: bool


def read_init(data: bytes) -> Init:
    """The facts of an init segment with one track.

    Raises:
        ValueError: it has no media header.
    """
    found = {kind: body for kind, body in _boxes(data) if kind in (b"mdhd", b"trex")}
    header = found.get(b"mdhd")
    if header is None or len(header) < 24:
        raise ValueError("it is no init segment: there is no media header")
    wide = header[0] == 1
    scale = int.from_bytes(header[20:24] if wide else header[12:16])
    code = int.from_bytes(header[32:34] if wide else header[20:22])
    scheme, key_id = _protection(data)
    return Init(
        timescale=scale,
        language="".join(chr(0x60 + (code >> shift & 31)) for shift in (10, 5, 0)),
        key_id=key_id,
        scheme=scheme,
        duration=int.from_bytes(found.get(b"trex", bytes(20))[12:16]),
    )


def read_fragment(data: bytes, init: Init) -> Fragment:
    """When the fragments of a media segment play, taken together.

    Raises:
        ValueError: a box is cut off, or there is no fragment.
    """
    start, duration, samples, encrypted = -1, 0, 0, False
    default = init.duration
    for kind, body in _boxes(data):
        if kind == b"tfhd":
            default = _default_duration(body, init.duration)
        elif kind == b"tfdt":
            time = int.from_bytes(body[4:12] if body[0] == 1 else body[4:8])
            start = time if start < 0 else start
        elif kind == b"trun":
            count, ticks = _run(body, default)
            samples, duration = samples + count, duration + ticks
        elif kind == b"senc":
            encrypted = True
    if start < 0:
        raise ValueError("it is no media segment: there is no fragment with a time")
    return Fragment(start=start, duration=duration, samples=samples, encrypted=encrypted)


def seconds(ticks: int, init: Init) -> Fraction:
    """Ticks of a track in seconds."""
    return Fraction(ticks, init.timescale)


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every box, containers before what they hold.

    Raises:
        ValueError: a box reaches beyond the end.
    """
    at = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        body = at + _HEADER
        if size == 1:
            size, body = int.from_bytes(data[at + 8 : at + 16]), body + 8
        end = at + size if size else len(data)
        if end > len(data) or end < body:
            raise ValueError(
                f"box {kind!r} at byte {at} reaches beyond the end: the file is cut off or damaged"
            )
        if kind in CONTAINERS:
            yield from _boxes(data[body:end])
        else:
            yield kind, data[body:end]
        at = end


def _protection(data: bytes) -> tuple[str, bytes]:
    """Scheme and default key id; the boxes lie in a sample entry, so they are found by their names."""
    scheme_at, key_at = data.find(b"schm"), data.find(b"tenc")
    if scheme_at < 0 or key_at < 0:
        return "", b""
    return data[scheme_at + 8 : scheme_at + 12].decode("latin-1"), data[key_at + 12 : key_at + 28]


def _default_duration(body: bytes, otherwise: int) -> int:
    flags = int.from_bytes(body[1:4])
    at = 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    return int.from_bytes(body[at : at + 4]) if flags & 8 else otherwise


def _run(body: bytes, default: int) -> tuple[int, int]:
    """Number of samples of a track run, and their duration in ticks."""
    flags, count = int.from_bytes(body[1:4]), int.from_bytes(body[4:8])
    if not flags & 0x100:
        return count, count * default
    at = 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    step = 4 * sum(1 for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit)
    return count, sum(int.from_bytes(body[place : place + 4]) for place in range(at, at + count * step, step))
