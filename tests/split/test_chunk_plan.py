"""Chunks cover a title, keep to their bounds, and are cut within shots where that takes the least."""

from __future__ import annotations

import random
from bisect import bisect_right
from itertools import pairwise

import pytest

from archer.media import FrameRange
from archer.split import Shot, plan_chunks


def shots_of(*borders: int) -> list[Shot]:
    return [Shot(frames=FrameRange(start, end)) for start, end in pairwise(borders)]


def drawn(dice: random.Random) -> list[Shot]:
    return shots_of(0, *sorted(dice.sample(range(1, 3000), dice.randint(0, 12))), 3000)


def keys_needed(ranges: list[FrameRange], gop: int) -> int:
    return sum(-(-len(part) // gop) for part in ranges)


def decoded_for_nothing(ranges: list[FrameRange], entries: list[int]) -> int:
    return sum(part.start - entries[bisect_right(entries, part.start) - 1] for part in ranges)


@pytest.mark.parametrize("seed", range(40))
def test_chunks_cover_the_title_within_their_bounds(seed: int) -> None:
    """Whatever there is to be considered, and with as many chunks as with nothing."""
    dice = random.Random(seed)
    shots, longest = drawn(dice), dice.randint(1, 400)
    shortest, gop = dice.randint(1, longest), dice.choice([1, 24, 48, 250])
    entries = sorted({0, *dice.sample(range(3000), dice.choice([0, 3, 60, 1500]))})
    found = plan_chunks(shots, shortest=shortest, longest=longest, entries=entries, gop=gop)
    plain = plan_chunks(shots, shortest=shortest, longest=longest)
    ranges = [chunk.frames for chunk in found]
    assert [chunk.index for chunk in found] == list(range(len(plain)))
    assert ranges[0].start == 0
    assert ranges[-1].end == 3000
    assert all(one.end == other.start for one, other in pairwise(ranges))
    assert max(map(len, ranges)) <= longest
    kept = {shot.frames.start for shot in shots} & {chunk.frames.start for chunk in plain}
    assert kept <= {part.start for part in ranges}, "a cut between shots stays where it is"


def test_long_shots_are_cut_into_equal_parts_where_nothing_else_counts() -> None:
    found = plan_chunks(shots_of(0, 100, 301), shortest=1, longest=100)
    assert [len(chunk.frames) for chunk in found] == [100, 67, 67, 67]


def test_long_shots_are_cut_at_key_frames_of_the_source() -> None:
    """As of a film at 24 frames per second with a key frame every 2 s: 142 frames for nothing instead of 255."""
    film, entries = shots_of(0, 286, 379, 554, 721), list(range(0, 721, 48))
    plain = [chunk.frames for chunk in plan_chunks(film, shortest=24, longest=96)]
    found = [chunk.frames for chunk in plan_chunks(film, shortest=24, longest=96, entries=entries, gop=48)]
    assert [part.start for part in found] == [0, 96, 192, 286, 379, 458, 554, 625]
    assert decoded_for_nothing(plain, entries) == 255
    assert decoded_for_nothing(found, entries) == 142
    assert keys_needed(found, 48) == keys_needed(plain, 48)


def test_a_cut_that_saves_decoding_never_costs_a_key_frame() -> None:
    """100 frames need three of them, 48 frames apart, in one piece or cut at 48 or 52; cut at 50 they would need four."""
    for entries in ([], [50], [0, 50]):
        found = [
            chunk.frames
            for chunk in plan_chunks(shots_of(0, 100), shortest=1, longest=96, entries=entries, gop=48)
        ]
        assert keys_needed(found, 48) == 3
    (first, _) = plan_chunks(shots_of(0, 100), shortest=1, longest=96, entries=[0, 52], gop=48)
    assert len(first.frames) == 52


@pytest.mark.parametrize("seed", range(20))
def test_considering_more_never_takes_more(seed: int) -> None:
    """Key frames first, then decoded frames, of one shot in two parts, against a cut in the middle."""
    dice = random.Random(seed)
    frames, gop = dice.randint(200, 400), dice.choice([24, 48, 100])
    entries = sorted({0, *dice.sample(range(frames), 5)})
    plain = [chunk.frames for chunk in plan_chunks(shots_of(0, frames), shortest=1, longest=frames - 1)]
    chosen = plan_chunks(shots_of(0, frames), shortest=1, longest=frames - 1, entries=entries, gop=gop)
    found = [chunk.frames for chunk in chosen]
    taken = [(keys_needed(parts, gop), decoded_for_nothing(parts, entries)) for parts in (found, plain)]
    assert taken[0] <= taken[1]
