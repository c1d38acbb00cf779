"""Read-ahead pays at most 1.5 bytes per byte early, nothing for sparse readers, and reaches full depth for dense ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mezzfs.policy import FIRST_REACH, HEAD, MIB, Depth, Policy, Span

DEPTH = Depth(window=64 * MIB, piece=4 * MIB)
SIZE = 1 << 40


def read_on(policy: Policy, start: int, count: int, length: int = MIB, *, waited: bool = True) -> list[Span]:
    """Read `count` times in a row; returns all that was fetched ahead."""
    found: list[Span] = []
    for number in range(count):
        found += policy.on_read(start + number * length, length, DEPTH, waited=waited)
    return found


def test_the_first_read_of_a_place_reads_nothing_ahead() -> None:
    assert Policy(SIZE).on_read(10 * MIB, MIB, DEPTH, waited=True) == []


def test_the_second_read_in_a_row_does() -> None:
    assert read_on(Policy(SIZE), 10 * MIB, 2) == [Span(12 * MIB, MIB + MIB // 8)]


def test_a_read_that_the_kernel_cuts_is_one_read() -> None:
    policy = Policy(SIZE)
    assert policy.on_read(10 * MIB + 77, MIB - 32, DEPTH, waited=True) == []
    assert policy.on_read(11 * MIB + 45, 32, DEPTH, waited=True) == []
    assert policy.on_read(11 * MIB + 77, MIB - 32, DEPTH, waited=True) != []


def test_the_head_is_read_whole() -> None:
    assert Policy(SIZE).on_read(0, 4096, DEPTH, waited=True) == [Span(4096, HEAD - 4096)]


def test_a_long_stream_is_read_ahead_to_the_full_depth() -> None:
    policy = Policy(SIZE)
    found = read_on(policy, MIB, 64)
    assert found[-1].end - 65 * MIB >= DEPTH.window - DEPTH.piece
    assert [span.offset for span in found[1:]] == [span.end for span in found[:-1]], "gaps or overlaps"


def test_a_reader_that_never_waits_is_not_read_far_ahead() -> None:
    policy = Policy(SIZE)
    found = read_on(policy, MIB, 64, waited=False)
    assert found[-1].end - 65 * MIB <= max(FIRST_REACH, 8 * MIB)


def think(thought_s: float, count: int = 48) -> int:
    """Bytes ahead of a reader of half a MiB at a time that thinks so long between, and waits each time."""
    depth, policy = Depth(window=64 * MIB, piece=4 * MIB, delay_s=0.05), Policy(SIZE)
    for number in range(count):
        policy.on_read(MIB + number * MIB // 2, MIB // 2, depth, waited=True, thought_s=thought_s)
    return policy.streams[0].frontier - policy.streams[0].position


def test_a_reader_that_thinks_is_read_ahead_as_far_as_it_takes() -> None:
    taken = 0.05 * (MIB // 2) / 0.01  # while a request is on its way
    assert taken <= think(0.01) <= MIB + 1.5 * taken
    assert think(0.01) * 3 < think(0.0001)
    assert think(0.0) == think(0.0001)


def test_a_pause_is_not_the_pace_of_a_reader() -> None:
    assert think(3600.0) == think(0.25) >= MIB


def test_random_reads_never_read_ahead() -> None:
    policy = Policy(SIZE)
    assert [
        policy.on_read((17 + number * 7919) * 10 * MIB, MIB, DEPTH, waited=True) for number in range(50)
    ] == [[]] * 50


def test_interleaved_tracks_are_streams_of_their_own() -> None:
    policy = Policy(SIZE)
    found = [
        policy.on_read(track * (1 << 30) + number * MIB + MIB, MIB, DEPTH, waited=True)
        for number in range(8)
        for track in range(4)
    ]
    assert all(any(found[track::4]) for track in range(4))


def test_nothing_is_read_beyond_the_end() -> None:
    policy = Policy(10 * MIB)
    found = read_on(policy, 0, 10)
    assert max(span.end for span in found) == 10 * MIB


@given(st.integers(1, 64), st.integers(12, 21))
def test_a_reader_that_stops_has_paid_a_bounded_price(count: int, bits: int) -> None:
    length = 1 << bits
    policy = Policy(SIZE)
    used = count * length
    end = max((span.end for span in read_on(policy, MIB, count, length)), default=MIB + used)
    assert end - MIB <= used * 3
    if used <= 4 * MIB:
        assert end - MIB <= used * 1.65


def test_hints_are_read_ahead_to_their_end_and_not_beyond() -> None:
    policy = Policy(SIZE)
    found = policy.hint([(5 * MIB, 9 * MIB), (100 * MIB, 101 * MIB)], DEPTH)
    assert found == [Span(5 * MIB, 4 * MIB), Span(100 * MIB, MIB)]
    assert read_on(policy, 5 * MIB, 4) == []


def test_long_hints_are_read_ahead_as_the_reader_goes() -> None:
    policy = Policy(SIZE)
    first = policy.hint([(0, 300 * MIB)], DEPTH)
    assert first == [Span(0, 64 * MIB)]
    later = read_on(policy, 0, 300)
    assert later[0].offset == 64 * MIB
    assert later[-1].end == 300 * MIB
    assert sum(span.length for span in first + later) == 300 * MIB


def test_what_found_no_room_is_asked_for_again() -> None:
    policy = Policy(SIZE)
    read_on(policy, 10 * MIB, 2)
    end = policy.streams[0].frontier
    policy.fell_short(end, 12 * MIB)
    again = policy.on_read(12 * MIB, MIB, DEPTH, waited=True)
    assert again[0].offset == 13 * MIB


@given(st.lists(st.tuples(st.integers(0, 100 * MIB), st.integers(1, 2 * MIB)), max_size=60))
def test_whatever_is_read_the_ranges_are_inside_the_file(reads: list[tuple[int, int]]) -> None:
    policy = Policy(50 * MIB)
    for offset, length in reads:
        for span in policy.on_read(offset, length, DEPTH, waited=True):
            assert span.length > 0
            assert span.end <= policy.size
    assert len(policy.streams) <= 8


@pytest.mark.parametrize("step", [2, 10])
def test_strided_reads_are_sparse(step: int) -> None:
    policy = Policy(SIZE)
    assert not any(
        policy.on_read(MIB + number * step * MIB, MIB, DEPTH, waited=True) for number in range(1, 40)
    )
