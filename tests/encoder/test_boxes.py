"""HDR metadata goes into the container, and nothing else of the file changes its meaning."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from archer.media import Hdr, Mastering, frames, probe
from archer.process import ffmpeg
from encoder.boxes import add_static_hdr, boxes, copy_static_hdr, vpcc_record

HDR = Hdr(
    mastering=Mastering(
        red=(Fraction(17, 25), Fraction(8, 25)),
        green=(Fraction(53, 200), Fraction(69, 100)),
        blue=(Fraction(3, 20), Fraction(3, 50)),
        white=(Fraction(3127, 10000), Fraction(329, 1000)),
        min_luminance=Fraction(1, 200),
        max_luminance=Fraction(1000),
    ),
    max_cll=1000,
    max_fall=400,
)


@pytest.mark.parametrize("flags", ["+faststart", "0"], ids=["index first", "index last"])
def test_metadata_is_read_back_and_frames_stay(short: Path, tmp_path: Path, flags: str) -> None:
    plain, marked = tmp_path / "plain.mp4", tmp_path / "marked.mp4"
    ffmpeg(["-i", short, "-an", "-c:v", "copy", "-movflags", flags, plain])
    shutil.copyfile(plain, marked)
    add_static_hdr(marked, HDR)
    assert probe(str(plain)).video.hdr is None
    assert probe(str(marked)).video.hdr == HDR
    pairs = zip(frames(str(plain)), frames(str(marked)), strict=True)
    assert all(
        (one.luma.samples == other.luma.samples).all() and one.pts == other.pts for one, other in pairs
    )


def test_metadata_goes_from_file_to_file(short: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "source.mp4", tmp_path / "target.mp4"
    for path in (source, target):
        ffmpeg(["-i", short, "-an", "-c:v", "copy", path])
    before = target.read_bytes()
    copy_static_hdr(source, target)
    assert target.read_bytes() == before
    add_static_hdr(source, HDR)
    copy_static_hdr(source, target)
    assert probe(str(target)).video.hdr == HDR


def test_nothing_known_changes_nothing(short: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.mp4"
    shutil.copyfile(short, copy)
    add_static_hdr(copy, Hdr(dynamic=("hdr10+",)))
    assert copy.read_bytes() == short.read_bytes()


def test_broken_sizes_end_the_walk(tmp_path: Path) -> None:
    assert list(boxes(b"\0\0\0\x04free", 0, 8)) == []
    assert list(boxes(b"\0\0\0\x10free", 0, 8)) == []
    broken = tmp_path / "broken.mp4"
    for content in (b"", b"not an mp4 file at all", b"\0\0\0\x04moov", b"\0\0\0\x08moov"):
        broken.write_bytes(content)
        assert vpcc_record(broken) == b""
        add_static_hdr(broken, HDR)
        assert broken.read_bytes() == content
