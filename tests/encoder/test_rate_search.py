"""The search for one quality value: it ends near the target, and what a part of the title showed makes it shorter."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from encoder.codecs import codec_named
from encoder.rate_search import CLOSE_ENOUGH, MOST_POINTS, Point, best_crf, moved, next_crf
from encoder.usable import Usable

CODEC = codec_named("x264")
ALL = Usable(codec=CODEC)
GUESSES = [Decimal(guess) for guess in CODEC.first_guesses]


def title(crf: Decimal) -> float:
    """VMAF of a whole title; its first part is a little worse."""
    return 97 - 0.35 * (float(crf) - 15) - 0.035 * (float(crf) - 15) ** 2


def part(crf: Decimal) -> float:
    return title(crf) - 0.8 - 0.02 * float(crf)


def searched(target: float, prior: Callable[[Decimal], float] | None) -> list[Point]:
    """Points of the whole title, in the order in which they were asked for."""
    points: list[Point] = []
    while True:
        tried = dict.fromkeys([*GUESSES, *(crf for crf, _ in points)])
        known = [(crf, prior(crf)) for crf in tried] if prior else []
        crf = next_crf(points, target, ALL, known)
        if crf is None:
            return points
        points.append((crf, title(crf)))


@pytest.mark.parametrize("target", [75.0, 85.0, 91.0, 94.5, 96.0])
def test_a_prior_saves_encodes_of_the_whole_title(target: float) -> None:
    known, alone = searched(target, part), searched(target, None)
    assert len(known) < len(alone) <= MOST_POINTS
    assert len(known) <= 3
    for points in (known, alone):
        assert abs(title(best_crf(points, target, ALL)) - target) <= CLOSE_ENOUGH + 0.1


def test_the_search_begins_with_the_codecs_guesses() -> None:
    assert next_crf([], 93, ALL) == GUESSES[0]
    assert next_crf([(GUESSES[0], 60.0)], 93, ALL) == GUESSES[1]


def test_a_prior_is_moved_through_the_measured_point() -> None:
    prior = [(Decimal(21), 95.0), (Decimal(27), 89.0), (Decimal(24), 92.5)]
    assert moved(prior, []) == prior
    found = moved(prior, [(Decimal(24), 84.0)])  # lacks twice as much
    assert [vmaf for _, vmaf in found] == pytest.approx([89.0, 77.0, 84.0])


def test_values_stay_in_the_codecs_range() -> None:
    low, high = CODEC.quality
    assert next_crf([(Decimal(21), 60.0), (Decimal(27), 60.0)], 99, ALL) == low
    assert next_crf([(Decimal(21), 99.0), (Decimal(27), 99.0)], 20, ALL) == high
