"""3:2 pull-down is told from true interlaced video and from film, and undone frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.media import FrameRange, frames, probe
from archer.process import ffmpeg
from pipelines.ingest.telecine import film_frames, is_telecined

CASES = {
    "telecine=first_field=top:pattern=23,setfield=tff": True,
    "telecine=first_field=bottom:pattern=23,setfield=bff": True,
    "null": False,
    "tinterlace=mode=interleave_top,setfield=tff": False,
}


@pytest.mark.parametrize("chain", CASES, ids=["tff", "bff", "film", "interlaced"])
def test_pattern(chain: str, bbb: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.mkv"
    ffmpeg(["-i", bbb, "-an", "-vf", f"scale=320:180,{chain}", "-c:v", "ffv1", "-frames:v", "60", made])
    assert is_telecined(frames(str(made))) == CASES[chain]


@pytest.mark.slow
def test_real_interlaced_video_is_none(clips: Path) -> None:
    url = str(clips / "awkward/interlaced_tff_h264.mp4")
    assert not is_telecined(frames(url, FrameRange(0, 100), info=probe(url)))


def test_one_frame_in_five_goes(short: Path) -> None:
    every = list(frames(str(short)))
    twice = [*every[:3], every[2], every[4], *every[5:7]]
    assert film_frames(twice).tolist() == [0, 1, 2, 4, 5, 6]


def test_too_few_frames_show_nothing(short: Path) -> None:
    assert not is_telecined(list(frames(str(short)))[:10])
    assert not is_telecined([])
