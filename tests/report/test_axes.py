"""Axes have round marks at the right places, and curves end at the edge of their field instead of running along it."""

from __future__ import annotations

from math import log2

import pytest

from pipelines.report.plot import Axis, above, rate_ticks


def test_marks_of_bit_rates_are_round() -> None:
    axis = Axis(low=log2(100), high=log2(5000))
    marks = rate_ticks(axis, 7)
    assert [mark.label for mark in marks] == [
        "125 kb/s",
        "250 kb/s",
        "500 kb/s",
        "1 Mb/s",
        "2 Mb/s",
        "4 Mb/s",
    ]
    assert marks[3].place == pytest.approx(axis.place(log2(1000)))
    assert [mark.label for mark in rate_ticks(axis, 3)] == ["250 kb/s", "1 Mb/s", "4 Mb/s"]


def test_a_curve_begins_where_it_crosses_the_edge() -> None:
    assert above([(0, 20), (1, 30), (2, 50), (3, 90)], 40) == [(1.5, 40), (2, 50), (3, 90)]
    assert above([(0, 40), (1, 50)], 40) == [(0, 40), (1, 50)]
    assert above([(0, 10), (1, 20)], 40) == []
