"""Bit rate over time: all bits are somewhere, and no window is so short that it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.report.coded import rate_over_time


@pytest.mark.parametrize(("duration", "windows"), [(0.2, 1), (2.0025, 4), (2.24, 4), (2.26, 5), (3.0, 6)])
def test_all_bits_are_in_windows_of_half_to_one_and_a_half_steps(duration: float, windows: int) -> None:
    times = np.arange(0, duration - 1e-9, 0.04)
    rates = rate_over_time(np.full(len(times), 1000), times, duration=duration, step=0.5)
    assert len(rates) == windows
    lengths = [0.5] * (windows - 1) + [duration - 0.5 * (windows - 1)]
    assert sum(rate * length for rate, length in zip(rates, lengths, strict=True)) == pytest.approx(
        8 * len(times), rel=0.01
    )
    assert min(rates) > 100
