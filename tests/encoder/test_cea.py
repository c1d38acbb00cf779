"""Closed captions: what is put into pictures is what decoders find there, and what it says is what FFmpeg reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archer.media import FrameRange, frames, probe
from archer.process import ffmpeg
from encoder import EncodeSettings, Rung, assemble, codec_named, encode_chunk
from encoder.captions import parse_captions
from encoder.carried import read_carried
from encoder.cea import (
    caption_units,
    escaped,
    packed,
    title_captions,
    triplets_of,
    unpacked,
    with_captions,
)
from encoder.cea608 import decoded
from encoder.subtitles import Cue


class Captioned(Protocol):
    """A clip with captions in its pictures, and those of each frame; made in `tests/conftest.py`."""

    path: Path
    triplets: dict[int, bytes]


Pair = tuple[int, int]
POP, ROLL2, PAINT, CLEAR, SHOW, NEW, RETURN = 0x20, 0x25, 0x29, 0x2C, 0x2F, 0x2E, 0x2D
ROW_15, ROW_14_ITALIC, ROW_1 = (0x14, 0x70), (0x14, 0x4E), (0x11, 0x50)


def odd(byte: int) -> int:
    """With its parity bit."""
    return byte | (0 if byte.bit_count() % 2 else 0x80)


def command(code: int) -> list[Pair]:
    return [(0x14, code)] * 2


def written(text: str) -> list[Pair]:
    codes = [ord(letter) for letter in text] + [0] * (len(text) % 2)
    return list(zip(codes[::2], codes[1::2], strict=True))


def pop_on(text: str, row: Pair = ROW_15) -> list[Pair]:
    return [*command(POP), *command(NEW), row, row, *written(text), *command(SHOW)]


def carried(pairs: Sequence[tuple[int, Sequence[Pair]]], total: int) -> dict[int, bytes]:
    """Triplets by frame: each list of pairs begins at its frame, one pair a frame; the others carry silence."""
    found = dict.fromkeys(range(total), (0, 0))
    for start, codes in pairs:
        found |= {start + place: code for place, code in enumerate(codes)}
    return {place: bytes([0xFC, odd(one), odd(two)]) for place, (one, two) in found.items()}


def cues_of(pairs: Sequence[tuple[int, Sequence[Pair]]], service: str = "CC1", total: int = 100) -> list[Cue]:
    pictures = [(Fraction(place, 25), data) for place, data in carried(pairs, total).items()]
    return decoded(pictures, Fraction(total, 25)).get(service, [])


def test_a_caption_is_shown_from_its_command_to_the_next() -> None:
    one, other = pop_on("Hello there"), pop_on("Bye", ROW_1)
    found = cues_of([(0, one), (30, other), (60, command(CLEAR))])
    first, second = Fraction(len(one) - 2, 25), Fraction(30 + len(other) - 2, 25)
    assert found == [
        Cue(start=first, end=second, text="Hello there"),
        Cue(start=second, end=Fraction(60, 25), text="Bye", settings="line:0"),
    ]


def test_rows_italics_and_characters() -> None:
    codes = [
        *command(POP), *command(NEW), ROW_14_ITALIC, ROW_14_ITALIC, *written("Ol\x5c & "), (0x11, 0x37), (0x11, 0x37),
        ROW_15, ROW_15, *written("E"), (0x12, 0x21), (0x12, 0x21), *command(SHOW),
    ]  # fmt: skip
    assert [cue.text for cue in cues_of([(0, codes)])] == ["<i>Olé &amp; ♪</i>\nÉ"]


def test_lines_roll_up_and_leave() -> None:
    codes = [*command(ROLL2), *command(RETURN), ROW_15, ROW_15, *written("one ")]
    more = [*command(RETURN), *written("two "), *command(RETURN), *written("tres"), *command(CLEAR)]
    assert [cue.text for cue in cues_of([(0, [*codes, *more])])] == ["one", "one\ntwo", "two\ntres"]


def test_painted_text_is_a_cue_once_it_is_erased() -> None:
    found = cues_of([(0, [*command(PAINT), ROW_15, ROW_15, *written("paint")]), (50, command(CLEAR))])
    assert [(cue.text, cue.start, cue.end) for cue in found] == [("paint", Fraction(4, 25), Fraction(2))]


def test_the_other_channel_is_another_service() -> None:
    second = [(one | 8, two) if 0x10 <= one < 0x18 else (one, two) for one, two in pop_on("dos ")]
    pairs = [(0, pop_on("one ")), (40, second)]
    assert [cue.text for cue in cues_of(pairs)] == ["one"]
    assert [cue.text for cue in cues_of(pairs, "CC2")] == ["dos"]


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(0, 127)), max_size=80))
def test_anything_is_read_without_a_fault(pairs: list[Pair]) -> None:
    for cue in cues_of([(0, [*command(PAINT), *pairs])]):
        assert cue.start < cue.end
        assert cue.text.strip()


@given(st.binary(max_size=60))
def test_units_have_no_start_code_in_them_and_come_back(data: bytes) -> None:
    assert not re.search(b"\0\0[\0-\2]", escaped(data))
    triplets = data[: len(data) // 3 * 3]
    for codec in ("h264", "hevc"):
        units = caption_units(triplets * 5, codec)
        assert triplets_of(memoryview(units), codec, 4) == triplets * 5


def test_captions_stand_before_the_first_slice() -> None:
    head, picture = b"\0\0\0\2\x09\xf0", b"\0\0\0\3\x65\x88\x84"
    made = with_captions(head + picture, b"\xfc\x94\x2c", "h264")
    assert made.startswith(head + b"\0\0\0")
    assert made.endswith(picture)
    assert triplets_of(memoryview(made), "h264", 4) == b"\xfc\x94\x2c"


def test_user_data_of_mpeg2() -> None:
    data = b"\0\0\1\xb2GA94\x03\x42\xff\xfc\x94\x2c\xfd\x80\x80\xff\0\0\1\x01slice"
    assert triplets_of(memoryview(data), "mpeg2video", 0) == b"\xfc\x94\x2c\xfd\x80\x80"


@given(st.dictionaries(st.integers(0, 2**31), st.binary(max_size=90)))
def test_what_is_packed_is_unpacked(found: dict[int, bytes]) -> None:
    assert unpacked(packed(found)) == found
    with pytest.raises(ValueError, match="make them again"):
        unpacked(b"else")


def side_data(path: Path) -> Iterator[bytes]:
    """What FFmpeg's decoder finds on each picture."""
    import av
    from av.sidedata.sidedata import Type

    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            found = picture.side_data.get(Type.A53_CC)
            yield bytes(found) if found is not None else b""


def test_they_are_read_as_ffmpeg_reads_them(captioned: Captioned) -> None:
    info = probe(str(captioned.path))
    found = read_carried(str(captioned.path), info)
    assert [data for _, data in found] == list(side_data(captioned.path)) == list(captioned.triplets.values())
    assert title_captions([found], info) == captioned.triplets


def test_what_they_say_is_what_ffmpeg_says(captioned: Captioned, tmp_path: Path) -> None:
    info, out = probe(str(captioned.path)), tmp_path / "out.srt"
    ffmpeg(["-f", "lavfi", "-i", f"movie={captioned.path}[out0+subcc]", "-map", "0:s", out])
    (theirs,) = parse_captions(out.read_text())
    (ours,) = decoded(read_carried(str(captioned.path), info), info.duration)["CC1"]
    assert ours.text == theirs.text == "Hello &amp; bye"
    assert abs(ours.start - theirs.start) < Fraction(1, 20)
    assert abs(ours.end - theirs.end) < Fraction(1, 20)


@pytest.mark.parametrize("name", ["x264", "x265", pytest.param("svtav1", marks=pytest.mark.slow)])
def test_renditions_carry_them_frame_by_frame(name: str, captioned: Captioned, tmp_path: Path) -> None:
    info, codec = probe(str(captioned.path)), codec_named(name)
    rung, out = Rung(name="90p", width=160, height=90), tmp_path / "out.mp4"
    settings = EncodeSettings(codec=name, crf=codec.first_guesses[1], preset=codec.presets[-1], gop_s="0.5")
    chunks = []
    for place, part in enumerate((FrameRange(0, 12), FrameRange(12, 30))):
        chunks.append(tmp_path / f"{place}.mp4")
        encode_chunk(frames(str(captioned.path), part, info=info), info, rung, settings, chunks[-1])
    facts = assemble(chunks, info, rung, out, captions=captioned.triplets)
    kept = list(side_data(out))
    if name == "svtav1":
        assert not facts.captions
        assert "not carried in its pictures" in facts.notices[0]
        assert not any(kept)
    else:
        assert facts.captions
        assert kept == list(captioned.triplets.values())
