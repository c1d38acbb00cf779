"""A title that is put together of pieces: every frame is the one that was asked for, at its time, however it is read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from archer.media import FrameRange, FrameRangeError, MediaInfo, frames, identify, probe
from archer.media.asset import Asset, joined, joined_url, urls_of
from archer.media.fit import fit_steps
from archer.process import ffmpeg
from pipelines.ingest.conform import edited, pieces_of
from pipelines.ingest.params import BadView, IngestParams
from pipelines.ingest.refusal import RefusedInput

Luma = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames of another shape, 128x96, in Matroska, whose clock counts milliseconds."""
    clip = tmp_path_factory.mktemp("other") / "other.mkv"
    ffmpeg(
        [
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=128x96:r=25:d=0.8",
            "-pix_fmt",
            "yuv420p",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            clip,
        ]
    )
    return clip


def cut(clips: str, *paths: Path) -> tuple[str, MediaInfo]:
    infos = [probe(str(path)) for path in paths]
    made = edited(infos, pieces_of(infos, IngestParams(clips=clips)))
    assert MediaInfo.from_json(made.to_json()).to_json() == made.to_json()
    return joined_url([str(path) for path in paths]), made


def seen(url: str, info: MediaInfo, *parts: tuple[int, int]) -> list[tuple[int, int, Luma]]:
    return [
        (frame.index, frame.pts, frame.luma.samples.copy())
        for start, end in parts
        for frame in frames(url, FrameRange(start, end), info=info)
    ]


def test_pieces_are_the_frames_that_were_asked_for(short: Path) -> None:
    """Ranges in any order, twice the same frames: bit for bit those of the file, however the title is cut into chunks."""
    url, info = cut("0.8-1,10f-13f,12f-14f", short)
    stored = [frame.luma.samples.copy() for frame in frames(str(short))]
    wanted = [*range(20, 25), *range(10, 13), *range(12, 14)]
    whole = seen(url, info, (0, info.frame_count))
    assert [index for index, _, _ in whole] == list(range(len(wanted)))
    assert [pts * info.video.time_base for _, pts, _ in whole] == [
        Fraction(n, 25) for n in range(len(wanted))
    ]
    for (_, _, luma), source in zip(whole, wanted, strict=True):
        assert np.array_equal(luma, stored[source])
    parts = seen(url, info, (0, 4), (4, 7), (7, 10))
    assert all(np.array_equal(one[2], other[2]) for one, other in zip(whole, parts, strict=True))
    assert info.duration == Fraction(len(wanted), 25)
    assert (info.video.frame_rate, info.video.vfr) == (25, False)
    assert info.remarks() == ["cut to 10 of 30 frames"]
    with pytest.raises(FrameRangeError):
        seen(url, info, (0, 11))


def test_a_further_input_takes_the_shape_of_the_first(short: Path, other: Path) -> None:
    url, info = cut("1@28f-30f,2@5f-8f", short, other)
    assert (info.video.width, info.video.height, info.frame_count, info.video.vfr) == (320, 180, 5, False)
    found = seen(url, info, (0, 5))
    first = [frame.luma.samples.copy() for frame in frames(str(short), FrameRange(28, 30))]
    assert np.array_equal(found[0][2], first[0])
    assert np.array_equal(found[1][2], first[1])
    assert (found[2][2][:, :38] <= 16).all()  # 4:3 in 16:9: black at the sides
    inner = found[2][2][:, 40:280].astype(float)
    plain = next(frames(str(other), FrameRange(5, 6))).luma.samples.astype(float)
    rows, columns = np.linspace(0, 95, 180).round().astype(int), np.linspace(0, 127, 240).round().astype(int)
    assert np.corrcoef(inner.ravel(), plain[np.ix_(rows, columns)].ravel())[0, 1] > 0.95
    times = [pts * info.video.time_base for _, pts, _ in found]
    assert max(abs(time - Fraction(n, 25)) for n, time in enumerate(times)) <= Fraction(1, 1000)
    assert "input 2 (128x96): fitted into 320x180" in info.remarks()


def test_colours_and_ranges_are_converted_and_hdr_is_not_mixed(short: Path) -> None:
    video = probe(str(short)).video
    wide = replace(video, colour=replace(video.colour, matrix=9, full_range=True))
    assert fit_steps(video, video) == []
    ((name, arguments), (_, layout)) = fit_steps(wide, video)
    assert (name, layout) == ("scale", "yuv420p")
    assert "in_range=full:out_range=limited:in_color_matrix=bt2020:out_color_matrix=bt601" in arguments
    infos = [probe(str(short))] * 2
    bright = replace(infos[1], video=replace(video, colour=replace(video.colour, transfer=16, primaries=9)))
    pieces = pieces_of(infos, IngestParams())
    with pytest.raises(RefusedInput, match="--dynamic-range sdr"):
        edited([infos[0], bright], pieces)
    with pytest.raises(BadView, match="2 inputs"):
        pieces_of(infos, IngestParams(clips="3@0-1"))


def test_several_files_are_one_asset(short: Path, other: Path) -> None:
    assets = [identify(str(short)), identify(str(other))]
    both = joined(assets)
    assert both.urls == (str(short), str(other))
    assert both.size == sum(asset.size for asset in assets)
    assert both == identify(both.url)
    assert both.identity != joined(assets[::-1]).identity
    assert joined(assets[:1]) is assets[0]
    assert urls_of("join:us.mp4") == ("join:us.mp4",)
    named = Asset(url='a"b,.mp4', identity="", size=0)
    assert joined([named, named]).urls == (named.url, named.url)
