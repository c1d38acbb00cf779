"""A chunk that is not what was asked for never gets past its making."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from archer.process import ffmpeg
from cinemill_native.frames import Colour
from encoder import ChunkBroken
from encoder.chunk_check import Expected, check_chunk

EXPECTED = Expected(
    frames=12,
    width=160,
    height=90,
    pixel_format="yuv420p",
    frame_rate=Fraction(12),
    colour=Colour(primaries=1, transfer=1, matrix=1),
)
TAGS = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A chunk by libx264, with further filters and options."""

    def made(chain: str = TAGS, *options: str) -> Path:
        out = tmp_path / "chunk.mp4"
        source = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=12:d=1,format=yuv420p,{chain}"]
        ffmpeg([*source, "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", *options, "-y", out])
        return out

    return made


def test_a_chunk_as_it_should_be(make: Make) -> None:
    chunk = make()
    facts = check_chunk(chunk, EXPECTED)
    assert facts.frames == 12
    assert 0 < facts.payload < facts.size == chunk.stat().st_size


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": 13}, "13 frames went into the encoder, 12 came out"),
        ({"width": 162}, "size: wanted"),
        ({"pixel_format": "yuv420p10le"}, "pixel format: wanted yuv420p10le, got yuv420p"),
        ({"frame_rate": Fraction(25)}, "frame 1: it is at 0.0833 s, wanted 0.0400 s"),
        ({"colour": Colour(primaries=9, transfer=16, matrix=9)}, "primaries: wanted 9, got 1"),
        ({"colour": Colour(primaries=1, transfer=16, matrix=1)}, "transfer: wanted 16, got 1"),
    ],
)
def test_another_chunk_than_was_wanted(change: dict[str, Any], words: str, make: Make) -> None:
    with pytest.raises(ChunkBroken, match=words):
        check_chunk(make(), replace(EXPECTED, **change))


def test_colours_that_nobody_knows_are_not_asked_for(make: Make) -> None:
    check_chunk(make("null"), replace(EXPECTED, colour=Colour()))


def test_colours_known_in_part_may_be_lost_but_not_changed(make: Make) -> None:
    check_chunk(make("null"), replace(EXPECTED, colour=Colour(primaries=1, matrix=1)))
    with pytest.raises(ChunkBroken, match="primaries: wanted 9, got 1"):
        check_chunk(make(), replace(EXPECTED, colour=Colour(primaries=9, matrix=1)))


def test_damage_in_the_middle_is_found(make: Make) -> None:
    """Bytes of a picture are changed; the index and all lengths stay right."""
    import av

    chunk = make()
    with av.open(str(chunk)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = packets[0].pos, packets[0].size
    data = bytearray(chunk.read_bytes())
    assert place is not None
    middle = place + size // 2
    data[middle : middle + 200] = bytes(200)
    chunk.write_bytes(data)
    with pytest.raises(ChunkBroken, match="frame 0"):
        check_chunk(chunk, EXPECTED)


@pytest.mark.parametrize("kept", [0, 40, 3000])
def test_what_cannot_be_read_at_all_is_a_broken_chunk(kept: int, make: Make) -> None:
    chunk = make()
    chunk.write_bytes(chunk.read_bytes()[:kept])
    with pytest.raises(ChunkBroken, match=r"chunk\.mp4: it cannot be read"):
        check_chunk(chunk, EXPECTED)


def test_a_chunk_without_pictures_is_broken(tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    ffmpeg(["-f", "lavfi", "-i", "sine=d=0.1", "-c:a", "aac", "-y", sound])
    with pytest.raises(ChunkBroken, match="it holds no video"):
        check_chunk(sound, EXPECTED)


def test_a_chunk_that_begins_in_the_middle_of_a_group(make: Make, tmp_path: Path) -> None:
    whole, cut = make(TAGS, "-bf", "0"), tmp_path / "cut.mkv"
    ffmpeg(["-i", whole, "-c", "copy", "-bsf:v", "noise=drop=lt(n\\,3)", cut])
    with pytest.raises(ChunkBroken, match="key frame"):
        check_chunk(cut, replace(EXPECTED, frames=9))
