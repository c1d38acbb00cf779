"""Subtitle files are read as they are found: SubRip and WebVTT, of any line ends, in UTF-8 or UTF-16."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from encoder.captions import parse_captions, read_captions
from encoder.errors import BadCaptions
from encoder.subtitles import Cue

SRT = """1
00:00:01,500 --> 00:00:02,000
<i>Slanted</i> & <font color="red">red</font>
second line

2
00:01:00,000 --> 00:01:01,250
{\\an8}Above
"""
WEB = """WEBVTT - with a title

NOTE 00:00 is no cue

STYLE
::cue { color: red }

one
01:02.500 --> 00:01:03.000 line:0 align:left
<v Anna>Hello &amp; <b>there</b>

00:09.000 --> 00:08.000
ends before it begins
"""


def test_subrip() -> None:
    first, second = parse_captions("\r\n".join(SRT.split("\n")))
    assert first == Cue(start=Fraction(3, 2), end=Fraction(2), text="<i>Slanted</i> &amp; red\nsecond line")
    assert second == Cue(start=Fraction(60), end=Fraction(245, 4), text="Above", settings="line:0")


def test_webvtt_is_kept_as_it_is() -> None:
    (cue,) = parse_captions(WEB)
    assert (cue.start, cue.end) == (Fraction(125, 2), Fraction(63))
    assert (cue.text, cue.settings) == ("<v Anna>Hello &amp; <b>there</b>", "line:0 align:left")
    assert parse_captions("WEBVTT\n") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "in.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nÄhnlich\n", encoding=encoding)
    assert [cue.text for cue in read_captions(str(path))] == ["Ähnlich"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xe4\xf6", "not UTF-8"),
        (b"\x00\x00\x00 ftypmp42", "wanted a SubRip or WebVTT file"),
        (b"1\n00:00:61,000 --> 00:01:02,000\nx\n", "line 2"),
    ],
)
def test_what_is_none_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "in.srt"
    path.write_bytes(content)
    with pytest.raises(BadCaptions, match=message):
        read_captions(str(path))
