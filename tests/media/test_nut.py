"""Frames go through a pipe whole: every sample, every frame, in order, whatever the rate and the format."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from archer.media import FrameRange, frames, probe
from archer.media.convert import Converter
from archer.media.nut import STREAM, checksum, write_nut
from archer.process import Child, ffmpeg_path, run
from cinemill_native.frames import Frame

NAMES = [
    "h264.mp4",
    "hdr10.mp4",
    "prores.mov",
    "odd.mkv",
    "grey.mkv",
    "ffv1.mkv",
    "vfr.mkv",
    "full_range.mp4",
    "rgb.mkv",
]
Made = Callable[[str], Path]


def samples(frame: Frame) -> bytes:
    return b"".join(plane.samples.tobytes() for plane in frame.planes)


def pixels(picture: av.VideoFrame) -> bytes:
    return b"".join(
        bytes(plane)[row * plane.line_size :][: plane.width * size]
        for plane in picture.planes
        for size in [1 if picture.format.components[0].bits == 8 else 2]
        for row in range(plane.height)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_arrives(name: str, made: Made) -> None:
    info = probe(str(made(name)))
    file, part = io.BytesIO(), FrameRange(3, 9)
    assert write_nut(file, frames(str(made(name)), part, info=info), info.video) == 6
    file.seek(0)
    with av.open(file) as container:
        got = list(container.decode(video=0))
    assert [picture.format.name for picture in got] == [info.video.format.name] * 6
    wanted = [samples(frame) for frame in frames(str(made(name)), part, info=info)]
    assert [pixels(picture) for picture in got] == wanted


@pytest.mark.parametrize(
    "rate",
    [Fraction(25), Fraction(24000, 1001), Fraction(23040000, 767849), Fraction(1000, 33), Fraction(120)],
)
def test_times_are_ordinals(rate: Fraction, made: Made) -> None:
    """The n-th frame is at n / rate, also of a title of variable rate."""
    info = probe(str(made("vfr.mkv")))
    file = io.BytesIO()
    write_nut(file, frames(str(made("vfr.mkv")), info=info), replace(info.video, frame_rate=rate))
    file.seek(0)
    with av.open(file) as container:
        times = [packet.pts * packet.time_base for packet in container.demux(video=0) if packet.size]  # type: ignore[operator]
    assert times == [n / rate for n in range(info.frame_count)]


@pytest.mark.parametrize("name", ["vfr.mkv", "hdr10.mp4", "odd.mkv"])
def test_an_encoder_gets_every_frame_once(name: str, made: Made) -> None:
    """Through a real pipe into ffmpeg, which neither repeats nor drops one."""
    info = probe(str(made(name)))
    argv = [ffmpeg_path(), "-v", "error", "-f", "nut", "-i", Child.feed_url(0), "-fps_mode", "passthrough"]
    with Child([*argv, "-f", "rawvideo", "-"], feeds=1) as child:
        child.feed(0, lambda file: write_nut(file, frames(str(made(name)), info=info), info.video))
        got = child.finish(timeout_s=60).stdout
    assert got == b"".join(samples(frame) for frame in frames(str(made(name)), info=info))


def test_progress_and_no_frames(made: Made) -> None:
    info, seen = probe(str(made("h264.mp4"))), list[int]()
    part = FrameRange(5, 9)
    write_nut(io.BytesIO(), frames(str(made("h264.mp4")), part, info=info), info.video, on_frame=seen.append)
    assert seen == [0, 1, 2, 3]
    nothing: Iterator[Frame] = iter(())
    assert write_nut(io.BytesIO(), nothing, info.video) == 0


def test_checksums_are_those_of_ffmpegs_muxer() -> None:
    """Its demuxer does not look at all of them; others do."""
    file = io.BytesIO()
    with av.open(file, "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=24)
        stream.width, stream.height, stream.pix_fmt = 66, 34, "yuv420p10le"
        container.start_encoding()
    place = file.getvalue().index(STREAM) + len(STREAM)
    length = file.getvalue()[place]
    packet = file.getvalue()[place + 1 :][:length]
    assert checksum(packet[:-4]) == packet[-4:]


@pytest.mark.parametrize("name", ["rotated_180.mp4", "mirrored_down.mp4"])
def test_pictures_upside_down_are_written_downwards(name: str, made: Made) -> None:
    """As they are shown, through a conversion that only turns them."""
    info = probe(str(made(name)))
    shown = Converter(info, info.video.width, info.video.height, info.video.format, kernel="lanczos")
    file = io.BytesIO()
    write_nut(file, frames(str(made(name)), info=info), info.video, convert=shown)
    file.seek(0)
    with av.open(file) as container:
        got = [pixels(picture) for picture in container.decode(video=0)]
    argv = [ffmpeg_path(), "-v", "error", "-i", made(name), "-f", "rawvideo", "-"]
    assert b"".join(got) == run(argv, timeout_s=60).stdout
    planes = [shown.planes(frame) for frame in frames(str(made(name)), info=info)]
    assert b"".join(plane.samples.tobytes() for each in planes for plane in each) == b"".join(got)
