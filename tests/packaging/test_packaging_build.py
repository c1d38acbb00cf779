"""A package shows exactly what it was made from, in HLS and in DASH, and is the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from archer.process import ffmpeg_path, run
from pipelines.packaging.errors import CannotPackage, PackagerFailed, PackageWrong
from pipelines.packaging.manifests import read_playlist
from pipelines.packaging.tracks import AudioTrack, VideoTrack

Package = Callable[..., Path]
NS = {"d": "urn:mpeg:dash:schema:mpd:2011"}


def videos(ladder: Path, *names: str) -> list[VideoTrack]:
    return [VideoTrack(name=name, path=ladder / f"{name}.mp4") for name in names]


def english(ladder: Path, codec: str = "aac") -> AudioTrack:
    return AudioTrack(name="audio-0-eng", path=ladder / f"{codec}.mp4", language="eng", default=True)


def joined(folder: Path) -> io.BytesIO:
    """What a player's buffer gets: the init segment and every segment of the playlist."""
    playlist = read_playlist((folder / "media.m3u8").read_text())
    return io.BytesIO(b"".join((folder / name).read_bytes() for name in ("init.mp4", *playlist.segments)))


def decoded(source: io.BytesIO | Path) -> tuple[list[Fraction], list[np.ndarray]]:
    times, pictures = [], []
    with av.open(source if isinstance(source, io.BytesIO) else str(source)) as container:
        for frame in container.decode(video=0):
            times.append(frame.pts * frame.time_base)
            pictures.append(frame.to_ndarray())
    return times, pictures


def packet_times(source: io.BytesIO | Path) -> list[Fraction]:
    with av.open(source if isinstance(source, io.BytesIO) else str(source)) as container:
        return [
            packet.pts * packet.time_base for packet in container.demux(container.streams[0]) if packet.size
        ]


def hashes(package: Path) -> dict[str, str]:
    files = (path for path in package.rglob("*") if path.is_file())
    return {str(path.relative_to(package)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("name", ["360p", "av1"])
def test_the_segments_hold_the_rendition_frame_by_frame(ladder: Path, package: Package, name: str) -> None:
    out = package(videos(ladder, name), [])
    times, pictures = decoded(joined(out / f"video-{name}"))
    wanted_times, wanted = decoded(ladder / f"{name}.mp4")
    assert len(wanted) == 132
    assert times == wanted_times
    assert all(np.array_equal(one, other) for one, other in zip(pictures, wanted, strict=True))


@pytest.mark.parametrize(("codec", "rate"), [("aac", 1024), ("opus", 960)])
def test_sound_and_picture_stay_together(ladder: Path, package: Package, codec: str, rate: int) -> None:
    """Priming and the delay of B-frames survive: both tracks begin at 0, within one audio frame."""
    out = package(videos(ladder, "360p"), [english(ladder, codec)])
    picture, _ = decoded(joined(out / "video-360p"))
    packets = packet_times(joined(out / "audio-0-eng"))
    with av.open(joined(out / "audio-0-eng")) as container:
        sound = [frame.pts * frame.time_base for frame in container.decode(audio=0)]
    assert picture[0] == 0
    assert packets == packet_times(ladder / f"{codec}.mp4")
    assert packets[0] < 0  # priming is there, and before 0
    assert abs(sound[0] - picture[0]) < Fraction(rate, 48000)


def test_first_decoded_sound_is_the_first_sound(ladder: Path, package: Package) -> None:
    """The samples that a decoder gives from the segments are those that it gives from the source file."""
    out = package(videos(ladder, "90p"), [english(ladder)])

    def samples(source: io.BytesIO | Path) -> np.ndarray:
        with av.open(source if isinstance(source, io.BytesIO) else str(source)) as container:
            frames = [frame for frame in container.decode(audio=0) if frame.pts >= 0]
            return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)

    got, wanted = samples(joined(out / "audio-0-eng")), samples(ladder / "aac.mp4")
    length = min(got.shape[1], wanted.shape[1])
    assert length > 5 * 48000
    assert np.array_equal(got[:, :length], wanted[:, :length])


def test_the_same_tracks_give_the_same_bytes(ladder: Path, package: Package, tmp_path: Path) -> None:
    """Also when time has passed and the sources are called something else, as in another work folder."""
    first = package(videos(ladder, "360p", "180p"), [english(ladder)])
    time.sleep(1.1)  # file times of mp4 have whole seconds
    moved = tmp_path / "zzz"
    moved.mkdir()
    names = {"360p": "a", "180p": "z", "aac": "m"}
    for name, new in names.items():
        shutil.copy(ladder / f"{name}.mp4", moved / f"{new}.mp4")
    again = package(
        [VideoTrack(name=name, path=moved / f"{names[name]}.mp4") for name in ("360p", "180p")],
        [AudioTrack(name="audio-0-eng", path=moved / "m.mp4", language="eng", default=True)],
    )
    assert hashes(first) == hashes(again)
    assert not [path for path in first.rglob("*") if path.is_symlink()]
    for path in first.rglob("*.m*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes()


def test_hls_lists_every_rung_with_what_it_needs(ladder: Path, package: Package) -> None:
    master = (package(videos(ladder, "360p", "180p"), [english(ladder)]) / "master.m3u8").read_text()
    variants = re.findall(r"#EXT-X-STREAM-INF:(.*)\n(.*)", master)
    assert [uri for _, uri in variants] == ["video-360p/media.m3u8", "video-180p/media.m3u8"]
    assert 'CODECS="avc1.' in variants[0][0]
    assert "mp4a.40.2" in variants[0][0]
    assert "RESOLUTION=640x360,FRAME-RATE=25.000" in variants[0][0]
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in master


def test_declared_rates_hold(ladder: Path, package: Package) -> None:
    """The average is the real one and not above the peak; DASH declares a rate that suffices."""
    out = package(videos(ladder, "360p", "180p"), [english(ladder)])
    rates = re.findall(
        r"#EXT-X-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)", (out / "master.m3u8").read_text()
    )
    sizes = {
        folder.name: sum(path.stat().st_size for path in folder.glob("*.m4s"))
        for folder in out.iterdir()
        if folder.is_dir()
    }
    for (peak, average), name in zip(rates, ("video-360p", "video-180p"), strict=True):
        real = sizes[name] * 8 / 5.28 + sizes["audio-0-eng"] * 8 / 5.312
        assert abs(int(average) - real) / real < 0.01
        assert int(peak) >= int(average)
    tree = ET.fromstring((out / "manifest.mpd").read_text())  # noqa: S314  our own file
    declared = [int(node.attrib["bandwidth"]) for node in tree.iterfind(".//d:Representation", NS)]
    assert declared[0] >= sizes["video-360p"] * 8 / 5.28 - 1


def test_both_manifests_name_the_same_segments(ladder: Path, package: Package) -> None:
    out = package(videos(ladder, "360p", "180p"), [english(ladder)])
    tree = ET.fromstring((out / "manifest.mpd").read_text())  # noqa: S314
    assert tree.attrib["type"] == "static"
    for template in tree.iterfind(".//d:SegmentTemplate[@initialization]", NS):
        folder = out / Path(template.attrib["initialization"]).parent
        timescale = int(template.attrib["timescale"])
        steps = template.findall(".//d:S", NS)
        durations = [
            Fraction(int(s.attrib["d"]), timescale)
            for s in steps
            for _ in range(1 + int(s.attrib.get("r", 0)))
        ]
        playlist = read_playlist((folder / "media.m3u8").read_text())
        assert len(playlist.segments) == len(durations) == len(list(folder.glob("*.m4s")))
        assert all(
            abs(one - other) < Fraction(1, 500)
            for one, other in zip(playlist.durations, durations, strict=True)
        )
        assert steps[0].attrib["t"] == "0"
    videos_cut = {(out / f"video-{name}/media.m3u8").read_text() for name in ("360p", "180p")}
    assert len(videos_cut) == 1


@pytest.mark.parametrize(("seconds", "segments"), [("2", 3), ("4", 2), ("6", 1)])
def test_segments_begin_at_key_frames(ladder: Path, package: Package, seconds: str, segments: int) -> None:
    out = package(videos(ladder, "90p"), [], segment_s=Decimal(seconds)) / "video-90p"
    assert len(list(out.glob("*.m4s"))) == segments
    for path in sorted(out.glob("*.m4s")):
        with av.open(io.BytesIO((out / "init.mp4").read_bytes() + path.read_bytes())) as container:
            assert next(container.demux(video=0)).is_keyframe


def test_languages_labels_and_the_default_track(ladder: Path, package: Package) -> None:
    """The default comes first and is the only one; two tracks of one language are two choices."""
    aac = ladder / "aac.mp4"
    out = package(
        videos(ladder, "90p"),
        [
            AudioTrack(name="audio-0-eng", path=aac, language="eng"),
            AudioTrack(name="audio-1-ger", path=aac, language="ger", default=True),
            AudioTrack(name="audio-2-eng", path=aac, language="eng", label='Commentary, "cut"'),
            AudioTrack(name="audio-3-und", path=aac),
        ],
    )
    lines = [line for line in (out / "master.m3u8").read_text().splitlines() if "TYPE=AUDIO" in line]
    seen = [re.search(r'(?:LANGUAGE="(\w+)",)?NAME="(.*?)",DEFAULT=(\w+)', line).groups() for line in lines]  # type: ignore[union-attr]
    assert seen == [
        ("de", "Deutsch", "YES"),
        ("en", "English", "NO"),
        ("en", "Commentary cut", "NO"),
        (None, "Audio 4", "NO"),
    ]
    tree = ET.fromstring((out / "manifest.mpd").read_text())  # noqa: S314
    sets = tree.findall(".//d:AdaptationSet[@contentType='audio']", NS)
    assert [node.attrib.get("lang") for node in sets] == ["de", "en", "en", None]
    roles = [node.find("d:Role", NS).attrib["value"] for node in sets]  # type: ignore[union-attr]
    assert roles == ["main", "alternate", "alternate", "alternate"]


def test_a_title_without_sound(ladder: Path, package: Package) -> None:
    out = package(videos(ladder, "180p", "90p"), [])
    assert "AUDIO" not in (out / "master.m3u8").read_text()
    assert sorted(path.name for path in out.iterdir()) == [
        "images",
        "manifest.mpd",
        "master.m3u8",
        "segments.parquet",
        "tracks.json",
        "video-180p",
        "video-90p",
    ]


def test_one_frame_is_a_title(ladder: Path, package: Package, tmp_path: Path) -> None:
    one = tmp_path / "one.mp4"
    run([ffmpeg_path(), "-v", "error", "-i", ladder / "90p.mp4", "-frames:v", "1", "-c", "copy", one])
    out = package([VideoTrack(name="90p", path=one)], [])
    times, _ = decoded(joined(out / "video-90p"))
    assert times == [0]
    assert read_playlist((out / "video-90p/media.m3u8").read_text()).durations == (Fraction(1, 25),)


def test_variable_frame_rate_keeps_every_instant(ladder: Path, package: Package, tmp_path: Path) -> None:
    uneven = tmp_path / "vfr.mp4"
    drop = "select='not(mod(n,3))+not(mod(n,7))',scale=160:90"
    x264 = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
        "-fps_mode",
        "passthrough",
        "-video_track_timescale",
        "12800",
    ]
    run([ffmpeg_path(), "-v", "error", "-i", ladder / "90p.mp4", "-vf", drop, *x264, uneven])
    out = package([VideoTrack(name="vfr", path=uneven)], [])
    times, _ = decoded(joined(out / "video-vfr"))
    wanted, _ = decoded(uneven)
    assert len({round(float(b - a), 4) for a, b in pairwise(wanted)}) > 1
    assert times == wanted


def test_rungs_cut_elsewhere_are_told(ladder: Path, package: Package, tmp_path: Path) -> None:
    odd, said = tmp_path / "odd.mp4", []
    x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0"]
    run([ffmpeg_path(), "-v", "error", "-i", ladder / "90p.mp4", *x264, odd])
    package([*videos(ladder, "180p"), VideoTrack(name="odd", path=odd)], [], log=said.append)
    assert len(said) == 1
    assert "cannot switch" in said[0]
    package(videos(ladder, "180p", "90p"), [], log=said.append)
    assert len(said) == 1


def test_late_video_is_refused(ladder: Path, package: Package, tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    run([ffmpeg_path(), "-v", "error", "-itsoffset", "1.48", "-i", ladder / "90p.mp4", "-c", "copy", late])
    with pytest.raises(CannotPackage, match=r"video-late: its first frame is at 1\.4800 s, wanted 0"):
        package([VideoTrack(name="late", path=late)], [])


def test_negative_composition_offsets_are_found_out(ladder: Path, package: Package, tmp_path: Path) -> None:
    """FFmpeg's readers would show such segments two frames late, so sound would be early."""
    negative = tmp_path / "negative.mp4"
    flags = ["-c", "copy", "-movflags", "+negative_cts_offsets"]
    run([ffmpeg_path(), "-v", "error", "-i", ladder / "90p.mp4", *flags, negative])
    with pytest.raises(PackageWrong, match="edit list"):
        package([VideoTrack(name="negative", path=negative)], [])


def test_what_is_no_track_is_refused(ladder: Path, package: Package, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes((ladder / "90p.mp4").read_bytes()[:5000])
    with pytest.raises(CannotPackage, match="video-cut: it cannot be read"):
        package([VideoTrack(name="cut", path=cut)], [])
    with pytest.raises(CannotPackage, match="no rendition"):
        package([], [english(ladder)])
    with pytest.raises(CannotPackage, match="letters, digits"):
        package([VideoTrack(name="../up", path=ladder / "90p.mp4")], [])
    with pytest.raises(CannotPackage, match="two tracks have this name"):
        package(videos(ladder, "90p", "90p"), [])


def test_the_packagers_own_words_reach_the_user(package: Package, bbb: Path, tmp_path: Path) -> None:
    """It takes no MPEG-4 Part 2: its last line says so, without its log prefix."""
    old = tmp_path / "old.mp4"
    size = ["-vf", "scale=160:90", "-frames:v", "5"]
    run([ffmpeg_path(), "-v", "error", "-i", bbb, "-an", *size, "-c:v", "mpeg4", old])
    with pytest.raises(
        PackagerFailed, match=r"^Shaka Packager \(exit code 2\): .*Cannot parse.*video-old"
    ) as failure:
        package([VideoTrack(name="old", path=old)], [])
    assert ".cc:" not in str(failure.value)
