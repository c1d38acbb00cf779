"""A side of variable frame rate whose frames are out of step is refused, in words that say where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archer.media import FrameRange, probe
from archer.process import ffmpeg_path
from vmaf import TimingMismatch, score
from vmaf.timing import check_times

FRAMES = 12


def made(out: Path, times: str) -> Path:
    """12 frames whose times are `times`, an expression of ffmpeg's setpts."""
    source = f"testsrc2=size=160x120:rate=24,settb=1/1000,setpts='{times}'"
    argv = [
        ffmpeg_path(),
        "-y",
        "-nostdin",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        "-frames:v",
        str(FRAMES),
    ]
    encoder = ["-fps_mode", "passthrough", "-c:v", "ffv1", "-pix_fmt", "yuv420p"]
    subprocess.run([*argv, *encoder, str(out)], check=True)
    return out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("times")
    return {
        "steady": made(folder / "steady.mkv", "N*1000/24"),
        "uneven": made(folder / "uneven.mkv", "N*1000/24+if(gte(N,6),250,0)"),
        "later": made(folder / "later.mkv", "N*1000/24+500"),
    }


def test_frames_out_of_step_are_refused(files: dict[str, Path]) -> None:
    sides = str(files["uneven"]), str(files["steady"])
    assert probe(sides[0]).video.vfr
    with pytest.raises(TimingMismatch, match=r"frame 6 is shown after 0\.500 s .* after 0\.250 s") as caught:
        score(*sides)
    assert (caught.value.frame, caught.value.retryable) == (6, False)
    assert len(score(*sides, times=False)) == FRAMES
    assert len(score(*sides, part=FrameRange(0, 6))) == 6


def test_equal_times_and_a_later_start_are_not(files: dict[str, Path]) -> None:
    uneven, steady, later = (probe(str(path)) for path in (files["uneven"], files["steady"], files["later"]))
    whole = FrameRange(0, FRAMES)
    check_times(uneven, uneven, whole)
    check_times(steady, later, whole)
    check_times(uneven, steady, FrameRange(6, FRAMES))
