"""The A/B player shows on both sides the frame that it was asked for, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser
Player = Callable[..., Any]


def seeks(count: int, frames: int) -> list[int]:
    """First, last, neighbours, and random frames."""
    rest = random.Random(9).choices(range(frames), k=count - 5)
    return [0, frames - 1, 1, 0, frames - 2, *rest]


def test_both_sides_show_the_frame_that_was_asked_for(player: Player) -> None:
    tab = player("h264", "vfr", frames=60)
    assert tab.open(0, 1, frame=7) == [7, 7]
    assert tab.drawn() == [7, 7]
    for frame in seeks(12, 60):
        assert tab.go_to(frame) == [frame, frame]
        assert tab.drawn() == [frame, frame]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["h264", "av1", "vp9", "vfr", "late"])
def test_fifty_seeks(player: Player, kind: str) -> None:
    tab = player("h264", kind, frames=300)
    tab.open(0, 1)
    for frame in seeks(50, 300):
        assert tab.go_to(frame) == [frame, frame]
        assert tab.drawn() == [frame, frame]


@pytest.mark.slow
def test_fifty_seeks_in_firefox(player_in_firefox: Player) -> None:
    kinds = ("h264", "av1", "vp9", "vfr", "late")
    tab = player_in_firefox(*kinds, frames=120)
    for side, kind in enumerate(kinds):
        tab.open(0, side)
        for frame in seeks(50, 120):
            assert tab.go_to(frame) == [frame, frame], kind
            assert tab.drawn() == [frame, frame], kind


def test_it_works_from_disk(player: Player) -> None:
    tab = player("h264", "vfr", frames=60, disk=True)
    tab.open(0, 1)
    for frame in seeks(8, 60):
        assert tab.go_to(frame) == [frame, frame]
    assert not tab.page.complaints()


def test_keys_are_those_of_vivict(player: Player) -> None:
    tab = player("h264", "vfr", frames=60)
    tab.open(0, 1)
    for key, frame in [
        (".", 1),
        (".", 2),
        (",", 1),
        ("/", 25),
        ("m", 1),
        ("End", 59),
        ("Home", 0),
        ("n", 17),
        ("PageDown", 20),
    ]:
        tab.press(key)
        assert tab.settled() == [frame, frame], key
    tab.press("]")
    assert tab.state("look.view") == "left"
    tab.press("u")
    assert tab.state("look.zoom") == 2
    tab.press("0")
    assert tab.state("look.zoom") == 1
    tab.press(">")
    assert tab.settled() == [20, 21]


def test_playing_keeps_both_sides_together_and_stops_on_one_frame(player: Player) -> None:
    tab = player("h264", "vfr", frames=60)
    tab.open(0, 1)
    tab.press("l")
    assert tab.page.wait_for("document.querySelector('.ab').player.pair.frame > 20", 60)
    tab.press("k")
    left, right = tab.settled()
    assert left == right > 20
    assert tab.drawn() == [left, right]


def test_the_divider_is_moved_by_keys(player: Player) -> None:
    tab = player("h264", "vfr", frames=60)
    tab.open(0, 1)
    tab.page.evaluate("document.querySelector('.ab-divider').focus()")
    for key in ("ArrowRight", "ArrowRight", "PageUp"):
        tab.press(key)
    value = "document.querySelector('.ab-divider').getAttribute('aria-valuenow')"
    assert tab.page.evaluate(value) == "62"
    tab.press("Home")
    assert tab.page.evaluate(value) == "0"


def test_a_video_that_is_not_there_is_said_in_words(player: Player) -> None:
    tab = player("h264", "gone", frames=60)
    tab.open(0, 1)
    fault = tab.page.evaluate("document.querySelector('.ab-right .ab-fault').textContent")
    assert "gone" in fault
    assert "cannot be loaded" in fault


def test_axe_finds_nothing_wrong_with_it(player: Player, flaws: Callable[..., Any]) -> None:
    tab = player("h264", "vfr", frames=60)
    tab.open(0, 1)
    assert flaws(tab.page) == {"light": [], "dark": []}
    tab.press("?")
    assert flaws(tab.page) == {"light": [], "dark": []}
