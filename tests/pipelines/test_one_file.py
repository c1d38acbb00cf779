"""One file keeps what its source says beside pictures and sound: its timecode, and which track players choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from archer.media import MediaInfo, probe
from archer.media.view import View
from archer.process import ffmpeg
from encoder import mux_single
from encoder.mux import Extra
from pipelines.encode.mux import start_timecode
from pipelines.ingest.tracks import audio_tracks, text_tracks

TIMECODE = "10:00:00:12"


@pytest.fixture(scope="module")
def titled(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short clip with a timecode, sound in English (default) and German, subtitles in both (none default)."""
    folder = tmp_path_factory.mktemp("titled")
    (folder / "in.srt").write_text("1\n00:00:00,200 --> 00:00:00,900\nHello\n")
    maps = ["-map", "0:v", *["-map", "0:a"] * 2, *["-map", "1"] * 2, "-c", "copy"]
    tags = [f"-metadata:s:{kind}:{place}" for kind in "as" for place in (0, 1)]
    languages = [
        word for tag, name in zip(tags, ["eng", "deu"] * 2, strict=True) for word in (tag, f"language={name}")
    ]
    marks = ["-disposition:a:0", "default", "-disposition:a:1", "comment", "-disposition:s", "0"]
    clock = ["-metadata:s:v:0", f"timecode={TIMECODE}"]
    ffmpeg(["-i", short, "-i", folder / "in.srt", *maps, *languages, *marks, *clock, folder / "titled.mkv"])
    return folder / "titled.mkv"


def muxed(
    source: Path,
    out: Path,
    *,
    audio: str = "",
    subtitles: str = "",
    timecode: str = "",
    extras: Sequence[Extra] = (),
) -> Path:
    """One file of a title with the tracks that are asked for; its pictures as they are."""
    info = probe(str(source))
    chosen = replace(
        info,
        audio=tuple(track.shown for track in audio_tracks(info, audio)),
        subtitles=tuple(track.shown for track in text_tracks(info, subtitles)),
    )
    pictures = out.with_name("pictures.mp4")
    ffmpeg(
        ["-i", source, "-map", "0:v", "-c", "copy", "-map_metadata", "-1", "-write_tmcd", "0", "-y", pictures]
    )
    mux_single(pictures, str(source), chosen, out, scratch=out.parent, timecode=timecode, extras=extras)
    return out


def marked(path: Path) -> list[tuple[str, str, bool, bool]]:
    """Kind, language, default and commentary of each track but the pictures."""
    from av.stream import Disposition

    with av.open(str(path)) as container:
        return [
            (
                stream.type,
                str(stream.metadata.get("language")),
                bool(stream.disposition & Disposition.default),
                bool(stream.disposition & Disposition.comment),
            )
            for stream in container.streams
            if stream.type in ("audio", "subtitle")
        ]


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_a_track_that_was_asked_for_is_the_default_one(name: str, titled: Path, tmp_path: Path) -> None:
    """As in a package; its other marks stay, where the container has them."""
    found = marked(muxed(titled, tmp_path / name, audio="deu", subtitles="deu"))
    assert [each[:3] for each in found] == [("audio", "deu", True), ("subtitle", "deu", True)]
    assert found[0][3] or name == "out.mp4"


def test_languages_of_two_letters_and_of_regions_stay(titled: Path, tmp_path: Path) -> None:
    """Matroska takes any tag, mp4 three letters: of the source, and of what is brought along."""
    source = tmp_path / "source.mkv"
    tags = ["-metadata:s:a:0", "language=en", "-metadata:s:s:0", "language=pt-BR"]
    ffmpeg(["-i", titled, "-map", "0", "-c", "copy", *tags, source])
    (tmp_path / "in.vtt").write_text("WEBVTT\n\n00:00.200 --> 00:00.900\nHello\n")
    added = [Extra(path=tmp_path / "in.vtt", kind="text", language="fr")]
    for name, wanted in (
        ("out.mp4", ["eng", "deu", "por", "deu", "fra"]),
        ("out.mkv", ["en", "deu", "pt-BR", "deu", "fr"]),
    ):
        assert [each[1] for each in marked(muxed(source, tmp_path / name, extras=added))] == wanted


def test_all_tracks_keep_their_marks(titled: Path, tmp_path: Path) -> None:
    assert marked(muxed(titled, tmp_path / "out.mkv")) == [
        ("audio", "eng", True, False),
        ("audio", "deu", False, True),
        ("subtitle", "eng", False, False),
        ("subtitle", "deu", False, False),
    ]


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_the_timecode_stays(name: str, titled: Path, tmp_path: Path) -> None:
    info = probe(str(titled))
    assert start_timecode(info) == (TIMECODE, ())
    assert probe(str(muxed(titled, tmp_path / name, timecode=TIMECODE))).timecode == TIMECODE


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_a_timecode_that_is_not_kept_is_in_no_tag(name: str, titled: Path, tmp_path: Path) -> None:
    """Some containers state it for the whole file, and tags of that are copied."""
    source = tmp_path / "source.mkv"
    clock = ["-metadata", f"timecode={TIMECODE}", "-metadata:s:v:0", "timecode="]
    ffmpeg(["-i", titled, "-map", "0", "-c", "copy", *clock, source])
    assert probe(str(source)).timecode == TIMECODE
    assert probe(str(muxed(source, tmp_path / name))).timecode == ""


def test_a_timecode_of_other_frames_is_told_of(titled: Path) -> None:
    info = probe(str(titled))

    def told(changed: MediaInfo) -> str:
        kept, notices = start_timecode(changed)
        assert kept == ""
        return "".join(notices)

    view = View(stored=info.video, index=info.index)
    faster = replace(info, video=replace(info.video, frame_rate=Fraction(50)), view=view)
    assert "rate of those" in told(faster)
    assert "rate of those" in told(replace(info, video=replace(info.video, vfr=True)))
    assert "10:00:00:77" in told(replace(info, timecode="10:00:00:77"))
    assert told(replace(info, timecode="")) == ""
