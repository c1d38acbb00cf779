"""Transport streams hold the H.264 and AAC tracks, packet by packet, and players of HLS find them with the subtitles."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from pipelines.conformance.listing import read_listing
from pipelines.encode.errors import BadSetting
from pipelines.encode.request import EncodeRequest, checked
from pipelines.packaging.check import packaged_timeline
from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.manifests import read_playlist, steady_rate
from pipelines.packaging.tracks import AudioTrack, TextTrack, VideoTrack
from pipelines.packaging.transport import write_transport

Package = Callable[..., Path]


def test_the_streams_stand_beside_the_segments(ladder: Path, package: Package, tmp_path: Path) -> None:
    """AV1 and Opus stay out; the master playlist lists the rest, with the package's own subtitles."""
    text = tmp_path / "en.vtt"
    text.write_text("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello\n")
    videos = [VideoTrack(name=name, path=ladder / f"{name}.mp4") for name in ("180p", "av1")]
    audios = [
        AudioTrack(name=f"audio-{name}", path=ladder / f"{name}.mp4", language="eng")
        for name in ("aac", "opus")
    ]
    texts = [TextTrack(name="text-en", path=text, language="eng")]
    out = package(videos, audios, texts)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    write_transport(videos, audios, texts, out=out, scratch=scratch, segment_s=Decimal(2))
    listing = read_listing(out / "ts")
    assert [each.name for each in listing.renditions] == ["video-180p", "audio-aac", "../text-en"]
    assert (listing.base, listing.at) == (out, "ts/")
    assert listing.of("audio")[0].codec == "mp4a.40.2"
    names = read_playlist((out / "ts/video-180p/media.m3u8").read_text()).segments
    assert names == ("1.ts", "2.ts", "3.ts")
    got = packaged_timeline(out / "ts/video-180p", names)
    assert len(got.times) == 132
    assert max(got.times) - min(got.times) == Fraction(131, 25)
    assert not list(scratch.iterdir())


def test_there_must_be_something_that_old_players_decode(
    ladder: Path, package: Package, tmp_path: Path
) -> None:
    with pytest.raises(CannotPackage, match="no rendition is; add --codec x264"):
        write_transport(
            [VideoTrack(name="av1", path=ladder / "av1.mp4")],
            [],
            [],
            out=tmp_path,
            scratch=tmp_path,
            segment_s=Decimal(2),
        )
    with pytest.raises(BadSetting, match="have no transport streams"):
        checked(EncodeRequest(ts=True, drm="cenc"))
    for other in ({"codec": "svtav1"}, {"audio_codec": "opus"}):
        with pytest.raises(BadSetting, match=r"hold H\.264 and AAC"):
            checked(EncodeRequest(ts=True, **other))


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([Fraction(n, 25) for n in range(50)], Fraction(25)),
        (
            [Fraction(round(n * 1000 / 24), 1000) for n in range(50)],
            Fraction(24),
        ),  # Matroska counts milliseconds
        ([Fraction(n * 1001, 30000) for n in range(50)], Fraction(30000, 1001)),
        ([Fraction(round(n * 1001 / 24), 1000) for n in range(2000)], Fraction(24000, 1001)),
        ([Fraction(n * 2, 25) for n in range(50)], Fraction(25, 2)),
        ([Fraction(0), Fraction(1), Fraction(3)], None),
        ([Fraction(0)], None),
    ],
)
def test_a_rate_is_that_of_the_title(times: list[Fraction], rate: Fraction | None) -> None:
    assert steady_rate(times) == rate
