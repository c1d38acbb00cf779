"""Tracks are found by number and language, and those of several inputs that belong together go on as one."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archer.media import AudioStream
from pipelines.ingest.params import BadView
from pipelines.ingest.tracks import chosen, left_out


def tracks(*languages: str) -> list[AudioStream]:
    return [
        AudioStream(
            index=1 + place, codec="aac", layout="stereo", rate=48000, channels=2, language=language.rstrip("*"),
            title="", default=language.endswith("*"), start=Fraction(0),
        )
        for place, language in enumerate(languages)
    ]  # fmt: skip


def picked(wanted: str, *inputs: list[AudioStream]) -> list[tuple[int | None, ...]]:
    """Stream indexes of each track."""
    return [
        tuple(stream and stream.index for stream in track.streams)
        for track in chosen(inputs, wanted, "--audio")
    ]


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        ("", [1, 2, 3]),
        ("all", [1, 2, 3]),
        ("none", []),
        ("2", [2]),
        ("3,1", [3, 1]),
        ("eng", [1, 3]),
        ("en", [1, 3]),
        ("fre", [2]),
        ("default", [2]),
        ("1,eng", [1, 3]),
    ],
)
def test_one_input(wanted: str, indexes: list[int]) -> None:
    assert picked(wanted, tracks("eng", "fra*", "eng")) == [(index,) for index in indexes]


def test_a_chosen_track_is_what_players_choose() -> None:
    first, second = chosen([tracks("eng", "fra*", "deu")], "deu,eng", "--audio")
    assert (first.shown.default, second.shown.default) == (True, False)
    assert [track.shown.default for track in chosen([tracks("eng", "fra*")], "eng,fra", "--audio")] == [
        False,
        True,
    ]


def test_several_inputs() -> None:
    one, other, silent = tracks("eng", "fra"), tracks("fra", "eng", "deu"), tracks()
    assert picked("", one, other, silent) == [(1, 2, None), (2, 1, None)]
    assert picked("fra", one, other) == [(2, 1)]
    assert picked("2|deu", one, other) == [(2, 3)]
    assert picked("eng|none|1", one, other, one) == [(1, None, 1)]
    assert picked("deu", one, other) == [(None, 3)]
    assert picked("", tracks("eng"), tracks("und")) == [(1, 1)]
    assert picked("", silent, one) == [(None, 1), (None, 2)]
    assert picked("", silent) == []


@pytest.mark.parametrize("wanted", ["spa", "4", "0", "eng,spa"])
def test_what_is_not_there_is_named_with_what_is(wanted: str) -> None:
    with pytest.raises(BadView, match="1 eng, 2 fra"):
        picked(wanted, tracks("eng", "fra"))


def test_a_track_that_only_a_later_input_has_is_named_with_the_way_to_have_it() -> None:
    one, two = tracks("eng"), tracks("eng", "fra")
    assert list(left_out([two, one], "--audio")) == []
    (text,) = left_out([one, two], "--audio")
    assert "track 2 (fra) of input 2" in text
    way = text.partition("--audio '")[2].partition("'")[0]
    assert way == "all,none|2"
    assert picked(way, one, two) == [(1, 1), (None, 2)]
