"""What is left of a codec's quality values where an encoder broke at some: never one of those, and the nearest else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.codecs import codec_named
from encoder.usable import Usable, broken_chunks, broken_notices, instead

NAMES = ["x264", "x265", "svtav1", "vp9", "aom"]


def usable(name: str, *broken: str) -> Usable:
    return Usable.of(codec_named(name), [{"crf": crf} for crf in broken])


@given(st.sampled_from(NAMES), st.sets(st.integers(0, 63), max_size=12), st.integers(0, 63))
def test_the_nearest_is_usable_and_nothing_is_nearer(name: str, broken: set[int], wanted: int) -> None:
    codec = codec_named(name)
    low, high = codec.quality
    left = usable(name, *map(str, broken))
    crf = min(max(Decimal(wanted), low), high)
    allowed = [value for value in map(Decimal, range(int(low), int(high) + 1)) if left.allows(value)]
    found = left.nearest(crf)
    assert (found is None) == (not allowed)
    if found is not None:
        assert found not in left.broken
        assert left.allows(found)
        assert low <= found <= high
        assert found % codec.step == 0
        assert abs(found - crf) <= min(abs(value - crf) for value in allowed)


def test_what_is_finer_than_a_break_below_the_first_guess_is_left_out_and_a_gap_elsewhere() -> None:
    fine = usable("svtav1", "1", "5")
    assert fine.best == 7
    assert not fine.allows(Decimal(6))
    assert fine.nearest(Decimal(2)) == 7
    assert usable("svtav1").best == 1
    gap = usable("svtav1", "40")
    assert [crf for crf in range(36, 45) if gap.allows(Decimal(crf))] == [36, 37, 38, 42, 43, 44]
    assert gap.nearest(Decimal(40)) == 42
    assert gap.best == 1


@pytest.mark.parametrize("name", NAMES)
def test_even_where_all_fine_values_broke_the_first_guess_is_left(name: str) -> None:
    good = Decimal(codec_named(name).first_guesses[0])
    assert usable(name, str(good - codec_named(name).step)).best == good


def test_notices_say_each_break_once_and_what_follows() -> None:
    refused = [
        {"width": 160, "height": 90, "crf": crf, "refused": "frame 0 cannot be decoded"}
        for crf in ("1", "1", "40")
    ]
    assert broken_notices(Usable.of(codec_named("svtav1"), refused), refused) == [
        "svtav1 broke at 160x90 with quality 1 (frame 0 cannot be decoded); quality 3 is the best that is used",
        "svtav1 broke at 160x90 with quality 40 (frame 0 cannot be decoded); no quality between 38 and 42 is used",
    ]


def test_a_chunk_that_broke_is_tried_on_either_side_the_better_first() -> None:
    svt = codec_named("svtav1")
    assert instead(svt, Decimal(40)) == (38, 42, 36, 44, 48)
    assert instead(svt, Decimal(40), better=False) == (42, 44, 48)
    assert instead(svt, Decimal(1)) == (3, 5, 9)
    assert instead(svt, Decimal(62)) == (60, 58)
    assert instead(codec_named("x264"), Decimal("23.5")) == tuple(
        map(Decimal, ("22.5", "24.5", "21.5", "25.5", "27.5"))
    )


@given(st.sampled_from(NAMES), st.integers(0, 63), st.booleans())
def test_values_instead_of_one_are_others_in_range(name: str, wanted: int, better: bool) -> None:
    codec = codec_named(name)
    low, high = codec.quality
    crf = min(max(Decimal(wanted), low), high)
    found = instead(codec, crf, better=better)
    assert crf not in found
    assert len(set(found)) == len(found) <= 5
    assert all(low < value <= high and value % codec.step == 0 for value in found)
    assert better or all(value > crf for value in found)
    assert found or crf == high


def test_a_rung_says_once_which_of_its_chunks_broke() -> None:
    one = {"crf": "23", "problem": "8 frames went into the encoder, 7 came out"}
    rows = [{"frame": 10 * place, "crf": "22", "broken": [one]} for place in range(1, 6)]
    assert broken_chunks("180p", [], 2) == ()
    (two,) = broken_chunks("180p", rows[:1], 2)
    assert two == (
        "rung 180p: the encoder broke in 1 of 2 chunks, coded at another quality instead: that at frame 10 has 22 "
        "(at 23: 8 frames went into the encoder, 7 came out)"
    )
    (many,) = broken_chunks("180p", rows, 6)
    assert many.count("that at frame") == 3
    assert many.endswith("; 2 more")
    assert "in 5 of 6 chunks" in many
