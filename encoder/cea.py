"""Closed captions that are carried in coded pictures (CEA-608 and CEA-708): read, put at their place in a title, put in; pure.

They travel as triplets: a byte that says what it is, and two bytes of data. H.264 and HEVC have them in a message of supplemental
enhancement information, MPEG-2 in user data.

Source: ATSC A/53 part 4, section 6.2.3; SCTE 128-1, section 8.1; H.264, annex D; ISO/IEC 14496-15.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from archer.media import MediaInfo
from archer.media.bitstream import nal_units, unescaped
from archer.media.edit import Span

HEAD = b"\xb5\x00\x31GA94\x03"
"""United States, ATSC, caption data."""
USER_DATA = 0xB2
REGISTERED = 4
"""Type of the message: user data registered by ITU-T T.35."""
MOST = 31
"""Triplets of one message: five bits count them."""
CODECS = frozenset({"h264", "hevc", "mpeg2video"})
"""FFmpeg's names of the formats that they are read from."""
Carried = tuple[Fraction, bytes]


@dataclass(frozen=True, slots=True)
class Carrier:
    """How a format carries captions: header of the unit, and which kinds of units hold pictures."""

    header: bytes
    slices: range
    kind: int

    def kind_of(self, first: int) -> int:
        """Kind of a unit by its first byte."""
        return first & 31 if len(self.header) == 1 else first >> 1 & 63


CARRIERS = {
    "h264": Carrier(b"\x06", range(1, 6), 6),
    "hevc": Carrier(b"\x4e\x01", range(32), 39),
}


def triplets_of(packet: memoryview, codec: str, length_size: int) -> bytes:
    """Captions of a coded picture; empty where it has none.

    Args:
        packet: coded. codec: of `CODECS`.
        length_size: bytes of the length before each unit; 0 where start codes part them.
    """
    found = b""
    for unit in nal_units(packet, length_size):
        if codec == "mpeg2video":
            if len(unit) and unit[0] == USER_DATA and unit[1:6] == HEAD[3:]:
                found += _triplets(bytes(unit[6:]))
            continue
        carrier = CARRIERS[codec]
        if len(unit) and carrier.kind_of(unit[0]) == carrier.kind:
            data = unescaped(unit[len(carrier.header) :])
            for kind, payload in _messages(data):
                if kind == REGISTERED and payload.startswith(HEAD):
                    found += _triplets(payload[len(HEAD) :])
    return found


def _triplets(data: bytes) -> bytes:
    """Flags and number, a byte of nothing, triplets."""
    return data[2 : 2 + 3 * (data[0] & 31)] if len(data) > 1 and data[0] & 0x40 else b""


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 < len(data):
        kind, at = _counted(data, at)
        size, at = _counted(data, at)
        yield kind, data[at : at + size]
        at += size


def _counted(data: bytes, at: int) -> tuple[int, int]:
    """A number of which each byte 255 says that there is more of it, and where it ends."""
    total = 0
    while at < len(data) and data[at] == 255:
        total, at = total + 255, at + 1
    return total + (data[at] if at < len(data) else 0), at + 1


def caption_units(triplets: bytes, codec: str) -> bytes:
    """Units of `codec` that carry triplets, each behind four bytes of its length."""
    made = b""
    for at in range(0, len(triplets), 3 * MOST):
        part = triplets[at : at + 3 * MOST]
        payload = HEAD + bytes([0xC0 | len(part) // 3, 0xFF]) + part + b"\xff"
        message = bytes([REGISTERED, len(payload)]) + payload + b"\x80"
        unit = CARRIERS[codec].header + escaped(message)
        made += len(unit).to_bytes(4, "big") + unit
    return made


def escaped(data: bytes) -> bytes:
    """With a byte 3 wherever two zeros would begin a start code (H.264, 7.4.1)."""
    made, zeros = bytearray(), 0
    for byte in data:
        if zeros == 2 and byte <= 3:
            made.append(3)
            zeros = 0
        made.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(made)


def with_captions(packet: bytes, triplets: bytes, codec: str) -> bytes:
    """A coded picture with captions before its first slice; its units have lengths of four bytes."""
    carrier, at = CARRIERS[codec], 0
    while at + 4 < len(packet) and carrier.kind_of(packet[at + 4]) not in carrier.slices:
        at += 4 + int.from_bytes(packet[at : at + 4], "big")
    return packet[:at] + caption_units(triplets, codec) + packet[at:]


def title_captions(sources: Sequence[Sequence[Carried]], info: MediaInfo) -> dict[int, bytes]:
    """Captions by the number of the title's frame that carries them.

    Args:
        sources: of each input: when pictures are shown, counted from its first frame, rising; and what they carry.
        info: the title. Where it has other frames than its inputs, each gets what was carried since the one before.
    """
    whole = Span(source=0, start=Fraction(0), end=info.duration, at=Fraction(0))
    spans = info.edit.spans() if info.edit else [whole]
    base, first = info.video.time_base, int(info.index.pts[0])
    times = [int(pts) - first for pts in info.index.pts]
    found: dict[int, bytes] = {}
    for span in spans:
        for time, triplets in sources[span.source]:
            if span.start <= time < span.end:
                place = bisect_right(times, (time + span.at - span.start) / base + Fraction(1, 2)) - 1
                found[max(0, place)] = found.get(max(0, place), b"") + triplets
    return found


MAGIC = b"CEA1"


def packed(frames: Mapping[int, bytes]) -> bytes:
    """Captions of a title as a file: number of a frame (4 bytes), length (2), triplets; by the number."""
    rows = (
        place.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data
        for place, data in sorted(frames.items())
    )
    return MAGIC + b"".join(rows)


def unpacked(data: bytes) -> dict[int, bytes]:
    """What `packed` wrote. Raises: ValueError: it is something else."""
    if not data.startswith(MAGIC):
        raise ValueError(f"captions begin with {data[:4]!r}, wanted {MAGIC!r}; make them again")
    return dict(_rows(data))


def _rows(data: bytes) -> Iterable[tuple[int, bytes]]:
    at = len(MAGIC)
    while at < len(data):
        place, size = int.from_bytes(data[at : at + 4], "big"), int.from_bytes(data[at + 4 : at + 6], "big")
        yield place, data[at + 6 : at + 6 + size]
        at += 6 + size
