"""The first bits of a coded picture say whether it is shown and whether decoding can start there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest

from archer.media.bitstream import (
    Bits,
    h264_entry,
    h264_frames_only,
    hevc_entry,
    nal_units,
    syntax_of,
    unescaped,
    vp8_shown,
    vp9_shown,
)


def exp_golomb(*values: int) -> str:
    """Codes ue(v) as text of 0 and 1 (H.264, 9.1)."""
    return "".join(f"{value + 1:b}".zfill(2 * (value + 1).bit_length() - 1) for value in values)


def packed(bits: str) -> bytes:
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def annex_b(*units: bytes) -> memoryview:
    return memoryview(b"".join(b"\0\0\1" + unit for unit in units))


def test_bits_are_read_most_significant_first() -> None:
    bits = Bits(b"\xa5\x0f")
    assert [bits.take(1), bits.take(3), bits.take(4), bits.take(8)] == [1, 0b010, 5, 15]
    assert bits.take(7) == 0  # behind the end
    bits = Bits(b"\xa5")
    bits.skip(4)
    assert bits.take(4) == 5


def test_exp_golomb_codes() -> None:
    values = [0, 1, 2, 3, 6, 7, 254, 255, 65534]
    bits = Bits(packed(exp_golomb(*values)))
    assert [bits.unsigned() for _ in values] == values
    signed = Bits(packed(exp_golomb(0, 1, 2, 3, 4, 5)))
    assert [signed.signed() for _ in range(6)] == [0, 1, -1, 2, -2, 3]
    assert Bits(b"\0" * 9).unsigned() == (1 << 32) - 1  # damaged: it ends


def test_emulation_prevention() -> None:
    assert unescaped(b"\0\0\3\1\0\0\3\0\0\3\3") == b"\0\0\1\0\0\0\0\3"


def test_units_by_length_and_by_start_code() -> None:
    units = [b"\x67one", b"\x65" + b"x" * 300, b"\x01"]
    by_length = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    assert [bytes(unit) for unit in nal_units(memoryview(by_length), 4)] == units
    assert [bytes(unit) for unit in nal_units(annex_b(*units), 0)] == units
    assert list(nal_units(memoryview(b""), 4)) == list(nal_units(memoryview(b""), 0)) == []
    cut = list(nal_units(memoryview(by_length[:20]), 4))  # a length that lies
    assert bytes(cut[0]) == units[0]


IDR, P_SLICE = b"\x65\x88", b"\x41" + packed(exp_golomb(0, 5))
I_SLICE = b"\x41" + packed(exp_golomb(0, 7))
RECOVERS_AT_ONCE, RECOVERS_LATER = b"\x06\x06\x01" + packed(exp_golomb(0)) + b"\x80", b"\x06\x06\x01\x50\x80"


@pytest.mark.parametrize(
    ("units", "entry"),
    [
        ((b"\x09\x10", b"\x67", b"\x68", IDR), True),
        ((P_SLICE,), False),
        ((I_SLICE,), False),
        ((RECOVERS_AT_ONCE, I_SLICE), True),
        ((RECOVERS_AT_ONCE, P_SLICE), False),  # gradual refresh: exact only by and by
        ((RECOVERS_LATER, I_SLICE), False),
        ((b"\x06\x05\x02ab\x06\x01\x80\x80", I_SLICE), True),  # another message in front
        ((b"\x06\x05\xff\x01" + b"a" * 256 + b"\x80", I_SLICE), False),
        ((b"\x06",), False),
        ((), False),
    ],
)
def test_where_h264_can_be_entered(units: tuple[bytes, ...], entry: bool) -> None:
    assert h264_entry(annex_b(*units), 0) is entry


@pytest.mark.parametrize(
    ("kind", "entry"), [(0, False), (1, False), (9, False), *((k, True) for k in range(16, 22)), (22, False)]
)
def test_where_hevc_can_be_entered(kind: int, entry: bool) -> None:
    parameter_sets = (b"\x40\1", b"\x42\1", b"\x44\1")
    assert hevc_entry(annex_b(*parameter_sets, bytes([kind << 1, 1, 0x80])), 0) is entry


@pytest.mark.parametrize(
    ("packet", "shown"),
    [
        (b"\x82", 1),  # frame marker 2, profile 0, shown
        (b"\x80", 0),
        (b"\x88", 1),  # show_existing_frame
        (b"\xb1", 1),  # profile 3 has one bit more
        (b"\xb4", 1),
        (b"\x80\x82" + b"\xc1\x01\x01\xc1", 1),  # a superframe: one hidden, one shown
        (b"\x82\x82" + b"\xc1\x01\x01\xc1", 2),
        (b"\x80\x82" + b"\xc1\x01\x01\xc2", 1 - 1),  # markers differ: no superframe, a hidden frame
    ],
)
def test_pictures_that_vp9_shows(packet: bytes, shown: int) -> None:
    assert vp9_shown(memoryview(packet)) == shown


def test_pictures_that_vp8_shows() -> None:
    assert (vp8_shown(memoryview(b"\x10")), vp8_shown(memoryview(b"\x00"))) == (1, 0)


@pytest.mark.parametrize(
    ("name", "whole"), [("h264.mp4", True), ("open_gop.mp4", True), ("tff.mp4", False), ("bff.mp4", False)]
)
def test_h264_that_may_hold_single_fields(name: str, whole: bool, made: Callable[[str], Path]) -> None:
    with av.open(str(made(name))) as container:
        extradata = bytes(container.streams.video[0].codec_context.extradata or b"")
    assert h264_frames_only(extradata) is whole


@pytest.mark.parametrize("name", ["vp8.webm", "vp9.webm"])
def test_hidden_references_are_counted_as_nothing(name: str, made: Callable[[str], Path]) -> None:
    """The encoder was told to use alternate references; packets show what a decoder gives."""
    with av.open(str(made(name))) as container:
        stream = container.streams.video[0]
        shown = syntax_of(name[:3], b"").shown
        assert shown is not None
        counts = [shown(memoryview(packet)) for packet in container.demux(stream) if packet.size]
    with av.open(str(made(name))) as container:
        assert sum(counts) == sum(1 for _ in container.decode(video=0)) == 35


def test_unknown_codecs_must_be_decoded_to_be_counted() -> None:
    assert syntax_of("mpeg2video", b"").shown is None
    assert syntax_of("h264", b"").shown is None  # no parameter sets: it may be interlaced
    assert syntax_of("prores", b"").shown is not None
