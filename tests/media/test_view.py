"""A view's frames do not depend on how they are asked for, and its facts are those of its frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from archer.media import FrameIndex, FrameRange, FrameRangeError, MediaInfo, frames, probe
from archer.media.view import regular_index, resampled
from cinemill_native.frames import Frame
from pipelines.ingest.params import IngestParams
from pipelines.ingest.view import viewed

Seen = tuple[str, MediaInfo]
See = Callable[..., Seen]


@pytest.fixture(scope="module")
def see(clips: Path) -> See:
    """A clip with the facts of a view of it, made once."""
    made: dict[tuple[str, str], Seen] = {}

    def seen(name: str, **wanted: str) -> Seen:
        key = (name, str(wanted))
        if key not in made:
            url = str(clips / name)

            def read(info: MediaInfo, part: FrameRange) -> Iterator[Frame]:
                return frames(url, part, info=info)

            made[key] = url, viewed(probe(url), IngestParams(**wanted), read)  # type: ignore[arg-type]
        return made[key]

    return seen


def kept(url: str, info: MediaInfo, start: int, end: int) -> list[tuple[int, int, np.ndarray]]:
    return [
        (frame.index, frame.pts, frame.luma.samples.copy())
        for frame in frames(url, FrameRange(start, end), info=info)
    ]


@pytest.mark.parametrize(
    ("clip", "wanted", "start"),
    [
        ("awkward/interlaced_tff_h264.mp4", {}, 0),
        pytest.param(
            "awkward/interlaced_tff_telecine_mpeg2.ts", {"deinterlace": "film"}, 20, marks=pytest.mark.slow
        ),
        ("awkward/vfr_real_timestamps.mp4", {"fps": "25"}, 40),
        ("awkward/vfr_real_timestamps.mp4", {"crop": "320:180:20:40", "pad": "4:3"}, 30),
        ("awkward/hdr10_hevc_mdcv_clli.mp4", {"dynamic_range": "sdr"}, 10),
    ],
    ids=["bwdif", "film", "rate", "crop and pad", "tone-mapped"],
)
def test_parts_are_the_whole(clip: str, wanted: dict[str, str], start: int, see: See) -> None:
    url, info = see(clip, **wanted)
    whole = kept(url, info, start, start + 12)
    parts = [one for at in (0, 5, 6) for one in kept(url, info, start + at, start + {0: 5, 5: 6, 6: 12}[at])]
    assert [one[:2] for one in whole] == [one[:2] for one in parts]
    assert [index for index, _, _ in whole] == list(range(start, start + 12))
    assert [pts for _, pts, _ in whole] == info.index.pts[start : start + 12].tolist()
    assert all((one[2] == other[2]).all() for one, other in zip(whole, parts, strict=True))
    assert whole[0][2].shape == (info.video.height, info.video.width)


def test_facts_survive_json(see: See) -> None:
    _, info = see("awkward/vfr_real_timestamps.mp4", fps="25", crop="320:180:20:40")
    again = MediaInfo.from_json(info.to_json())
    assert again.to_json() == info.to_json()
    assert again.view is not None
    assert again.view.remarks() == info.view.remarks()  # type: ignore[union-attr]
    assert again.stored.to_json() == info.stored.to_json()


def test_a_range_beyond_the_end_is_refused(see: See) -> None:
    url, info = see("awkward/vfr_real_timestamps.mp4", fps="5")
    with pytest.raises(FrameRangeError, match="it has"):
        list(frames(url, FrameRange(0, info.frame_count + 1), info=info))


def test_a_whole_frame_of_each_interlaced_one(see: See) -> None:
    """Moving edges are combed in the stored frames, and whole in the view."""
    url, info = see("awkward/interlaced_tff_h264.mp4")
    assert info.frame_count == 110
    assert info.video.field_order == "progressive"

    def combing(facts: MediaInfo) -> float:
        rows = [frame.luma.samples.astype(float) for frame in frames(url, FrameRange(40, 44), info=facts)]
        return float(np.mean([np.abs(2 * luma[1:-1] - luma[:-2] - luma[2:]).mean() for luma in rows]))

    assert combing(info) < 0.6 * combing(info.stored)


@pytest.mark.slow
def test_film_under_a_telecine(see: See) -> None:
    url, info = see("awkward/interlaced_tff_telecine_mpeg2.ts", deinterlace="film")
    assert info.frame_count == 96
    assert info.video.frame_rate == Fraction(24000, 1001)
    assert abs(info.duration - info.stored.duration) < Fraction(1, 1000)
    assert info.index.pts[0] * info.video.time_base == info.stored.index.pts[0] * info.stored.video.time_base
    steps = [
        float(np.abs(one[2].astype(int) - other[2]).mean())
        for one, other in zip(kept(url, info, 30, 46), kept(url, info, 31, 47), strict=True)
    ]
    assert min(steps) > 0


def test_hdr_is_mapped_to_the_range_of_sdr(see: See) -> None:
    url, info = see("awkward/hdr10_hevc_mdcv_clli.mp4", dynamic_range="sdr")
    assert (info.video.colour.primaries, info.video.colour.transfer, info.video.colour.matrix) == (1, 1, 1)
    assert info.video.hdr is None
    (toned,) = kept(url, info, 30, 31)
    (stored,) = kept(url, info.stored, 30, 31)
    flat = [luma[2].astype(float).ravel()[::97] for luma in (toned, stored)]
    assert np.corrcoef(*flat)[0, 1] > 0.9
    assert toned[2].max() <= 960
    assert toned[2].std() > stored[2].std()  # PQ packs what SDR spreads


def test_hdr_is_kept_where_nothing_else_is_wanted(see: See) -> None:
    _, info = see("awkward/hdr10_hevc_mdcv_clli.mp4")
    assert info.view is None
    assert info.video.hdr is not None


def index_of(pts: list[int], last: int = 0) -> FrameIndex:
    return FrameIndex(
        pts=np.array(pts, np.int64), keys=np.array([0], np.int64), last=last, counted_by="demux"
    )


def test_rate_conversion_shows_what_was_on_screen() -> None:
    index = index_of([100, 140, 300, 340])
    places, count = resampled(index, Fraction(1, 1000), Fraction(40, 1000), Fraction(25))
    assert (places.tolist(), count) == ([0, 1, 1, 1, 1, 2, 3], 7)
    places, count = resampled(index_of([0, 10, 20, 30]), Fraction(1, 1000), Fraction(10, 1000), Fraction(50))
    assert (places.tolist(), count) == ([1, 3], 2)
    assert resampled(index_of([5]), Fraction(1, 1000), Fraction(1, 1000), Fraction(1))[1] == 1


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001), Fraction(120)])
def test_new_times_are_exact(rate: Fraction) -> None:
    start = Fraction(129_000, 90_000)
    index, time_base = regular_index(10, start, rate, Fraction(1, 90_000))
    assert [int(pts) * time_base for pts in index.pts] == [start + k / rate for k in range(10)]
    assert index.last * time_base == 1 / rate


def test_a_title_as_it_is_has_no_view(see: See) -> None:
    url, info = see("awkward/rotated_90.mp4", fps="30000/1001", dynamic_range="sdr")
    assert info.view is None
    assert info.to_json() == probe(url).to_json()
