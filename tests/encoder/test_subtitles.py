"""Subtitles of every text format become WebVTT with their times, styles and places."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest

from archer.media import probe
from archer.process import ffmpeg
from encoder.subtitles import Cue, cue_text, trimmed, webvtt, write_webvtt

SRT = """1
00:00:00,100 --> 00:00:00,600
Hello <i>there</i>

2
00:00:00,700 --> 00:00:01,000
{\\an8}Up & <b>above</b>
two lines
"""
VTT = """WEBVTT

00:00:00.100 --> 00:00:00.600
Hello <i>there</i>

00:00:00.700 --> 00:00:01.000 line:0
Up &amp; <b>above</b>
two lines
"""


@pytest.mark.parametrize(("codec", "suffix"), [("subrip", "mkv"), ("ass", "mkv"), ("mov_text", "mp4")])
def test_formats(codec: str, suffix: str, short: Path, tmp_path: Path) -> None:
    text, clip, out = tmp_path / "in.srt", tmp_path / f"clip.{suffix}", tmp_path / "out.vtt"
    text.write_text(SRT)
    ffmpeg(["-i", short, "-i", text, "-map", "0:v", "-map", "1", "-c:v", "copy", "-c:s", codec, clip])
    info = probe(str(clip))
    assert write_webvtt(str(clip), info, info.subtitles[0], out) == 2
    if codec == "mov_text":  # it has no place for a position, and its bold text ends later than it should
        assert re.sub("</?b>", "", out.read_text()) == re.sub("</?b>| line:0", "", VTT)
    else:
        assert out.read_text() == VTT


def test_times_count_from_the_first_picture(short: Path, tmp_path: Path) -> None:
    """Pictures that begin a quarter second late take their subtitles with them."""
    text, clip, out = tmp_path / "in.srt", tmp_path / "clip.mkv", tmp_path / "out.vtt"
    text.write_text(SRT)
    inputs = ["-itsoffset", "0.25", "-i", short, "-i", text, "-map", "0:v", "-map", "1"]
    ffmpeg([*inputs, "-c:v", "copy", "-c:s", "copy", clip])
    info = probe(str(clip))
    write_webvtt(str(clip), info, info.subtitles[0], out)
    assert "00:00:00.000 --> 00:00:00.350\nHello" in out.read_text()
    assert "00:00:00.450 --> 00:00:00.750 line:0\nUp" in out.read_text()


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("plain", ("plain", "")),
        ("{\\i1}all{\\b1} both{\\i0} bold", ("<i>all<b> both</b></i><b> bold</b>", "")),
        ("a < b\\N\\N& c", ("a &lt; b\n&amp; c", "")),
        ("{\\an5}middle", ("middle", "line:50%")),
        ("{\\an9}corner", ("corner", "line:0 align:right")),
        ("{\\p1}m 0 0 l 9 9{\\p0}", ("", "")),
        ("{\\c&HFFFFFF&\\fs20}styled", ("styled", "")),
    ],
)
def test_events(event: str, wanted: tuple[str, str]) -> None:
    assert cue_text(f"0,0,Default,,0,0,0,,{event}") == wanted


def test_cues_are_cut_to_the_title_and_sorted() -> None:
    cues = [
        Cue(start=Fraction(5), end=Fraction(7), text="later"),
        Cue(start=Fraction(1), end=Fraction(3), text="half before"),
        Cue(start=Fraction(0), end=Fraction(1), text="before"),
        Cue(start=Fraction(11), end=Fraction(20), text="beyond the end"),
        Cue(start=Fraction(13), end=Fraction(14), text="after"),
    ]
    found = [(cue.start, cue.end, cue.text) for cue in trimmed(cues, Fraction(2), Fraction(12))]
    assert found == [(2, 3, "half before"), (5, 7, "later"), (11, 12, "beyond the end")]


def test_hours_and_milliseconds() -> None:
    cue = Cue(start=Fraction(3661001, 1000), end=Fraction(36000), text="x")
    assert "01:01:01.001 --> 10:00:00.000" in webvtt([cue])
