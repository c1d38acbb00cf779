"""Declared rates follow the definition of HLS."""

from __future__ import annotations

from fractions import Fraction

from pipelines.packaging.bandwidth import Bandwidth, bandwidth


def seconds(*values: int | str) -> list[Fraction]:
    return [Fraction(value) for value in values]


def test_equal_segments_have_one_rate() -> None:
    assert bandwidth([500, 500], seconds(4, 4), Fraction(4)) == Bandwidth(peak=1000, average=1000)


def test_the_heaviest_segment_is_the_peak() -> None:
    assert bandwidth([500, 2000, 500], seconds(4, 4, 4), Fraction(4)) == Bandwidth(peak=4000, average=2000)


def test_a_short_heavy_segment_counts_with_its_neighbour() -> None:
    """Shaka Packager leaves it out, and declares a peak below the average."""
    rates = bandwidth([400, 300], seconds(4, 1), Fraction(4))
    assert rates == Bandwidth(peak=1120, average=1120)


def test_a_title_shorter_than_half_a_segment_has_its_own_rate() -> None:
    assert bandwidth([100], seconds("1/25"), Fraction(4)) == Bandwidth(peak=20000, average=20000)


def test_rates_are_rounded_up() -> None:
    assert bandwidth([1], seconds(3), Fraction(4)).peak == 3
