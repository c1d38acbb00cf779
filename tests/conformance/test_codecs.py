"""What every codec of the registry must do: exact chunks that can be joined, and clear words where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import av
import pytest

from archer.errors import ToolFailed
from archer.media import FrameRange, MediaInfo, frames, probe
from encoder import (
    BadOption,
    CannotCode,
    EncodeSettings,
    Rung,
    assemble,
    check_rendition,
    codec_named,
    encode_chunk,
)
from encoder.codecs import codec_names
from encoder.codecs.options import Kind, Word

SLOW_IN_10_BIT = ("aom", "vp9")
CASES = [
    pytest.param(
        name,
        pixels,
        id=f"{name}-{pixels}",
        marks=[pytest.mark.slow] if pixels != "yuv420p" and name in SLOW_IN_10_BIT else [],
    )
    for name in codec_names()
    for pixels in ("yuv420p", "yuv420p10le")
    if pixels in codec_named(name).formats
]
PLAIN = {"yuv420p": ""}
"""What settings say where nothing else is asked for."""
SIZE = Rung(name="90p", width=160, height=90)
PIECES = ((0, 13, 1.0), (13, 14, 0.0), (14, 24, 0.5))
"""Ranges of frames, one of them a single frame, each at another part of the codec's quality range: both ends and the middle."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames of moving lines and noise at 160x90, BT.709."""
    from archer.process import ffmpeg

    out = tmp_path_factory.mktemp("codecs") / "clip.mp4"
    tags = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
    picture = f"testsrc2=s=160x90:r=12:d=2,noise=alls=6:all_seed=1,format=yuv420p,{tags}"
    ffmpeg(["-f", "lavfi", "-i", picture, "-c:v", "libx264", "-crf", "12", "-preset", "ultrafast", out])
    return out


@pytest.fixture(scope="module")
def coded(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], list[Path]]:
    """Chunks of the clip by codec and pixel format, encoded once."""
    info, done = probe(str(clip)), dict[tuple[str, str], list[Path]]()

    def encode(name: str, pixels: str) -> list[Path]:
        if (name, pixels) not in done:
            folder, codec = tmp_path_factory.mktemp(name), codec_named(name)
            low, high = codec.quality
            chunks = []
            for start, end, part in PIECES:
                crf = str(round(float(low) + float(high - low) * part))
                fastest = codec.presets[-1]
                settings = EncodeSettings(
                    codec=name, crf=crf, preset=fastest, gop_s="0.5", pixel_format=PLAIN.get(pixels, pixels)
                )
                chunks.append(folder / f"{start}.mp4")
                part_of = frames(str(clip), FrameRange(start, end), info=info)
                facts = encode_chunk(part_of, info, SIZE, settings, chunks[-1])
                assert facts.frames == end - start
            done[name, pixels] = chunks
        return done[name, pixels]

    return encode


def keys_and_times(path: Path) -> tuple[list[int], list[int]]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
    ordered = sorted(packets, key=lambda packet: packet.pts or 0)
    return [place for place, packet in enumerate(ordered) if packet.is_keyframe], [
        p.pts or 0 for p in ordered
    ]


@pytest.mark.parametrize(("name", "pixels"), CASES)
def test_key_frames_lie_where_they_are_asked_for(
    name: str, pixels: str, coded: Callable[[str, str], list[Path]]
) -> None:
    chunks = coded(name, pixels)
    assert [keys_and_times(chunk)[0] for chunk in chunks] == [[0, 6, 12], [0], [0, 6]]


@pytest.mark.parametrize(("name", "pixels"), CASES)
def test_headers_do_not_depend_on_the_chunk(
    name: str, pixels: str, coded: Callable[[str, str], list[Path]]
) -> None:
    """Neither the number of frames nor the quality changes them, so chunks of different qualities can be joined."""
    headers = set()
    for chunk in coded(name, pixels):
        with av.open(str(chunk)) as container:
            headers.add(bytes(container.streams.video[0].codec_context.extradata or b""))
    assert len(headers) == 1


@pytest.mark.parametrize(("name", "pixels"), CASES)
def test_a_rendition_of_chunks_is_the_title(
    name: str, pixels: str, coded: Callable[[str, str], list[Path]], clip: Path, tmp_path: Path
) -> None:
    info, out = probe(str(clip)), tmp_path / "whole.mp4"
    facts = assemble(coded(name, pixels), info, SIZE, out)
    check_rendition(out, info)
    assert facts.frames == 24
    assert "." in facts.codec
    found = probe(str(out), decode=True)
    assert found.video.format.name == pixels
    assert found.video.colour == replace(info.video.colour, full_range=False)
    assert not found.problems


@pytest.mark.parametrize(("name", "pixels"), CASES)
def test_joined_chunks_decode_to_what_each_decodes_to(
    name: str, pixels: str, coded: Callable[[str, str], list[Path]], clip: Path, tmp_path: Path
) -> None:
    """No picture of a chunk looks at another chunk's."""
    info, out, chunks = probe(str(clip)), tmp_path / "whole.mp4", coded(name, pixels)
    assemble(chunks, info, SIZE, out)
    alone = [frame.luma.samples.copy() for chunk in chunks for frame in frames(str(chunk))]
    joined = [frame.luma.samples.copy() for frame in frames(str(out))]
    assert len(alone) == len(joined) == 24
    assert all((one == other).all() for one, other in zip(alone, joined, strict=True))


@pytest.mark.parametrize("name", codec_names())
def test_the_same_work_gives_the_same_bytes(name: str, clip: Path, tmp_path: Path) -> None:
    info, codec = probe(str(clip)), codec_named(name)
    settings = EncodeSettings(codec=name, crf=codec.first_guesses[1], preset=codec.presets[-1], gop_s="1")
    outs = [tmp_path / "one.mp4", tmp_path / "other.mp4"]
    for out in outs:
        encode_chunk(frames(str(clip), FrameRange(0, 8), info=info), info, SIZE, settings, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("name", codec_names())
def test_every_first_guess_and_default_is_in_range(name: str) -> None:
    codec = codec_named(name)
    for guess in codec.first_guesses:
        codec.check(crf=guess, preset=codec.default_preset, encoder_params="")


@pytest.mark.parametrize("name", codec_names())
def test_what_a_codec_cannot_do_is_refused_with_what_it_can(name: str) -> None:
    codec = codec_named(name)
    low, high = codec.quality
    with pytest.raises(BadOption, match=f"{low} to {high}"):
        codec.check(crf=str(high + 1), preset="", encoder_params="")
    with pytest.raises(BadOption, match=codec.presets[0]):
        codec.check(crf="", preset="warp", encoder_params="")
    with pytest.raises(BadOption, match="takes here"):
        codec.check(crf="", preset="", encoder_params="speed-of-light=1")
    for refused in codec.refused:
        with pytest.raises(BadOption, match="leave it out"):
            codec.check(crf="", preset="", encoder_params=f"{refused}=1")
    settings = EncodeSettings(codec=name)
    with pytest.raises(CannotCode, match="even"):
        codec.check_picture(161, 90, settings)
    with pytest.raises(CannotCode, match="sides"):
        codec.check_picture(100_000, 90, settings)
    with pytest.raises(CannotCode, match="pixel format"):
        codec.check_picture(160, 90, replace(settings, pixel_format="yuv420p12le"))


@pytest.mark.parametrize("name", [name for name in codec_names() if codec_named(name).grain])
def test_grain_is_announced_the_same_in_every_chunk(name: str, clip: Path, tmp_path: Path) -> None:
    info, codec, headers = probe(str(clip)), codec_named(name), []
    for grain, start in ((0, 0), (20, 0), (20, 4)):
        settings = EncodeSettings(
            codec=name, crf=codec.first_guesses[1], preset=codec.presets[-1], grain=grain
        )
        out = tmp_path / f"{grain}-{start}.mp4"
        encode_chunk(frames(str(clip), FrameRange(start, start + 4), info=info), info, SIZE, settings, out)
        with av.open(str(out)) as container:
            headers.append(bytes(container.streams.video[0].codec_context.extradata or b""))
    assert headers[0] != headers[1] == headers[2]


def test_chroma_that_a_codec_lacks_is_refused_not_converted(clip: Path, tmp_path: Path) -> None:
    info: MediaInfo = probe(str(clip))
    settings = EncodeSettings(codec="svtav1", crf="40", pixel_format="yuv422p10le")
    with pytest.raises(CannotCode, match="yuv422p10le"):
        encode_chunk(frames(str(clip), info=info), info, SIZE, settings, tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def some_values(kind: Kind) -> list[str]:
    """Values of an option, its least one among them."""
    if isinstance(kind, Word):
        return list(kind.words[:4])
    return sorted({f"{kind.low:f}", f"{min(kind.high, kind.low + 4):f}"})


@pytest.mark.slow
@pytest.mark.parametrize("name", codec_names())
def test_what_headers_tell_of_is_known(name: str, clip: Path, tmp_path: Path) -> None:
    """Any other option may differ from chunk to chunk, as zones have it."""
    codec, info, out = codec_named(name), probe(str(clip)), tmp_path / "out.mp4"
    pictures = list(frames(str(clip), FrameRange(0, 6), info=info))

    def headers(params: str) -> bytes:
        settings = EncodeSettings(codec=name, crf=codec.first_guesses[1], params=params)
        encode_chunk(iter(pictures), info, SIZE, settings, out)
        with av.open(str(out)) as container:
            return bytes(container.streams.video[0].codec_context.extradata or b"")

    plain, moved = headers(""), list[str]()
    assert codec.headers <= set(codec.options)
    for option, kind in codec.options.items():
        for value in some_values(kind) if option not in codec.headers else ():
            with suppress(ToolFailed):  # not with these settings
                moved += [f"{option}={value}"] if headers(f"{option}={value}") != plain else []
    assert moved == []
