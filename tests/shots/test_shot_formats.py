"""Shots go through every format and back without loss, in any order of formats; foreign files are read or refused."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archer.media import FrameIndex, MediaInfo, VideoStream
from cinemill_native.frames import Colour, PixelFormat
from pipelines.shots.errors import ShotFileError
from pipelines.shots.formats import read_shots, table_rows, write_shots
from pipelines.shots.formats.registry import FORMATS


def media(frames: int, rate: Fraction, timecode: str = "") -> dict[str, Any]:
    """Facts of a title with steady frames."""
    video = VideoStream(
        index=0,
        codec="h264",
        profile="High",
        width=320,
        height=180,
        sar=Fraction(1),
        rotation=0,
        format=PixelFormat(name="yuv420p", bit_depth=8, chroma_shift=(1, 1)),
        field_order="progressive",
        colour=Colour(),
        time_base=1 / rate,
        frame_rate=rate,
        vfr=False,
        frames=frames,
    )
    index = FrameIndex(pts=np.arange(frames), keys=np.array([0]), last=1, counted_by="demux")
    return MediaInfo(container="mp4", video=video, index=index, timecode=timecode).to_json()


@st.composite
def found_shots(draw: st.DrawFn) -> dict[str, Any]:
    lengths = draw(st.lists(st.integers(1, 2000), min_size=1, max_size=8))
    rate = draw(st.sampled_from(["24", "25", "24000/1001", "30000/1001", "60", "120", "25/2"]))
    shots: list[dict[str, Any]] = []
    for length in lengths:
        start = shots[-1]["end"] if shots else 0
        kind = draw(st.sampled_from(["cut", "dissolve", "fade"])) if shots else "start"
        shot = {"start": start, "end": start + length, "transition": kind}
        shot["confidence_pct"] = draw(st.integers(0, 100))
        if kind in ("dissolve", "fade"):
            shot["mixed"] = [max(0, start - 5), start + 5]
        if draw(st.booleans()):
            shot["fade_out"] = [start, start + length]
        shots.append(shot)
    return {"schema": "shots@1", "frames": shots[-1]["end"], "frame_rate": rate, "shots": shots}


@given(found=found_shots(), timecode=st.sampled_from(["", "01:00:00:00", "10:59:58;20", "nonsense"]))
@settings(max_examples=25, deadline=None)
def test_every_format_keeps_everything(found: dict[str, Any], timecode: str) -> None:
    facts = media(found["frames"], Fraction(found["frame_rate"]), timecode)
    for entry in FORMATS.values():
        assert entry.read(entry.write(found, facts), None) == found, entry.name


@given(found=found_shots())
@settings(max_examples=5, deadline=None)
def test_nothing_is_lost_on_the_way_through_all_formats(found: dict[str, Any]) -> None:
    facts = media(found["frames"], Fraction(found["frame_rate"]))
    for way in list(permutations(FORMATS.values()))[::17]:
        passed = found
        for entry in way:
            passed = entry.read(entry.write(passed, facts), None)  # type: ignore[assignment]
        assert passed == found


SHOTS = {
    "schema": "shots@1",
    "frames": 100,
    "frame_rate": "24",
    "shots": [
        {"start": 0, "end": 30, "transition": "start", "confidence_pct": 100},
        {"start": 30, "end": 100, "transition": "dissolve", "confidence_pct": 61, "mixed": [25, 35]},
    ],
}


def test_pyscenedetect_counts_from_one_and_includes_the_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "scenes.csv"
    write_shots(path, SHOTS, media(100, Fraction(24)))
    lines = path.read_text().splitlines()
    assert lines[0] == "Timecode List:,00:00:01.250"
    assert lines[2].startswith("1,1,00:00:00.000,0.000,30,00:00:01.250,1.250,30,00:00:01.250,1.250,")
    assert lines[3].startswith("2,31,00:00:01.250,1.250,100,00:00:04.167,4.167,70,00:00:02.917,2.917,")


def test_a_list_by_pyscenedetect_itself_is_read() -> None:
    """Written by scenedetect 0.7.2 (`list-scenes`) for a title of 652 frames at 25 per second, shortened."""
    text = """Timecode List:,00:00:03.040
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,End Time (seconds),Length (frames),\
Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,76,00:00:03.040,3.040,76,00:00:03.040,3.040
2,77,00:00:03.040,3.040,652,00:00:26.080,26.080,576,00:00:23.040,23.040
"""
    found = FORMATS["pyscenedetect"].read(text, None)
    assert [(shot["start"], shot["end"]) for shot in found["shots"]] == [(0, 76), (76, 652)]
    assert found["frame_rate"] == "25"


def test_av1an_scenes_have_an_open_end(tmp_path: Path) -> None:
    path = tmp_path / "scenes.json"
    write_shots(path, SHOTS, media(100, Fraction(24)), name="av1an")
    value = json.loads(path.read_text())
    edges = [(scene["start_frame"], scene["end_frame"]) for scene in value["scenes"]]
    assert edges == [(0, 30), (30, 100)]
    assert value["frames"] == 100
    assert all(scene["zone_overrides"] is None for scene in value["scenes"])
    assert read_shots(path) == SHOTS  # a .json file may be ours or Av1an's


def test_a_foreign_scene_file_needs_the_frame_rate() -> None:
    text = '{"frames": 9, "scenes": [{"start_frame": 0, "end_frame": 9, "zone_overrides": null}]}'
    assert FORMATS["av1an"].read(text, Fraction(25))["frame_rate"] == "25"
    with pytest.raises(ValueError, match="frame rate"):
        FORMATS["av1an"].read(text, None)


def test_an_edl_begins_at_the_titles_timecode() -> None:
    text = FORMATS["edl"].write(SHOTS, media(100, Fraction(24), "01:00:00:00"))
    assert "001  AX       V     C        01:00:00:00 01:00:01:06 01:00:00:00 01:00:01:06" in text
    assert FORMATS["edl"].read(text, None) == SHOTS


def test_an_edl_of_an_edit_is_read_by_its_record_side() -> None:
    """As editing programs export them: pictures from several reels, sound of its own, drop-frame timecode."""
    text = """TITLE: REEL 1
FCM: DROP FRAME

001  A001     V     C        05:10:00;00 05:10:02;00 01:00:00;00 01:00:02;00
002  A001     AA    C        05:10:00;00 05:11:00;02 01:00:00;00 01:01:00;02
* FROM CLIP NAME: A001.MOV
003  B007     B     C        02:00:00:00 02:00:58:02 01:00:02:00 01:01:00:02
"""
    found = FORMATS["edl"].read(text, Fraction(30000, 1001))
    assert [(shot["start"], shot["end"]) for shot in found["shots"]] == [(0, 60), (60, 1800)]


def test_an_edl_with_a_dissolve_event_is_refused_in_one_line() -> None:
    event = "001  AX       V     D    024 00:00:00:00 00:00:01:06 00:00:00:00 00:00:01:06"
    with pytest.raises(ValueError, match="wanted a cut"):
        FORMATS["edl"].read(event, Fraction(24))


def test_opentimelineio_reads_the_timeline(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio", reason="needs opentimelineio")
    path = tmp_path / "shots.otio"
    write_shots(path, SHOTS, media(100, Fraction(24)))
    timeline = otio.adapters.read_from_file(str(path))
    clips = list(timeline.find_clips())
    assert [clip.source_range.start_time.value for clip in clips] == [0, 30]
    assert [clip.source_range.duration.value for clip in clips] == [30, 70]
    again = tmp_path / "again.otio"
    otio.adapters.write_to_file(timeline, str(again))
    assert read_shots(again) == SHOTS


def test_a_timeline_of_an_edit_is_read_as_it_is_shown() -> None:
    """Clips from anywhere, a gap, a transition over them; rates as others write them."""

    def child(kind: str, seconds: float, rate: float) -> dict[str, Any]:
        duration = {"value": seconds * rate, "rate": rate}
        return {
            "OTIO_SCHEMA": f"{kind}.1",
            "source_range": {"start_time": {"value": 900, "rate": 24}, "duration": duration},
        }

    def timeline(*children: dict[str, Any]) -> str:
        track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": children}
        return json.dumps({"tracks": {"children": [track]}})

    transition = {"OTIO_SCHEMA": "Transition.1", "in_offset": {}, "out_offset": {}}
    text = timeline(child("Clip", 2, 24), transition, child("Gap", 1, 24))
    found = FORMATS["otio"].read(text, Fraction(24000, 1001))
    assert [(shot["start"], shot["end"]) for shot in found["shots"]] == [(0, 48), (48, 72)]
    found = FORMATS["otio"].read(timeline(child("Clip", 0.5, 1000)), Fraction(24))
    assert [(shot["start"], shot["end"]) for shot in found["shots"]] == [(0, 12)]
    for wrong, words in ((child("Stack", 1, 24), "Stack"), (child("Clip", 0.01, 1000), "whole number")):
        with pytest.raises(ValueError, match=words):
            FORMATS["otio"].read(timeline(wrong), Fraction(24))


@pytest.mark.parametrize("name", ["shots.json", "shots.csv", "shots.edl", "shots.otio"])
@pytest.mark.parametrize("text", ["", "{}", "[1]", "Scene Number\n1\n", "001  AX\n", '{"schema": "shots@2"}'])
def test_what_is_no_shot_file_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ShotFileError, match=name):
        read_shots(path, frame_rate=Fraction(24))


def test_gaps_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "shots.json"
    shots = [{"start": 0, "end": 5}, {"start": 6, "end": 9}]
    path.write_text(json.dumps({**SHOTS, "shots": shots}))
    with pytest.raises(ShotFileError, match="begins at 5"):
        read_shots(path)


def test_an_unknown_suffix_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ShotFileError, match=r"wanted one of \.json, \.csv, \.edl, \.otio"):
        write_shots(tmp_path / "shots.xml", SHOTS, media(100, Fraction(24)))


def test_the_table_has_a_row_per_shot() -> None:
    rows = list(table_rows(SHOTS, media(100, Fraction(24))))
    assert len(rows) == 2
    assert "dissolve" in rows[1]
    assert "00:00:01.250" in rows[1]


def test_the_command_line_offers_every_format() -> None:
    from pipelines.cli.shots import NAMES

    assert tuple(FORMATS) == NAMES
