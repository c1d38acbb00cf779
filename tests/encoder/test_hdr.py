"""HDR10 and HLG come out as they went in: colours and metadata, in the stream and in the container."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archer.media import FrameRange, MediaInfo, frames, probe
from archer.media.hdr import Mastering
from encoder import EncodeSettings, Rung, assemble, codec_named, encode_chunk
from encoder.codecs import codec_names

SIZE = Rung(name="72p", width=72, height=128)


def coded(clip: Path, name: str, out: Path) -> tuple[MediaInfo, MediaInfo]:
    """Facts of the first four frames of a clip, and of a rendition of them."""
    whole = probe(str(clip))
    index = replace(whole.index, pts=whole.index.pts[:4], keys=whole.index.keys[:1])
    info = replace(whole, video=replace(whole.video, frames=4), index=index)
    codec = codec_named(name)
    settings = EncodeSettings(codec=name, crf=codec.first_guesses[1], preset=codec.presets[-1], ten_bit=True)
    chunk = out.with_suffix(".chunk.mp4")
    encode_chunk(frames(str(clip), FrameRange(0, 4), info=whole), info, SIZE, settings, chunk)
    assemble([chunk], info, SIZE, out)
    return info, probe(str(out))


def near(one: Mastering | None, other: Mastering | None) -> bool:
    """The same display, as exact as the units of the codecs are."""
    assert one is not None
    assert other is not None
    pairs = [
        *zip((*one.red, *one.green, *one.blue, *one.white), (*other.red, *other.green, *other.blue, *other.white), strict=True),  # type: ignore[misc]
        (one.max_luminance, other.max_luminance),
        (one.min_luminance, other.min_luminance),
    ]  # fmt: skip
    return all(abs(float(left) - float(right)) < 2e-4 * max(1, float(left)) for left, right in pairs)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "x265" else [pytest.mark.slow])
        for name in codec_names()
        if codec_named(name).hdr
    ],
)
def test_hdr10(name: str, clips: Path, tmp_path: Path) -> None:
    info, found = coded(clips / "awkward/hdr10_hevc_mdcv_clli.mp4", name, tmp_path / "out.mp4")
    assert found.video.colour == info.video.colour
    assert found.video.format.name == "yuv420p10le"
    assert found.video.hdr is not None
    assert (found.video.hdr.max_cll, found.video.hdr.max_fall) == (1000, 400)
    assert info.video.hdr is not None
    assert near(info.video.hdr.mastering, found.video.hdr.mastering)
    data = (tmp_path / "out.mp4").read_bytes()
    assert all(box in data for box in (b"mdcv", b"clli", b"colr"))


@pytest.mark.parametrize("name", ["x265", "svtav1"])
def test_metadata_is_in_the_stream_itself(name: str, clips: Path, tmp_path: Path) -> None:
    """Without the container's boxes it is still there."""
    out = tmp_path / "out.mp4"
    coded(clips / "awkward/hdr10_hevc_mdcv_clli.mp4", name, out)
    data = out.read_bytes().replace(b"mdcv", b"free").replace(b"clli", b"free")
    out.write_bytes(data)
    found = probe(str(out)).video.hdr
    assert found is not None
    assert found.mastering is not None
    assert found.max_cll == 1000


def test_hlg(clips: Path, tmp_path: Path) -> None:
    info, found = coded(clips / "phone_hlg10_1080p_rot_editlist.mp4", "x265", tmp_path / "out.mp4")
    assert info.video.colour.transfer == found.video.colour.transfer == 18
    assert found.video.colour == info.video.colour
    assert found.video.hdr is None  # Dolby Vision's metadata describes another picture than the scaled one
