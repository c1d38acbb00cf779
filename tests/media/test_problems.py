"""What is wrong with a title is said in words, and only where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from archer.media import MediaInfo, probe
from archer.media.count import Count
from archer.media.problems import gaps, problems

Made = Callable[[str], Path]


@pytest.fixture
def info(made: Made) -> MediaInfo:
    """A clip of 35 frames at 25 per second, 1.4 s, with nothing wrong."""
    return probe(str(made("h264.mp4")))


def codes(info: MediaInfo, found: Count, declared: Fraction | None = None) -> list[tuple[str, bool]]:
    return [(problem.code, problem.fatal) for problem in problems(info, found, declared)]


def test_nothing_is_wrong(info: MediaInfo) -> None:
    assert codes(info, Count(end=Fraction(7, 5))) == []
    assert codes(info, Count(end=Fraction(7, 5)), Fraction(7, 5)) == []


@pytest.mark.parametrize(
    ("declared", "truncated"), [("1.9", False), ("1.95", True), ("14", True), ("1", False)]
)
def test_a_rounded_duration_is_no_truncation(info: MediaInfo, declared: str, truncated: bool) -> None:
    """Half a second and a hundredth more than was found is still nothing."""
    assert codes(info, Count(end=Fraction(7, 5)), Fraction(declared)) == [("truncated", True)] * truncated


def test_packets_behind_the_end(info: MediaInfo) -> None:
    assert codes(info, Count(beyond=3)) == [("truncated", True)]


def test_sizes(info: MediaInfo) -> None:
    found = problems(info, Count(sizes=[(640, 360), (480, 270)]), None)
    assert [problem.fatal for problem in found] == [True]
    assert "640x360, 480x270; split the title there" in found[0].message


def test_damage(info: MediaInfo) -> None:
    index = replace(info.index, damaged=np.array([4, 9]), lost=2)
    found = problems(replace(info, index=index), Count(broken="Invalid data"), None)
    assert [(problem.code, problem.fatal) for problem in found] == [("damaged", False)]
    for words in (
        "2 frames decode with errors, the first is frame 4",
        "2 packets",
        "behind frame 34 (Invalid data)",
    ):
        assert words in found[0].message


def test_made_up_times(info: MediaInfo) -> None:
    assert codes(info, Count(untimed=1)) == [("timestamps", False)]


def test_gaps_are_holes_in_what_is_regular(info: MediaInfo) -> None:
    base, rate = Fraction(1, 1000), Fraction(25)

    def holes(pts: list[int]) -> list[int]:
        return gaps(replace(info.index, pts=np.array(pts, np.int64)), base, rate).tolist()

    regular = list(range(0, 2000, 40))
    assert holes(regular) == []
    assert holes(regular[:20] + regular[21:]) == [19]
    assert holes(regular[:20] + regular[22:30] + regular[31:]) == [19, 27]
    assert holes([0, 40, 160, 200, 360, 400]) == []  # a variable rate has no gaps
    assert holes([0]) == holes([]) == []


def test_one_line_each(info: MediaInfo) -> None:
    index = replace(info.index, damaged=np.array([1]), lost=1)
    found = Count(sizes=[(1, 1), (2, 2)], beyond=1, untimed=2, broken="x")
    everything = problems(replace(info, index=index), found, None)
    assert [problem.code for problem in everything] == [
        "truncated",
        "resolution change",
        "damaged",
        "timestamps",
    ]
    assert all("\n" not in problem.message for problem in everything)
