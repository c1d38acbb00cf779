"""Rungs with goals of their own, as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer.media import probe
from encoder.errors import BadLadder
from encoder.ladder import check_ladder, ladder_text, parse_ladder
from pipelines.analyse.rungs import automatic_of
from pipelines.encode.request import EncodeRequest


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
        "0p",
        "0x180",
    ],
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadLadder, match="cannot read"):
        check_ladder(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ladder.json", '\ufeff["180p@500k", "120p"]'),
        ("ladder.yaml", "# ours\n- 180p@500k\n- 120p\n"),
        ("LADDER.YML", "[180p@500k, 120p]"),
    ],
)
def test_a_file_of_rungs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert ladder_text(str(tmp_path / name)) == "180p@500k,120p"


@pytest.mark.parametrize("text", ["", "[]", "{}", "180p", "- 180", "- [", "- {size: 180p}"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_file_without_rungs_is_no_default_ladder(suffix: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / f"ladder.{suffix}"
    path.write_text(text)
    with pytest.raises(BadLadder, match=path.name):
        ladder_text(str(path))


def test_a_missing_file_of_rungs(tmp_path: Path) -> None:
    with pytest.raises(BadLadder, match="cannot be read"):
        ladder_text(str(tmp_path / "ladder.yaml"))


def test_a_rung_with_a_goal_is_optimised_in_one_file_too() -> None:
    """One file without a goal is searched for one quality value, which knows the VMAF of the title alone."""
    assert EncodeRequest(single="mkv", ladder="180p@500k").optimizes
    assert EncodeRequest(single="mkv", ladder="180p@vmaf80").optimizes
    assert not EncodeRequest(single="mkv", ladder="180p").optimizes
    assert not EncodeRequest(single="mkv", ladder="180p@crf30").optimizes


def test_one_file_with_zones_has_one_value_beside_them() -> None:
    """The search by samples knows nothing of zones, which count in what is reached."""
    zoned = EncodeRequest(single="mkv", zones="0 24 crf=20")
    assert zoned.optimizes
    assert zoned.goals.mode == "per-title"
    assert EncodeRequest(single="mkv", zones="0 24 crf=20", target_kbps="500").goals.mode == "dynamic"
    assert not EncodeRequest(single="mkv", zones="0 24 crf=20", crf="30").optimizes


def test_one_rung_twice_is_refused(short: Path) -> None:
    with pytest.raises(BadLadder, match="twice"):
        parse_ladder("180p@500k,180p@500k", probe(str(short)).video)


def test_an_automatic_ladder_may_name_its_sizes() -> None:
    assert automatic_of("auto") == (True, "")
    assert automatic_of("auto:720p,360p") == (True, "720p,360p")
    assert automatic_of("720p,360p") == (False, "720p,360p")
