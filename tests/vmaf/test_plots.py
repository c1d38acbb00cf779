"""Plots show what they say: the curve at its scores, bands around it, levels that fit the range."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image

from vmaf import FrameScores
from vmaf.plot import axis, html_plot
from vmaf.png import BANDS, CURVE, LEFT, MEAN, encoded, png_plot


def scores(values: list[float]) -> FrameScores:
    return FrameScores(
        frames=np.arange(7, 7 + len(values)), columns={"vmaf": np.array(values)}, model="some", scorer="none"
    )


def test_the_axis_fits_every_range() -> None:
    assert axis(np.array([93.0, 99.0])) == (90.0, 100.0)
    assert axis(np.array([31.0, np.nan, 108.5])) == (30.0, 110.0)
    assert axis(np.empty(0)) == (90.0, 100.0)


def test_a_png_holds_the_curve() -> None:
    found = scores([50.0] * 300 + [90.0] * 300)
    picture = np.asarray(Image.open(io.BytesIO(png_plot(found))).convert("RGB"))
    assert picture.shape == (360, 1200, 3)
    drawn = (picture == CURVE).all(axis=2)
    rows = [int(np.flatnonzero(drawn[:, x]).mean()) for x in (LEFT + 100, 1190)]
    assert rows[0] > rows[1] + 100
    assert (picture == MEAN).all(axis=2).sum() > 400
    assert png_plot(scores([])).startswith(b"\x89PNG")


def test_a_png_holds_the_bands() -> None:
    found = scores(np.random.default_rng(2).normal(80, 4, 4000).tolist())
    picture = np.asarray(Image.open(io.BytesIO(png_plot(found))).convert("RGB"))
    outer, inner = ((picture == colour).all(axis=2) for _, colour in BANDS)
    spans = [np.ptp(np.flatnonzero(rows.any(axis=1))) for rows in (outer, inner)]
    assert spans[0] > spans[1] > 10
    assert not outer[:, :LEFT].any()


def test_any_picture_is_encoded_without_loss() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded(picture)))), picture)


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_page_has_bands_around_the_curve(count: int) -> None:
    values = list(80 + np.sin(np.arange(count) / 9) * 10)
    page = html_plot(scores(values))
    bands = re.findall(r"<polygon points='([^']*)'", page)
    assert len(bands) == (2 if count >= 2 else 0)
    for band in bands:
        y = np.array([float(point.split(",")[1]) for point in band.split()])
        lower, upper = y[: len(y) // 2], y[len(y) // 2 :][::-1]
        assert (lower >= upper).all()
