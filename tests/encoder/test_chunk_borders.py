"""Chunks that keep to a peak apart may pass it together: the one that has most of the run gives way, until none does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder.borders import fitting_beside, joined, offender
from encoder.vbv import Cap, Coded, fitting, heaviest_run

CAP = Cap(kbps=800, buffer_kbits=1600, window_s=4)
RATE, GOP = 25, 50


def chunk(sizes: list[int], start: int = 0) -> Coded:
    times = [(start + place) / RATE for place in range(len(sizes) + 1)]
    return Coded(sizes=sizes, times=times, keys=list(range(0, len(sizes), GOP)))


def chunks(*sizes: list[int]) -> list[Coded]:
    found, start = [], 0
    for one in sizes:
        found.append(chunk(one, start))
        start += len(one)
    return found


def shrunk(part: Coded, share: float) -> Coded:
    return replace(part, sizes=[int(size * share) for size in part.sizes])


def test_joined_they_are_one_title() -> None:
    one, other = chunks([1] * 60, [2] * 30)
    whole = joined([one, other])
    assert whole.sizes == [1] * 60 + [2] * 30
    assert whole.keys == [0, 50, 60]
    assert whole.times == [place / RATE for place in range(91)]


def test_a_heavy_end_and_a_full_beginning_pass_the_peak_together() -> None:
    """Each keeps to it; 0.4 s at twice the rate behind one border and 2 s at all of it make 933 kb/s over 2.4 s."""
    first, second = chunks([3000] * 50 + [8000] * 10, [4000] * 100)
    assert fitting(first, CAP) == fitting(second, CAP) == 1
    assert heaviest_run(joined([first, second]), 4) == pytest.approx((10 * 8000 + 50 * 4000) * 8 / 1000 / 2.4)
    assert offender([first, second], CAP) == 1
    share = fitting_beside([first, second], 1, CAP)
    assert share == pytest.approx((800 * 2.4 / 8 * 1000 - 80_000) / 200_000, abs=0.001)
    assert offender([first, shrunk(second, share)], CAP) is None


PARTS = st.lists(st.lists(st.integers(0, 20_000), min_size=1, max_size=140), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(PARTS)
def test_where_each_that_is_found_gives_way_the_whole_holds(sizes: list[list[int]]) -> None:
    """No chunk is asked twice, and each that gives way still keeps to the peak by itself."""
    parts = [shrunk(part, fitting(part, CAP)) for part in chunks(*sizes)]
    asked: list[int] = []
    while (place := offender(parts, CAP)) is not None and place not in asked:
        asked.append(place)
        parts[place] = shrunk(parts[place], fitting_beside(parts, place, CAP))
        assert fitting(parts[place], CAP) > 0.999
    assert heaviest_run(joined(parts), 4) <= CAP.kbps * 1.001 or offender(parts, CAP) in asked
