"""Probing tells the truth about every clip: how many frames, how they are to be shown, and what is wrong with them."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from archer.media import InvalidMedia, MediaError, MediaInfo, NoVideo, display_size, frames, identify, probe
from archer.process import ffmpeg
from mezzfs import EmptyObject, NotFound

SHARED = Path(os.environ.get("CINEMILL_SHARED", Path(__file__).resolve().parents[3] / "shared"))
Make = Callable[..., Path]

AWKWARD: dict[str, dict[str, Any]] = {
    "anamorphic_sar64_45.mp4": {"sar": Fraction(64, 45), "shown": (1024, 576)},
    "audio_51_aac.mp4": {"sound": [("aac", "5.1", "und", True)]},
    "audio_51_ac3.mkv": {"sound": [("ac3", "5.1(side)", "und", True)]},
    "audio_starts_1500ms_late.mkv": {"sound starts": [Fraction(3, 2)]},
    "editlist_negcts.mov": {"hidden": 33},
    "full_range_yuvj420p.mp4": {"full range": True, "format": "yuv420p"},
    "hdr10_hevc_mdcv_clli.mp4": {"light": (1000, 400), "mastering": (Fraction(1, 200), 1000)},
    "interlaced_tff_h264.mp4": {"fields": "tff", "sar": Fraction(64, 45)},
    "interlaced_tff_telecine_mpeg2.ts": {"fields": "tff"},
    "mp4_truncated_60pct_moov_first.mp4": {"problems": {"truncated", "damaged", "gap"}, "vfr": True},
    "multitrack_3audio_2subs.mkv": {
        "sound": [
            ("aac", "stereo", "eng", True),
            ("aac", "stereo", "deu", False),
            ("aac", "mono", "spa", False),
        ],
        "text": [("subrip", "eng", True), ("subrip", "deu", False)],
    },
    "multitrack_3audio_2subs.mp4": {
        "sound": [
            ("aac", "stereo", "eng", True),
            ("aac", "stereo", "deu", False),
            ("aac", "mono", "spa", False),
        ],
        "text": [("mov_text", "eng", True), ("mov_text", "deu", False)],
    },
    "no_audio.mp4": {"sound": []},
    "opengop_hevc_starts_at_cra.ts": {"hidden": 3},
    "prores422lt_10bit.mov": {"format": "yuv422p10le"},
    "resolution_change.ts": {"problems": {"resolution change", "gap"}, "vfr": True},
    "rotated_90.mp4": {"rotation": 270, "shown": (360, 640)},  # FFmpeg counts the other way round
    "rotated_180.mp4": {"rotation": 180, "shown": (640, 360)},
    "rotated_270.mp4": {"rotation": 90, "shown": (360, 640)},
    "ts_corrupt_packets.ts": {"problems": {"damaged", "gap"}, "vfr": True},
    "ts_lost_sync_garbage.ts": {"problems": {"damaged"}},
    "ts_missing_chunk.ts": {"problems": {"damaged", "gap"}, "vfr": True},
    "vfr_real_timestamps.mkv": {"vfr": True, "rate": Fraction(30000, 1001)},
    "vfr_real_timestamps.mp4": {"vfr": True, "rate": Fraction(30000, 1001)},
}
"""What MANIFEST.json says in words; a file that is not here, and a fact not named, has nothing special."""

USUAL = {"sar": 1, "rotation": 0, "hidden": 0, "vfr": False, "fields": "progressive", "problems": set()}
REFUSED = {
    "audio_only.m4a": (NoVideo, "it holds: audio"),
    "audio_only_mono_8k.mp3": (NoVideo, "it holds: audio"),
    "audio_with_cover_art.m4a": (NoVideo, "it holds: audio"),
    "mp4_truncated_no_moov.mp4": (InvalidMedia, "cut off before its index"),
    "text_renamed.mp4": (InvalidMedia, "not a media file"),
    "zero_length.mp4": (EmptyObject, "0 bytes"),
}


def entries(folder: str) -> list[dict[str, Any]]:
    manifest = SHARED / "clips" / folder / "MANIFEST.json"
    return json.loads(manifest.read_bytes())["files"] if manifest.exists() else [{"file": "absent"}]


def named(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def facts(info: MediaInfo) -> dict[str, Any]:
    """What `AWKWARD` may name."""
    video, hdr = info.video, info.video.hdr
    master = hdr.mastering if hdr else None
    return {
        "sar": video.sar,
        "shown": display_size(video),
        "rotation": video.rotation,
        "hidden": video.hidden,
        "format": video.format.name,
        "full range": video.colour.full_range,
        "fields": video.field_order,
        "vfr": video.vfr,
        "rate": video.frame_rate,
        "light": (hdr.max_cll, hdr.max_fall) if hdr else None,
        "mastering": (master.min_luminance, master.max_luminance) if master else None,
        "sound": [(track.codec, track.layout, track.language, track.default) for track in info.audio],
        "sound starts": [track.start for track in info.audio],
        "text": [(track.codec, track.language, track.default) for track in info.subtitles],
        "problems": {problem.code for problem in info.problems},
    }


@pytest.mark.shared
@pytest.mark.parametrize("entry", entries("awkward"), ids=named)
def test_awkward_clips_are_what_their_manifest_says(entry: dict[str, Any], clips: Path) -> None:
    path = str(clips / "awkward" / entry["file"])
    if entry["file"] in REFUSED:
        kind, words = REFUSED[entry["file"]]
        with pytest.raises(kind, match=words) as refused:
            probe(path)
        assert not refused.value.retryable
        return
    info = probe(path)
    assert info.frame_count == entry["pyav_frames"]
    primaries, transfer, matrix, _ = entry["color"]
    colour = info.video.colour
    assert (colour.primaries, colour.transfer, colour.matrix) == (primaries, transfer, matrix)
    assert f"{info.video.width}x{info.video.height}" in entry["video"]
    wanted = USUAL | AWKWARD.get(entry["file"], {})
    if "interlaced" in entry["file"]:
        wanted["sar"] = info.video.sar
    assert {name: facts(info)[name] for name in wanted} == wanted


@pytest.mark.shared
@pytest.mark.parametrize("entry", entries(""), ids=named)
def test_real_clips_are_what_their_manifest_says(entry: dict[str, Any], clips: Path) -> None:
    if "codec" not in entry:
        with pytest.raises(NoVideo):
            probe(str(clips / entry["file"]))
        return
    info = probe(str(clips / entry["file"]))
    video, colour = info.video, info.video.colour
    assert info.frame_count == entry["frames"]
    assert (video.width, video.height) == (entry["width"], entry["height"])
    assert video.rotation == -entry["rotation"] % 360  # FFmpeg counts counterclockwise
    assert video.sar == (1 if entry["sar"] == "None" else Fraction(entry["sar"]))
    assert (video.field_order == "progressive") == (not entry["interlaced"])
    assert [colour.primaries, colour.transfer, colour.matrix] == list(entry["color"].values())[:3]
    assert colour.full_range == {0: None, 1: False, 2: True}[entry["color"]["range"]]
    heard = [(track.rate, track.layout, track.language) for track in info.audio]
    assert heard == [(one["rate"], one["layout"], one.get("lang", "und")) for one in entry["audio"]]
    assert len(info.subtitles) == len(entry["subtitles"])
    if video.vfr is not entry["vfr"]:  # the manifest calls a single step of 35 ms in 77 variable
        assert entry["file"] == "phone_hlg10_1080p_rot_editlist.mp4"


def test_the_demo_clip(bbb: Path) -> None:
    info = probe(str(bbb))
    assert (info.frame_count, info.video.frame_rate, info.video.vfr) == (132, 25, False)
    assert (info.video.width, info.video.height, info.video.codec) == (1280, 720, "h264")
    assert info.duration == Fraction(132, 25)
    assert [(track.codec, track.layout, track.rate) for track in info.audio] == [("aac", "5.1", 48000)]
    assert info.problems == ()


@pytest.mark.parametrize("decode", [False, True])
def test_every_kind_of_clip_has_its_frames(recipe: str, made: Make, decode: bool) -> None:
    """Counting by packets and by decoding agree, in counts, times and facts."""
    counts = {"one_frame.mp4": 1, "edit_list.mp4": 20, "vfr.mkv": 15, "vfr.mp4": 15}
    info = probe(str(made(recipe)), decode=decode)
    assert info.frame_count == counts.get(recipe, 35)
    assert info.video.vfr == recipe.startswith("vfr")
    assert info.video.frame_rate == 25
    assert info.video.field_order == (recipe[:3] if recipe[:3] in ("tff", "bff") else "progressive")
    assert info.problems == ()
    assert info.index.pts.tolist() == probe(str(made(recipe))).index.pts.tolist()


def test_every_kind_of_clip_survives_json(recipe: str, made: Make) -> None:
    info = probe(str(made(recipe)))
    text = json.dumps(info.to_json(), allow_nan=False)
    assert MediaInfo.from_json(json.loads(text)) == info
    assert not [value for value in flat(info.to_json()) if isinstance(value, float)]


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from flat(entry)
    else:
        yield value


def test_facts_of_another_schema_are_refused(made: Make) -> None:
    value = probe(str(made("h264.mp4"))).to_json() | {"schema": "media@0"}
    with pytest.raises(ValueError, match="wanted schema media@1, got media@0; probe the title again"):
        MediaInfo.from_json(value)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_rotation_is_clockwise(turn: int, made: Make) -> None:
    """Our 90 is what one does to the stored picture; FFmpeg's option counts counterclockwise."""
    video = probe(str(made(f"rotated_{turn}.mp4"))).video
    assert (video.rotation, video.mirrored) == (turn, False)
    assert display_size(video) == ((192, 108) if turn == 180 else (108, 192))


@pytest.mark.parametrize("name", ["mirrored.mp4", "mirrored_down.mp4", "mirrored_90.mp4"])
def test_mirrored(name: str, made: Make) -> None:
    info = probe(str(made(name)))
    assert (info.video.mirrored, info.problems) == (True, ())


def test_an_odd_angle_is_told(made: Make) -> None:
    info = probe(str(made("askew.mp4")))
    assert info.video.rotation == 270
    assert [(problem.code, problem.fatal) for problem in info.problems] == [("display matrix", False)]


def test_fields_of_pictures_whose_stream_says_nothing(made: Make) -> None:
    """DV: only its pictures say that the bottom field comes first."""
    video = probe(str(made("bff.dv"))).video
    assert (video.codec, video.field_order) == ("dvvideo", "bff")


def test_sample_aspect_ratio_widens(made: Make) -> None:
    video = probe(str(made("anamorphic.mp4"))).video
    assert video.sar == Fraction(64, 45)
    assert display_size(video) == (273, 108)


def test_range_and_layout(made: Make) -> None:
    full, grey, rgb = (probe(str(made(name))).video for name in ("full_range.mp4", "grey.mkv", "rgb.mkv"))
    assert (full.colour.full_range, full.format.name) == (True, "yuv420p")
    assert (grey.format.name, grey.format.chroma_shift) == ("gray", None)
    assert (rgb.format.name, rgb.colour.matrix, rgb.colour.full_range) == ("yuv444p", 1, False)


def test_hdr10_metadata(made: Make) -> None:
    video = probe(str(made("hdr10.mp4"))).video
    assert video.hdr is not None
    assert video.colour.is_hdr
    master = video.hdr.mastering
    assert master is not None
    assert (video.hdr.max_cll, video.hdr.max_fall, video.hdr.dynamic) == (1000, 400, ())
    assert (master.min_luminance, master.max_luminance) == (Fraction(1, 200), 1000)
    assert master.green == (Fraction(13250, 50000), Fraction(34500, 50000))
    assert master.white == (Fraction(15635, 50000), Fraction(16450, 50000))


def test_edit_list_hides_what_it_cuts(made: Make) -> None:
    """From 0.6 s on: what lies between the key frame before and the cut is coded, and not shown."""
    whole, cut = (probe(str(made(name))) for name in ("h264.mp4", "edit_list.mp4"))
    assert (whole.frame_count, whole.video.hidden) == (35, 0)
    assert (cut.frame_count, cut.video.hidden) == (20, 3)
    assert int(cut.index.pts[0]) == 0


def test_timecode(made: Make) -> None:
    assert probe(str(made("timecode.mov"))).timecode == "01:02:03:04"
    assert probe(str(made("timecode.mkv"))).timecode == "01:02:03:04"
    assert probe(str(made("h264.mp4"))).timecode == ""


def test_tracks_chapters_and_attachments(remake: Make, tmp_path: Path) -> None:
    (tmp_path / "meta").write_text(
        ";FFMETADATA1\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Öne\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1400\ntitle=Two; 2\n"
    )
    (tmp_path / "words.srt").write_text("1\n00:00:00,100 --> 00:00:01,000\nHello\n")
    sound = ["-f", "lavfi", "-t", "1.4", "-i", "sine=sample_rate=48000"]
    path = remake(
        "h264.mp4",
        "all.mkv",
        *(*sound, "-itsoffset", "0.5", *sound, "-i", tmp_path / "words.srt", "-i", tmp_path / "meta"),
        *("-map", "0:v", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4"),
        *("-c:v", "copy", "-c:a", "pcm_s16le", "-c:s", "srt"),
        *(
            "-metadata:s:a:0",
            "language=eng",
            "-metadata:s:a:1",
            "language=fra",
            "-metadata:s:a:1",
            "title=Suite",
        ),
        *("-disposition:a:0", "0", "-disposition:a:1", "default", "-metadata:s:s:0", "language=deu"),
        *("-attach", tmp_path / "words.srt", "-metadata:s:t:0", "mimetype=text/plain"),
    )
    info = probe(str(path))
    tracks = [(one.language, one.title, one.default, one.channels, one.start) for one in info.audio]
    assert tracks == [("eng", "", False, 1, 0), ("fra", "Suite", True, 1, Fraction(1, 2))]
    assert [(one.codec, one.language) for one in info.subtitles] == [("subrip", "deu")]
    assert [one.title for one in info.attachments] == ["words.srt"]
    spans = [(chapter.start, chapter.end, chapter.title) for chapter in info.chapters]
    assert spans == [(0, Fraction(1, 2), "Öne"), (Fraction(1, 2), Fraction(7, 5), "Two; 2")]
    assert MediaInfo.from_json(info.to_json()) == info


def test_the_default_video_stream_is_used_and_the_others_are_told(remake: Make, made: Make) -> None:
    second = ["-i", made("one_frame.mp4"), "-map", "1:v", "-map", "0:v", "-c", "copy"]
    info = probe(
        str(remake("h264.mp4", "two.mkv", *second, "-disposition:0", "0", "-disposition:1", "default"))
    )
    assert (info.video.index, info.frame_count) == (1, 35)
    assert [problem.code for problem in info.problems] == ["several videos"]


def test_a_cover_picture_is_not_video(remake: Make) -> None:
    cover = [
        "-f",
        "lavfi",
        "-t",
        "0.5",
        "-i",
        "sine",
        "-map",
        "1",
        "-map",
        "0:v",
        "-frames:v",
        "1",
        "-c:v",
        "mjpeg",
    ]
    path = remake("h264.mp4", "song.m4a", *cover, "-disposition:v", "attached_pic")
    with pytest.raises(NoVideo, match="it holds: audio"):
        probe(str(path))


def test_only_sound_is_refused(remake: Make) -> None:
    path = remake("h264.mp4", "sound.mp4", "-f", "lavfi", "-t", "0.5", "-i", "sine", "-map", "1")
    with pytest.raises(
        NoVideo, match=r"sound\.mp4: no video stream \(it holds: audio\); wanted a file with video"
    ):
        probe(str(path))


def test_a_file_cut_off_is_fatal(remake: Make, tmp_path: Path) -> None:
    """Not one of the frames that are left is wrong, so only the header can tell."""
    whole = remake("h264.mp4", "front.mp4", "-c", "copy", "-movflags", "+faststart")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    info = probe(str(cut))
    assert 5 < info.frame_count < 30
    assert [problem.code for problem in info.problems if problem.fatal] == ["truncated"]


@pytest.mark.parametrize("name", ["h264.mkv", "vp9.webm", "mpeg4.avi"])
def test_a_file_cut_off_in_other_containers(name: str, made: Make, tmp_path: Path) -> None:
    """The header says 11.2 seconds."""
    path = tmp_path / name
    ffmpeg(["-stream_loop", "7", "-i", made(name), "-c", "copy", path])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert "truncated" in {problem.code for problem in probe(str(path)).problems}


def test_damage_is_told(made: Make, tmp_path: Path) -> None:
    """Bytes turned over in the middle of a transport stream: fewer clean frames, and it says so."""
    damaged = tmp_path / "damaged.ts"
    data = bytearray(made("h264.ts").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 800] = bytes(255 - value for value in data[middle : middle + 800])
    damaged.write_bytes(data)
    info = probe(str(damaged))
    assert "damaged" in {problem.code for problem in info.problems}
    assert not [problem for problem in info.problems if problem.fatal]
    assert len(info.index.damaged) or info.index.lost or info.frame_count < 35


@pytest.mark.parametrize("content", [b"hello, world\n" * 80, b"\0" * 5000, bytes(range(256)) * 40])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_what_is_no_media_is_refused(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidMedia, match="not a media file") as refused:
        probe(str(tmp_path / name))
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "h264.ts", "mpeg4.avi", "prores.mov"])
def test_whatever_is_left_of_a_file_ends_in_facts_or_our_errors(
    name: str, part: float, made: Make, tmp_path: Path
) -> None:
    data = made(name).read_bytes()
    (tmp_path / name).write_bytes(data[: max(1, int(len(data) * part))])
    try:
        info = probe(str(tmp_path / name))
    except MediaError as error:
        assert error.url in str(error)
    else:
        assert 0 < info.frame_count <= 35


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", ["h264.mp4", "hevc.mp4", "h264.mkv", "h264.ts"])
def test_whatever_is_turned_over_ends_in_facts_or_our_errors(
    name: str, seed: int, made: Make, tmp_path: Path
) -> None:
    """Bits anywhere, half of them in the header; where there are facts, frames are as many as they say, or an error."""
    dice, data = random.Random(seed), bytearray(made(name).read_bytes())
    for _ in range(dice.choice((1, 3, 20))):
        data[dice.randrange(len(data) if seed % 2 else 2000)] ^= 1 << dice.randrange(8)
    (tmp_path / name).write_bytes(data)
    with suppress(MediaError):
        info = probe(str(tmp_path / name))
        assert [frame.index for frame in frames(str(tmp_path / name), info=info)] == list(
            range(info.frame_count)
        )


def test_missing_and_empty_files(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(NotFound):
        probe(str(tmp_path / "none.mp4"))
    with pytest.raises(EmptyObject):
        probe(str(tmp_path / "empty.mp4"))


def test_identity_is_of_the_content(made: Make, tmp_path: Path) -> None:
    first, other = identify(str(made("h264.mp4"))), identify(str(made("h264.mkv")))
    shutil.copy(made("h264.mp4"), tmp_path / "copy.mov")
    again = identify(str(tmp_path / "copy.mov"))
    assert first.identity == again.identity != other.identity
    assert first.size == again.size == (tmp_path / "copy.mov").stat().st_size
    assert first.identity.startswith("sha256:")
