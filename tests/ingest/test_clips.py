"""Written ranges name exactly the frames that an editor means."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from archer.media import FrameIndex, MediaInfo, VideoStream
from archer.media.view import View
from cinemill_native.frames import Colour, PixelFormat
from pipelines.ingest.clips import clip_range, parse_clips, timecode_frames
from pipelines.ingest.params import BadView, IngestParams, check_view

NTSC = Fraction(30000, 1001)


def title(frames: int, rate: Fraction, timecode: str = "", tick: Fraction | None = None) -> MediaInfo:
    """A title of constant rate; with a tick its times are rounded to it, as Matroska's are to milliseconds."""
    base = tick or 1 / rate
    pts = np.array([round(number / rate / base) for number in range(frames)], np.int64)
    video = VideoStream(
        index=0, codec="h264", profile="", width=64, height=64, sar=Fraction(1), rotation=0,
        format=PixelFormat(name="yuv420p", bit_depth=8, chroma_shift=(1, 1)), field_order="progressive", colour=Colour(),
        time_base=base, frame_rate=rate, vfr=False, frames=frames,
    )  # fmt: skip
    index = FrameIndex(pts=pts, keys=np.array([0], np.int64), counted_by="demux")
    return MediaInfo(container="mp4", video=video, index=index, timecode=timecode)


def found(text: str, info: MediaInfo, base: str = "") -> tuple[int, int]:
    (clip,) = parse_clips(text)
    part = clip_range(clip, info, base)
    return part.start, part.end


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1-2", (25, 50)),
        ("1-2+", (25, 51)),
        ("1.04-1.08", (26, 27)),
        ("1.041-1.081", (27, 28)),
        ("-0.5", (0, 13)),
        ("3-", (75, 100)),
        ("00:00:01-00:00:02.5", (25, 63)),
        ("00:00:01:05-00:00:02:00", (30, 50)),
        ("00:00:01:05-00:00:02:00+", (30, 51)),
        ("00:00:03:24-00:00:04:00", (99, 100)),
        ("10f-20f", (10, 20)),
        ("10f-20f+", (10, 21)),
        ("0-4", (0, 100)),
    ],
)
def test_points(text: str, wanted: tuple[int, int]) -> None:
    assert found(text, title(100, Fraction(25))) == wanted


def test_rounded_times_of_a_container_name_the_same_frames() -> None:
    for info in (title(200, NTSC), title(200, NTSC, tick=Fraction(1, 1000))):
        for frame in range(1, 199):
            rounded = f"{float(frame / NTSC):.3f}"
            assert found(f"{rounded}-{frame + 1}f", info) == (frame, frame + 1)


def test_timecodes_count_from_where_they_are_said_to() -> None:
    info = title(100, Fraction(25), timecode="10:00:00:00")
    assert found("10:00:01:00-10:00:02:00", info, "embedded") == (25, 50)
    assert found("01:00:01:00-01:00:02:00", info, "01:00:00:00") == (25, 50)
    assert found("00:00:01:00-00:00:02:00", replace(info, timecode=""), "embedded") == (25, 50)
    with pytest.raises(BadView, match="beyond"):
        found("10:00:01:00-10:00:02:00", info)


def test_timecodes_name_stored_frames_where_the_title_is_shown_at_another_rate() -> None:
    stored = title(1000, Fraction(25))
    shown = title(2000, Fraction(50))
    info = replace(shown, view=View(stored=stored.video, index=stored.index))
    assert found("00:00:10:00-00:00:11:24", info) == (500, 598)
    assert found("00:00:10:00-00:00:11:24+", info) == (500, 600)
    with pytest.raises(BadView, match="beyond"):
        found("00:00:50:00-00:00:55:00", info)


def test_drop_frame_timecode() -> None:
    """A day of it is a day: 24 h at 30000/1001 are 2589408 frames. Source: SMPTE ST 12-1."""
    assert timecode_frames("00:00:59;29", NTSC) + 1 == timecode_frames("00:01:00;02", NTSC) == 1800
    assert timecode_frames("00:10:00;00", NTSC) == 17982
    assert timecode_frames("23:59:59;29", NTSC) + 1 == 2589408
    assert timecode_frames("01:00:00;00", Fraction(60000, 1001)) == 215784
    assert timecode_frames("01:00:00:00", NTSC) == 108000
    for text, rate in (("00:01:00;00", NTSC), ("00:00:00:30", NTSC), ("00:00:00;01", Fraction(25))):
        with pytest.raises(ValueError, match="timecode"):
            timecode_frames(text, rate)


@pytest.mark.parametrize(
    "text", ["5", "1-2-3", "-", "a-b", "0@1-2", "1:30-2:00", "10:00:60:00-", "1-2,", "2@-"]
)
def test_what_cannot_be_read_is_refused_before_anything_is_known(text: str) -> None:
    with pytest.raises(BadView, match="--clip"):
        check_view(IngestParams(clips=text))


@pytest.mark.parametrize("text", ["2-1", "1-1", "4-", "100f-", "3-4.1", "0f-101f", "00:00:00:25-"])
def test_what_is_not_there_is_refused(text: str) -> None:
    with pytest.raises(BadView, match="--clip"):
        found(text, title(100, Fraction(25)))


def test_timecodes_of_variable_rate_name_no_frames() -> None:
    info = title(100, Fraction(25))
    info = replace(info, video=replace(info.video, vfr=True))
    assert found("1-2", info) == (25, 50)
    with pytest.raises(BadView, match="use seconds"):
        found("00:00:01:00-", info)
    with pytest.raises(BadView, match="--timecode"):
        check_view(IngestParams(timecode="noon"))
