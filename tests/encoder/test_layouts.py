"""How many channels of a track go out: those that players take, and all of them where nothing is to be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.media import probe
from archer.process import ffmpeg
from encoder.audio import encode_audio


@pytest.mark.parametrize(
    ("codec", "layout", "kept"),
    [
        ("flac", "6.1", "6.1"),
        ("flac", "5.0(side)", "5.0"),
        ("flac", "7.1", "7.1"),
        ("flac", "5.1(side)", "5.1"),
        ("flac", "quad", "quad"),
        ("aac", "6.1", "5.1"),
        ("aac", "7.1", "5.1"),
        ("aac", "quad", "stereo"),
        ("opus", "7.1", "7.1"),
    ],
)
def test_a_lossless_file_keeps_its_channels(codec: str, layout: str, kept: str, tmp_path: Path) -> None:
    """What is mixed down is said; FLAC mixes nothing down that it can hold."""
    sound = ["-f", "lavfi", "-i", f"anoisesrc=d=0.2:a=0.1:r=48000,aformat=channel_layouts={layout}"]
    picture = ["-f", "lavfi", "-i", "color=s=32x32:r=10:d=0.2"]
    coded = ["-c:v", "mpeg4", "-c:a", "pcm_s24le", "-map", "0", "-map", "1"]
    ffmpeg([*picture, *sound, *coded, tmp_path / "in.mov"])
    info = probe(str(tmp_path / "in.mov"))
    out = tmp_path / "out.mp4"
    facts = encode_audio(str(tmp_path / "in.mov"), info, info.audio[0], out, name="a", codec=codec)
    mixed = [notice for notice in facts.notices if "mixed down" in notice]
    assert bool(mixed) == (layout.removesuffix("(side)") != kept)
    import av

    with av.open(str(out)) as container:
        stream = container.streams.audio[0]
        assert stream.layout.name.removesuffix("(side)") == kept
        assert stream.codec_context.channels == facts.channels
