"""Segments begin with shots where all rungs can, and every packet and byte range survives the joining of pieces."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from archer.process import ffmpeg
from pipelines.packaging.cuts import Cuts, groups, plan_cuts, planned, step_for
from pipelines.packaging.index import read_index
from pipelines.packaging.keys import KeySet, Protection
from pipelines.packaging.manifests import read_playlist
from pipelines.packaging.tracks import AudioTrack, VideoTrack

Package = Callable[..., Path]
SHOT = 71  # frame 71 at 25 frames per second is at 2.84 s; key frames are at 0, 1, 2, 2.84, 3.84 ... s


def seconds(*values: float) -> list[Fraction]:
    return [Fraction(str(value)) for value in values]


@pytest.mark.parametrize(
    ("keys", "shots", "cuts"),
    [
        ([0, 2, 4, 6, 8, 10], [], [4, 8]),
        ([0, 2, 4, 5.4, 7.4, 9.4], [5.4], [5.4, 9.4]),  # the shot is near enough to four seconds
        ([0, 2, 3, 4, 5, 7, 8, 9], [3, 5], [3, 5, 8]),  # of two that are as near, the first
        ([0, 2, 2.1, 4.1, 6.1], [2.1], [2.1, 6.1]),
        ([0, 1, 2, 3.9, 5.9], [1, 3.9], [3.9]),  # 1 s is too short; what is left is no more than a segment
        ([0, 9], [9], []),  # nothing lies within reach, and the end is near
        ([0, 7, 14], [], [7]),
    ],
)
def test_shots_are_taken_where_they_are_near(
    keys: list[float], shots: list[float], cuts: list[float]
) -> None:
    end = Fraction(str(keys[-1])) + Fraction(1, 2) if keys[-1] in (9, 14) else Fraction(str(keys[-1])) + 2
    found = planned(seconds(*keys), seconds(*shots), Decimal(4), end)
    assert list(found) == seconds(*cuts)


def test_a_step_parts_what_must_be_apart() -> None:
    """Also where a key frame stands just before the shot; an hour is planned in no time."""
    keys = sorted({*range(0, 3600_000, 2000), *(place * 5170 + 40 for place in range(1, 695))})
    times = [Fraction(key, 1000) for key in keys]
    found = plan_cuts(times, times, [time for time in times if time % 2], Decimal(4), Fraction(3602))
    assert found
    cuts, step = found.times, found.step
    assert step > Decimal("0.2")
    assert sum(1 for cut in cuts if cut % 2) > 450
    edges = [(times[times.index(cut) - 1], cut) for cut in cuts[:300]]
    assert all(before // Fraction(step) < cut // Fraction(step) for before, cut in edges)
    assert max(other - one for one, other in pairwise(cuts)) <= 6
    assert step_for(seconds(0, 3.995, 4), seconds(4)) is None  # rounding could put both into one piece


def test_pieces_are_grouped_and_leads_end_with_segments() -> None:
    starts = seconds(0, 0.5, 1, 1.5, 2.001, 2.5)
    assert groups(starts, seconds(1, 2)) == [[0, 1], [2, 3], [4, 5]]
    assert groups(starts, seconds(0.7, 9)) == [[0, 1], [2, 3, 4, 5]]
    cuts = Cuts(times=tuple(seconds(3, 7.2)), step=Decimal(1))
    assert [cuts.after(Decimal(lead)) for lead in ("0", "2", "4", "9")] == [
        Decimal(text) for text in ("0", "2.9995", "7.1995", "9")
    ]


@pytest.fixture(scope="module")
def shots(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rungs with a key frame at the shot, and one without."""
    folder = tmp_path_factory.mktemp("shots")
    for name, forced in (("180p", "0,1,2,2.84,3.84"), ("90p", "0,1,2,2.84,3.84"), ("other", "0,1,2,3,4,5")):
        size = ["-vf", f"scale=-2:{180 if name == '180p' else 90}"]
        x264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "250", "-sc_threshold", "0"]
        ffmpeg(["-i", bbb, "-an", *size, *x264, "-force_key_frames", forced, folder / f"{name}.mp4"])
    ffmpeg(["-i", bbb, "-vn", "-ac", "2", "-c:a", "aac", folder / "aac.mp4"])
    return folder


def made(shots: Path, package: Package, *names: str, **options: object) -> Path:
    videos = [VideoTrack(name=name, path=shots / f"{name}.mp4") for name in names]
    sound = [AudioTrack(name="audio-en", path=shots / "aac.mp4", language="eng")]
    return package(videos, sound, segment_s=Decimal(2), shots=[0, SHOT], **options)


def test_a_segment_begins_with_the_shot(shots: Path, package: Package) -> None:
    """In every rung, in both manifests, and in the index; byte ranges of the key frames are right, one for each of them."""
    out = made(shots, package, "180p", "90p")
    for name in ("video-180p", "video-90p"):
        rows = [row for row in read_index(out) if row["track"] == name]
        assert [row["packets"] for row in rows] == [SHOT, 25, 36]
        assert sorted(path.name for path in (out / name).glob("*.m4s")) == ["1.m4s", "2.m4s", "3.m4s"]
        text = (out / name / "iframes.m3u8").read_text()
        found = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)", text)
        assert [file for *_, file in found] == ["1.m4s", "1.m4s", "1.m4s", "2.m4s", "3.m4s"]
        for size, start, file in found:
            piece = (out / name / file).read_bytes()[int(start) : int(start) + int(size)]
            with av.open(io.BytesIO((out / name / "init.mp4").read_bytes() + piece)) as container:
                assert next(container.decode(video=0)).key_frame
    times = re.findall(r'<S t="(\d+)" d="(\d+)"/>', (out / "manifest.mpd").read_text())
    assert len(times) == 9  # three segments of each track, that of sound too
    sound = read_playlist((out / "audio-en/media.m3u8").read_text())
    assert abs(sound.durations[0] - Fraction("2.84")) < 1


def test_a_clear_lead_ends_with_a_segment_that_a_shot_begins(shots: Path, package: Package) -> None:
    keys = KeySet(id="0a", label="title", secret=bytes(range(32)))
    protection = Protection(scheme="cenc", keys=keys, clear_lead_s=Decimal(1))
    out = made(shots, package, "180p", protection=protection)
    assert [row["encrypted"] for row in read_index(out)] == [False, True, True] * 2


def test_rungs_that_do_not_agree_are_cut_where_they_do(shots: Path, package: Package) -> None:
    said: list[str] = []
    out = made(shots, package, "90p", "other", log=said.append)
    cut = {
        name: [row["packets"] for row in read_index(out) if row["track"] == name]
        for name in ("video-90p", "video-other")
    }
    assert cut["video-90p"] == cut["video-other"]
    assert SHOT not in cut["video-90p"]
    assert said == []
