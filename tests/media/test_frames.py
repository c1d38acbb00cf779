"""Frames carry their number, time, planes and colour; and damage is an error, never a wrong picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archer.media import DecodeError, FrameRange, FrameRangeError, MediaInfo, ShortDecode, frames, probe

Made = Callable[[str], Path]


@pytest.fixture
def clip(made: Made) -> tuple[str, MediaInfo]:
    """35 frames of H.264, a key frame every 12."""
    path = str(made("h264.mp4"))
    return path, probe(path)


def test_numbers_times_and_planes(clip: tuple[str, MediaInfo]) -> None:
    path, info = clip
    got = list(frames(path, FrameRange(10, 14), info=info))
    assert [frame.index for frame in got] == [10, 11, 12, 13]
    assert [frame.time for frame in got] == [n / info.video.frame_rate for n in range(10, 14)]
    assert [plane.samples.shape for plane in got[0].planes] == [(108, 192), (54, 96), (54, 96)]
    assert {frame.format.name for frame in got} == {"yuv420p"}
    assert not any(np.array_equal(got[0].luma.samples, other.luma.samples) for other in got[1:])


def test_odd_sizes_round_chroma_up(made: Made) -> None:
    planes = next(iter(frames(str(made("odd.mkv"))))).planes
    assert [plane.samples.shape for plane in planes] == [(107, 191), (54, 96), (54, 96)]


def test_grey_has_one_plane_and_ten_bits_are_words(made: Made) -> None:
    assert len(next(iter(frames(str(made("grey.mkv"))))).planes) == 1
    deep = next(iter(frames(str(made("hdr10.mp4"))))).luma.samples
    assert deep.dtype == np.uint16
    assert 256 < deep.max() < 1024


def test_rgb_comes_as_bt709(made: Made) -> None:
    got = next(iter(frames(str(made("rgb.mkv")))))
    assert (got.format.name, got.colour.matrix, got.colour.full_range) == ("yuv444p", 1, False)
    assert got.luma.samples.min() >= 15
    assert got.luma.samples.max() <= 236


def test_the_whole_title_is_the_default(clip: tuple[str, MediaInfo]) -> None:
    assert [frame.index for frame in frames(clip[0])] == list(range(35))
    assert list(frames(clip[0], FrameRange(7, 7))) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_nothing(threads: int, clip: tuple[str, MediaInfo]) -> None:
    one = [frame.luma.samples.tobytes() for frame in frames(clip[0], info=clip[1])]
    assert [frame.luma.samples.tobytes() for frame in frames(clip[0], info=clip[1], threads=threads)] == one


def test_beyond_the_title(clip: tuple[str, MediaInfo]) -> None:
    with pytest.raises(FrameRangeError, match=r"frames \[34, 36\) asked for, it has 35"):
        list(frames(clip[0], FrameRange(34, 36), info=clip[1]))


def test_an_index_that_promises_too_much_is_an_error(clip: tuple[str, MediaInfo]) -> None:
    """As after a file was replaced by a shorter one: no frame is made up."""
    path, info = clip
    step = int(info.index.pts[1] - info.index.pts[0])
    index = replace(info.index, pts=np.append(info.index.pts, info.index.pts[-1] + step))
    longer = replace(info, index=index, video=replace(info.video, frames=36))
    with pytest.raises(ShortDecode, match="frame 35 of 36") as short:
        list(frames(path, FrameRange(30, 36), info=longer))
    assert short.value.frame == 35


def test_an_index_with_a_wrong_key_frame_is_healed(clip: tuple[str, MediaInfo]) -> None:
    """A container that lies about where decoding can start costs time, not a wrong picture."""
    path, info = clip
    lying = replace(
        info, index=replace(info.index, keys=np.array([0, 17, 24]), positions=np.array([-1, -1, -1]))
    )
    got = [frame.luma.samples.tobytes() for frame in frames(path, FrameRange(18, 22), info=lying)]
    assert got == [frame.luma.samples.tobytes() for frame in frames(path, FrameRange(18, 22), info=info)]


@pytest.fixture
def damaged(made: Made, tmp_path: Path) -> str:
    """The same pictures with bytes of some turned over, so that packets still count 35."""
    data = bytearray(made("h264.mp4").read_bytes())
    at = data.index(b"mdat") + len(data) // 2
    data[at : at + 3000] = bytes(255 - value for value in data[at : at + 3000])
    (tmp_path / "damaged.mp4").write_bytes(data)
    return str(tmp_path / "damaged.mp4")


def test_damage_that_packets_hide_is_an_error_when_decoded(damaged: str) -> None:
    info = probe(damaged)
    assert (info.frame_count, info.index.counted_by) == (35, "demux")
    with pytest.raises(DecodeError, match=r"get a clean copy") as wrong:
        list(frames(damaged, info=info))
    assert wrong.value.frame is not None
    assert 0 < wrong.value.frame < 35
    assert not wrong.value.retryable


def test_damage_that_probing_found_comes_as_the_decoder_patched_it(damaged: str) -> None:
    info = probe(damaged, decode=True)
    assert "damaged" in {problem.code for problem in info.problems}
    assert len(list(frames(damaged, info=info))) == info.frame_count
