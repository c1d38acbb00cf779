"""Frame ranges are half-open and never negative."""

from __future__ import annotations

import pytest

from archer.media import FrameRange


def test_ranges() -> None:
    part = FrameRange(3, 6)
    assert (len(part), list(part), 3 in part, 6 in part) == (3, [3, 4, 5], True, False)
    assert part.grown(5, 5, limit=9) == FrameRange(0, 9)
    assert part.grown(1, 2, limit=99) == FrameRange(2, 8)
    for start, end in ((-1, 2), (5, 4)):
        with pytest.raises(ValueError, match="wanted 0 <= start <= end"):
            FrameRange(start, end)
