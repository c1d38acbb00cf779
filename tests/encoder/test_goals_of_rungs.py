"""Rungs with goals of their own, as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.media import probe
from encoder.errors import BadLadder
from encoder.ladder import check_ladder, parse_ladder
from pipelines.analyse.rungs import automatic_of


def test_goals_are_read_and_equal_sizes_get_names(short: Path) -> None:
    rungs, _ = parse_ladder("180p@500k,180p@vmaf70,120p@crf26.5,120p", probe(str(short)).video)
    assert [(rung.name, rung.kbps, rung.vmaf, rung.crf) for rung in rungs] == [
        ("180p", 500, "", ""),
        ("180p-2", 0, "70", ""),
        ("120p", 0, "", "26.5"),
        ("120p-2", 0, "", ""),
    ]


def test_peaks_and_buffers_of_rungs_win_over_those_of_the_title(short: Path) -> None:
    text = "180p@500k@peak800k@buffer1200k,180p@500k,120p@peak300k,120p@vmaf70@peak400k"
    rungs = [rung.capped(999, 1998) for rung in parse_ladder(text, probe(str(short)).video)[0]]
    assert [(rung.name, rung.peak_kbps, rung.buffer_kbits) for rung in rungs] == [
        ("180p", 800, 1200),
        ("180p-2", 999, 1998),
        ("120p", 300, 0),
        ("120p-2", 400, 0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "180p@vmaf",
        "180p@500",
        "180p@crf20@500k",
        "180p@k",
        "180p@peak5",
        "180p@buffer9k",
        "180p@peak1k@crf20",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadLadder, match="cannot read"):
        check_ladder(text)


def test_one_rung_twice_is_refused(short: Path) -> None:
    with pytest.raises(BadLadder, match="twice"):
        parse_ladder("180p@500k,180p@500k", probe(str(short)).video)


def test_an_automatic_ladder_may_name_its_sizes() -> None:
    assert automatic_of("auto") == (True, "")
    assert automatic_of("auto:720p,360p") == (True, "720p,360p")
    assert automatic_of("720p,360p") == (False, "720p,360p")
