"""Frame rates as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pipelines.ingest.params import fps_of


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("25", Fraction(25)),
        ("30000/1001", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("24.0", Fraction(24)),
        ("2997/100", Fraction(2997, 100)),
    ],
)
def test_rates_of_television_are_meant_exactly(text: str, wanted: Fraction) -> None:
    """29.97 taken to the letter drops a frame where the source has 30000/1001."""
    assert fps_of(text) == wanted
