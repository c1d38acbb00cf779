"""The index names every frame by its time, and where to start decoding for it."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from archer.media import FrameIndex


def index(pts: list[int], keys: list[int] | None = None, *, seekable: bool = True) -> FrameIndex:
    keys = [0] if keys is None else keys
    return FrameIndex(
        pts=np.array(pts, np.int64),
        keys=np.array(keys, np.int64),
        positions=np.array(keys, np.int64) * 1000,
        counted_by="demux",
        seekable=seekable,
    )


def test_entries_go_further_and_further_back() -> None:
    """The key at or before the frame, the one before, the third before that, at last the start of the file."""
    found = index(list(range(100)), [0, 10, 20, 30, 40, 50])
    assert list(found.entries(45)) == [(40, 40000), (30, 30000), (10, 10000), None]
    assert list(found.entries(40)) == [(40, 40000), (30, 30000), (10, 10000), None]
    assert list(found.entries(12)) == [(10, 10000), None]
    assert list(found.entries(9)) == [None]


def test_what_cannot_be_sought_starts_at_the_start() -> None:
    assert list(index(list(range(100)), [0, 10, 20], seekable=False).entries(25)) == [None]
    assert list(index([0, 1], []).entries(1)) == [None]


def test_places() -> None:
    found = index([-5, 0, 7, 9])
    assert [found.place(pts) for pts in (-5, 0, 7, 9)] == [0, 1, 2, 3]
    assert [found.place(pts) for pts in (-6, 1, 10, None)] == [None] * 4


def test_the_bytes_of_a_range_end_with_its_share_of_the_last_group() -> None:
    found = index(list(range(50)), [0, 10, 20, 40])
    assert found.span(10, 20) == (10_000, 20_000)
    assert found.span(0, 30) == (0, 20_000 + 20_000 * 5 * 10 // (4 * 20))
    assert found.span(10, 39) == (10_000, 40_000)
    assert found.span(20, 50) == (20_000, 1 << 62)
    assert found.span(40, 45) is None  # how long the last group is, no key tells
    assert index([0, 1], []).span(0, 1) is None


@pytest.mark.parametrize("seed", range(20))
def test_json_round_trip(seed: int) -> None:
    dice = random.Random(seed)
    pts = sorted(dice.sample(range(-(1 << 34), 1 << 34), dice.randint(0, 60)))
    made = index(pts, sorted(dice.sample(range(len(pts)), dice.randint(0, len(pts)))))
    again = FrameIndex.from_json(json.loads(json.dumps(made.to_json())))
    assert again == made
    assert again.pts.tolist() == pts
    assert again.pts.dtype == np.int64


def test_a_regular_title_is_small_as_json() -> None:
    """Two hours of frames are a handful of numbers."""
    text = json.dumps(index(list(range(0, 172_800 * 3003, 3003)), list(range(0, 172_800, 48))).to_json())
    assert len(text) < 500


def test_indexes_differ_where_a_frame_does() -> None:
    assert index([0, 1, 2]) == index([0, 1, 2])
    assert index([0, 1, 2]) != index([0, 1, 3])
    assert index([0, 1, 2]) != "index"


def test_the_bytes_of_a_range_are_those_of_its_groups_by_their_frames() -> None:
    found = index(list(range(50)), [0, 10, 20, 40])
    assert found.bytes_in(10, 20) == 10_000
    assert found.bytes_in(5, 25) == 20_000
    assert found.bytes_in(40, 50) == 10_000, "the last group: as the others on average"
    assert found.bytes_in(0, 50) == 50_000
    assert index([0, 1], []).bytes_in(0, 1) == index([0, 1], [0]).bytes_in(0, 1) == 0


def test_bytes_of_files_that_do_not_tell_are_unknown() -> None:
    found = index(list(range(50)), [0, 10, 20])
    for positions in ([-1, -1, -1], [], [0, 500, 500], [900, 500, 600]):
        assert replace(found, positions=np.array(positions, np.int64)).bytes_in(0, 20) == 0
