"""The little that must be read of coded pictures to index them without decoding: is one shown, can decoding start at it.

A container says which packets are key frames; it may be wrong (an I picture whose successors look back past it), and
it does not say which packets hold pictures that are never shown (alternate references). Only the first bytes of a
packet are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

INTRA_ONLY = frozenset(
    {
        *(
            "prores",
            "dnxhd",
            "mjpeg",
            "jpeg2000",
            "rawvideo",
            "v210",
            "v410",
            "r210",
            "huffyuv",
            "ffvhuff",
            "utvideo",
        ),
        *("magicyuv", "png", "cfhd", "dvvideo", "qtrle", "hap"),
    }
)
SELF_CONTAINED = frozenset({"av1", "ffv1"})
"""One packet is one shown picture, and a key frame resets the decoder."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How to read the packets of a stream.

    Attributes:
        shown: number of pictures that a packet shows; None where packets cannot tell, so decoding must.
        entry: whether decoding can start at a packet that the container calls a key frame.
    """

    shown: Callable[[memoryview], int] | None
    entry: Callable[[memoryview], bool]


def syntax_of(codec: str, extradata: bytes) -> Syntax:
    """How to read packets of `codec` (FFmpeg's name of the format) with these codec headers."""
    if codec in INTRA_ONLY | SELF_CONTAINED:
        return Syntax(shown=_one, entry=_any)
    if codec == "vp8":
        return Syntax(shown=vp8_shown, entry=_any)
    if codec == "vp9":
        return Syntax(shown=vp9_shown, entry=_any)
    if codec == "h264":
        size = _length_size(extradata, 4)
        whole = h264_frames_only(extradata)
        return Syntax(shown=_one if whole else None, entry=lambda packet: h264_entry(packet, size))
    if codec == "hevc":
        size = _length_size(extradata, 21)
        return Syntax(shown=_one, entry=lambda packet: hevc_entry(packet, size))
    return Syntax(shown=None, entry=_any)


def _one(packet: memoryview) -> int:  # noqa: ARG001  the signature of `shown`
    return 1


def _any(packet: memoryview) -> bool:  # noqa: ARG001  the signature of `entry`
    return True


def vp8_shown(packet: memoryview) -> int:
    """`show_frame`, bit 4 of the frame tag (RFC 6386, 9.1)."""
    return packet[0] >> 4 & 1


def vp9_shown(packet: memoryview) -> int:
    """Shown pictures of a packet, which may be a superframe (VP9 bitstream specification 0.6, Annex B)."""
    return sum(_vp9_frame_shown(frame[0]) for frame in _vp9_frames(packet) if len(frame))


def _vp9_frames(packet: memoryview) -> Iterator[memoryview]:
    marker = packet[-1]
    count, size = (marker & 7) + 1, (marker >> 3 & 3) + 1
    start = len(packet) - (2 + count * size)
    if marker >> 5 != 0b110 or start < 0 or packet[start] != marker:
        yield packet
        return
    begin = 0
    for place in range(count):
        at = start + 1 + place * size
        length = int.from_bytes(packet[at : at + size], "little")
        yield packet[begin : begin + length]
        begin += length


def _vp9_frame_shown(head: int) -> bool:
    """`show_existing_frame` or `show_frame` of the uncompressed header, whose first byte this is."""
    shift = 1 if head >> 4 & 3 == 3 else 0  # profile 3 has a reserved bit in front
    return bool(head >> 3 - shift & 1 or head >> 1 - shift & 1)


def _length_size(extradata: bytes, at: int) -> int:
    """Bytes of the length before each NAL unit (ISO/IEC 14496-15); 0 where start codes divide them (Annex B)."""
    return (extradata[at] & 3) + 1 if len(extradata) > at and extradata[0] == 1 else 0


def unit_lengths(codec: str, extradata: bytes) -> int:
    """Bytes of the length before each NAL unit of a stream; 0 where start codes divide them.

    Args:
        codec: FFmpeg's name of the format; extradata: its codec headers.
    """
    return {"h264": _length_size(extradata, 4), "hevc": _length_size(extradata, 21)}.get(codec, 0)


def nal_units(data: memoryview, length_size: int) -> Iterator[memoryview]:
    """NAL units without their prefix."""
    if length_size == 0:
        yield from _annex_b(bytes(data))
        return
    at = 0
    while at + length_size < len(data):
        length = int.from_bytes(data[at : at + length_size], "big")
        yield data[at + length_size : at + length_size + length]
        at += length_size + length


def _annex_b(data: bytes) -> Iterator[memoryview]:
    at = data.find(b"\0\0\1")
    while at >= 0:
        following = data.find(b"\0\0\1", at + 3)
        yield memoryview(data)[at + 3 : following if following >= 0 else len(data)]
        at = following


def h264_entry(packet: memoryview, length_size: int) -> bool:
    """An IDR picture, or an I picture with a recovery point message that says: exact from here on (H.264, D.2.8)."""
    recovery = False
    for unit in nal_units(packet, length_size):
        kind = unit[0] & 31 if len(unit) else 0
        if kind == 6:
            recovery |= _recovers_at_once(unit)
        if kind in (1, 2):
            bits = Bits(unescaped(unit[1:32]))
            bits.unsigned()  # first_mb_in_slice
            return recovery and bits.unsigned() % 5 in (2, 4)  # slice_type I or SI
        if kind == 5:
            return True
    return False


def _recovers_at_once(unit: memoryview) -> bool:
    """A supplemental enhancement information unit holds a recovery point with recovery_frame_cnt 0."""
    data, at = unescaped(unit[1:]), 0
    while at + 2 <= len(data) and data[at:] != b"\x80":
        kind, at = _run_of_ff(data, at)
        size, at = _run_of_ff(data, at)
        if kind == 6:
            return Bits(data[at : at + size]).unsigned() == 0
        at += size
    return False


def _run_of_ff(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while at < len(data) and data[at] == 255:
        value, at = value + 255, at + 1
    return (value + data[at], at + 1) if at < len(data) else (value, at)


def hevc_entry(packet: memoryview, length_size: int) -> bool:
    """The first picture is an intra random access point: NAL unit types 16 to 21 (H.265, 7.4.2.2)."""
    for unit in nal_units(packet, length_size):
        kind = unit[0] >> 1 & 63 if len(unit) else 63
        if kind < 32:
            return 16 <= kind <= 21
    return False


def h264_frames_only(extradata: bytes) -> bool:
    """All sequence parameter sets say `frame_mbs_only_flag`: no packet can hold a single field."""
    found = [_frame_mbs_only(unescaped(unit[1:])) for unit in _parameter_sets(extradata) if unit[0] & 31 == 7]
    return bool(found) and all(found)


def _parameter_sets(extradata: bytes) -> Iterator[memoryview]:
    if not extradata or extradata[0] != 1:
        yield from (unit for unit in _annex_b(extradata) if len(unit))
        return
    at = 6
    for _ in range(extradata[5] & 31 if len(extradata) > 6 else 0):
        length = int.from_bytes(extradata[at : at + 2], "big")
        yield memoryview(extradata)[at + 2 : at + 2 + length]
        at += 2 + length


HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def _frame_mbs_only(sps: bytes) -> bool:
    """Walk a sequence parameter set to its `frame_mbs_only_flag` (H.264, 7.3.2.1.1)."""
    bits = Bits(sps[3:])
    bits.unsigned()  # seq_parameter_set_id
    if sps[0] in HIGH_PROFILES:
        chroma = bits.unsigned()
        bits.skip(1 if chroma == 3 else 0)
        bits.unsigned(), bits.unsigned()  # bit depths
        bits.skip(1)
        if bits.take(1):
            for place in range(12 if chroma == 3 else 8):
                _skip_scaling_list(bits, 16 if place < 6 else 64)
    bits.unsigned()  # log2_max_frame_num_minus4
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.skip(1)
        bits.unsigned(), bits.unsigned()
        for _ in range(bits.unsigned()):
            bits.unsigned()
    bits.unsigned()  # max_num_ref_frames
    bits.skip(1)
    bits.unsigned(), bits.unsigned()  # size in macroblocks
    return bool(bits.take(1))


def _skip_scaling_list(bits: Bits, size: int) -> None:
    if not bits.take(1):
        return
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def unescaped(data: memoryview | bytes) -> bytes:
    """A NAL unit's payload without emulation prevention bytes."""
    return bytes(data).replace(b"\0\0\3", b"\0\0")


class Bits:
    """Reads bits, most significant first; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._value, self._size, self._at = int.from_bytes(data, "big"), len(data) * 8, 0

    def take(self, count: int) -> int:
        """The next `count` bits as an unsigned number."""
        self._at += count
        shift = self._size - self._at
        return (self._value >> shift if shift >= 0 else self._value << -shift) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        """Pass over `count` bits."""
        self._at += count

    def unsigned(self) -> int:
        """An Exp-Golomb code, ue(v) (H.264, 9.1)."""
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb code, se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)
