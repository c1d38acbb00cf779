"""Subtitles and what tracks are for, as players find them in the manifests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack

Package = Callable[..., Path]
WEBVTT = """WEBVTT

00:00:00.500 --> 00:00:01.000
Hello <i>there</i>

00:00:03.900 --> 00:00:04.200 line:0
Up &amp; &lt;above&gt;
two lines
"""


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.vtt"
    path.write_text(WEBVTT)
    return path


def test_subtitles_are_listed_with_what_they_are_for(package: Package, ladder: Path, words: Path) -> None:
    texts = [
        TextTrack(name="text-0-deu", path=words, language="deu", default=True),
        TextTrack(name="text-1-eng", path=words, language="eng", roles=("forced-subtitle",)),
        TextTrack(name="text-2-eng", path=words, language="eng", label="For the deaf", roles=("caption",)),
    ]
    out = package([VideoTrack(name="90p", path=ladder / "90p.mp4")], [], texts=texts)
    lines = [line for line in (out / "master.m3u8").read_text().splitlines() if "SUBTITLES," in line]
    assert 'LANGUAGE="de",NAME="Deutsch",DEFAULT=YES' in lines[0]
    assert "FORCED=YES" in lines[1]
    assert "transcribes-spoken-dialog" in lines[2]
    assert all("DEFAULT=NO" in line for line in lines[1:])
    mpd = (out / "manifest.mpd").read_text()
    for role in ("subtitle", "forced-subtitle", "caption"):
        assert f'value="{role}"' in mpd
    assert mpd.count('mimeType="text/vtt"') == 3
    assert "Hello <i>there</i>" in (out / "text-0-deu/text.vtt").read_text()


def test_what_sound_is_for_is_said(package: Package, ladder: Path) -> None:
    tracks = [
        AudioTrack(name="audio-0-eng", path=ladder / "aac.mp4", language="eng", default=True),
        AudioTrack(
            name="audio-1-eng", path=ladder / "aac.mp4", language="eng", label="AD", roles=("description",)
        ),
        AudioTrack(
            name="audio-2-eng", path=ladder / "aac.mp4", language="eng", label="Talk", roles=("commentary",)
        ),
    ]
    out = package([VideoTrack(name="90p", path=ladder / "90p.mp4")], tracks)
    master = (out / "master.m3u8").read_text()
    assert 'CHARACTERISTICS="public.accessibility.describes-video"' in master
    mpd = (out / "manifest.mpd").read_text()
    for role in ("main", "description", "commentary"):
        assert f'value="{role}"' in mpd


def test_names_are_shared_by_all_kinds(package: Package, ladder: Path, words: Path) -> None:
    video = VideoTrack(name="90p", path=ladder / "90p.mp4")
    with pytest.raises(CannotPackage, match="two tracks"):
        package([video], [], texts=[TextTrack(name="video-90p", path=words)])
