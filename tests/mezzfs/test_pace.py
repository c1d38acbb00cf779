"""What is measured of a store decides how many requests run at once, and how long they are."""

from __future__ import annotations

import pytest

from mezzfs.pace import MOST_CONNECTIONS, Pace

MIB = 1 << 20


def pace(first_byte_s: float, bytes_per_s: float, length: int = 4 * MIB) -> Pace:
    made = Pace()
    for _ in range(20):
        made.measured(first_byte_s, length / bytes_per_s, length)
    return made


def test_a_near_store_gets_few_long_requests() -> None:
    near = pace(0.0005, 900e6)
    assert not near.far
    assert (near.connections, near.piece(MIB, urgent=True), near.piece(24 * MIB, urgent=False)) == (
        3,
        16 * MIB,
        16 * MIB,
    )


def test_a_far_store_gets_many() -> None:
    far = pace(0.025, 60e6)
    assert far.far
    assert far.connections == MOST_CONNECTIONS
    assert far.piece(MIB, urgent=True) == MIB // 4
    assert far.piece(100_000, urgent=True) == 100_000
    assert far.piece(64 * MIB, urgent=False) == 4 * MIB
    assert far.piece(9 * MIB, urgent=False) == 9 * MIB // 2, "no short rest"


def test_requests_are_not_split_where_they_are_paid_for() -> None:
    far = pace(0.025, 60e6)
    far.split = False
    assert far.piece(MIB, urgent=True) == MIB


def test_what_a_request_takes() -> None:
    assert pace(0.025, 60e6).delay_s == pytest.approx(0.025 + MIB / 60e6, rel=0.25)
    assert (
        pace(0.025, 60e6).depth(256 * MIB).delay_s > 4 * pace(0.0005, 900e6).depth(256 * MIB).delay_s - 0.01
    )


def test_short_answers_do_not_tell_the_rate() -> None:
    far = pace(0.025, 60e6)
    for _ in range(50):
        far.measured(0.025, 0.00001, MIB // 4)
    assert far.connections == MOST_CONNECTIONS


def test_a_busy_machine_does_not_make_a_store_far() -> None:
    near = pace(0.0005, 900e6)
    for _ in range(100):
        near.measured(0.1, 0.1, 4 * MIB)
        near.measured(0.0006, 0.01, 4 * MIB)
    assert not near.far


def test_a_small_cache_is_read_ahead_less() -> None:
    assert pace(0.025, 60e6).depth(256 * MIB).window == 64 * MIB
    assert pace(0.025, 60e6).depth(16 * MIB).window == 4 * MIB
