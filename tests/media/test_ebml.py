"""A Matroska file that was cut off is known by its elements, also where nothing says how long it was to be."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from archer.media import probe
from archer.media.ebml import is_torn
from archer.process import ffmpeg_path

HEAD = bytes.fromhex("1a45dfa3 84 42868101")
LIVE_SEGMENT, LIVE_CLUSTER = bytes.fromhex("18538067 01ffffffffffffff"), bytes.fromhex("1f43b675 ff")
BLOCK = bytes.fromhex("a3 4020") + bytes(32)
CLUSTER = bytes.fromhex("1f43b675 10000023") + BLOCK
LIVE = [HEAD, LIVE_SEGMENT, LIVE_CLUSTER, BLOCK, BLOCK, LIVE_CLUSTER, BLOCK]
SIZED = [HEAD, bytes.fromhex("18538067") + (0x10000000 | 2 * len(CLUSTER)).to_bytes(4), CLUSTER, CLUSTER]


def torn(data: bytes) -> bool:
    return is_torn(io.BytesIO(data), len(data))


def test_live_recordings_are_whole_where_an_element_ends_and_torn_elsewhere() -> None:
    ends, at = set[int](), 0
    for element in LIVE:
        at += len(element)
        ends.add(at)
    data = b"".join(LIVE)
    for end in range(len(HEAD), len(data) + 1):
        assert torn(data[:end]) == (end not in ends), end


def test_a_segment_that_says_its_size_is_whole_at_its_end_alone() -> None:
    data = b"".join(SIZED)
    assert not torn(data)
    for end in range(len(HEAD) + 1, len(data)):
        assert torn(data[:end]), end


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"RIFF" + bytes(40), HEAD, b"".join(LIVE) + bytes(40)])
def test_what_cannot_be_followed_is_not_called_torn(data: bytes) -> None:
    assert not torn(data)


def test_the_title_of_a_live_recording_that_was_cut_off_is_called_damaged(tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=1", "-c:v", "libx264"]
    argv = [ffmpeg_path(), "-v", "error", *source, "-live", "1", "-f", "matroska", "pipe:1"]
    data = subprocess.run(argv, capture_output=True, check=True).stdout
    path = tmp_path / "live.mkv"
    path.write_bytes(data)
    assert probe(str(path)).problems == ()
    path.write_bytes(data[: len(data) * 2 // 3])
    (problem,) = probe(str(path)).problems
    assert (problem.code, problem.fatal) == ("damaged", False)
    assert "in the middle of a packet" in problem.message
