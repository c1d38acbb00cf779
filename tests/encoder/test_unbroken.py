"""A chunk that an encoder breaks gets the nearest quality value that it does not break: a real encoder, damaged output."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archer.media import FrameRange, MediaInfo, frames, probe
from cinemill_native.frames import Frame
from encoder import EncodeSettings, Rung
from encoder.capped import coded_file, encode_capped
from encoder.chunk_check import Broken, ChunkFacts
from encoder.errors import NoneRight
from encoder.vbv import Cap, fitting, part_times

Break = Callable[..., None]
PART = FrameRange(0, 8)
RUNG = Rung(name="180p", width=320, height=180)
LOST = "8 frames went into the encoder, 7 came out"


@pytest.fixture(scope="module")
def info(short: Path) -> MediaInfo:
    return probe(str(short))


def coded(info: MediaInfo, short: Path, out: Path, settings: EncodeSettings) -> ChunkFacts:
    def pictures() -> Iterator[Frame]:
        return frames(str(short), PART, info=info)

    return encode_capped(pictures, info, PART, RUNG, settings, out)


def test_the_better_neighbour_comes_first_and_is_what_it_is_without_a_break(
    info: MediaInfo, short: Path, tmp_path: Path, broken_ffmpeg: Break
) -> None:
    settings = EncodeSettings(crf="30", preset="ultrafast")
    plain = coded(info, short, tmp_path / "plain.mp4", EncodeSettings(crf="29", preset="ultrafast"))
    assert (plain.crf, plain.broken) == ("29", ())
    broken_ffmpeg((29.5, 30.5, "frame"))
    facts = coded(info, short, tmp_path / "out.mp4", settings)
    assert (facts.crf, facts.broken) == ("29", (Broken(crf="30", problem=LOST),))
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "plain.mp4").read_bytes()
    broken_ffmpeg((0, 30.5, "frame"))
    facts = coded(info, short, tmp_path / "out.mp4", settings)
    assert facts.crf == "31"
    assert [one.crf for one in facts.broken] == ["30", "29"]


def test_where_all_break_each_is_named(
    info: MediaInfo, short: Path, tmp_path: Path, broken_ffmpeg: Break
) -> None:
    broken_ffmpeg((0, 51, "frame"))
    with pytest.raises(NoneRight) as caught:
        coded(info, short, tmp_path / "out.mp4", EncodeSettings(crf="30", preset="ultrafast"))
    told = str(caught.value)
    assert told.startswith("rung 180p, chunk at frame 0: x264 gave no right stream at any quality")
    assert all(f"at {crf}: {LOST}" in told for crf in (30, 29, 31, 28, 32, 34))
    assert str(pickle.loads(pickle.dumps(caught.value))) == told  # noqa: S301  our own


def test_under_a_peak_it_gets_what_fits_and_nothing_is_tried_twice(
    info: MediaInfo, short: Path, tmp_path: Path, broken_ffmpeg: Break
) -> None:
    """VP9 knows no buffer, so that its quality value gives way; on its way it meets values that break, and goes on."""
    broken_ffmpeg((36, 40, "frame"))
    capped = EncodeSettings(codec="vp9", crf="31", preset="8", peak_kbps=400)
    facts = coded(info, short, tmp_path / "out.mp4", capped)
    cap = Cap.of(400)
    assert cap is not None
    assert fitting(coded_file(tmp_path / "out.mp4", part_times(info, PART)), cap) == 1
    assert 40 < float(facts.crf) < 50
    tried = [float(one.crf) for one in facts.broken]
    assert tried == sorted(set(tried))
    assert 36 <= tried[0] <= tried[-1] <= 40
