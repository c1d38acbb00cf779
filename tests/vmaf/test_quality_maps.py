"""Maps say where a picture loses, in the unit of the scores, and their pictures show it there."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cinemill_native import Plane
from vmaf import Mapped, heat_png, map_page, quality_maps
from vmaf.features.vif import Vif


def texture(height: int, width: int) -> np.ndarray:
    random = np.random.default_rng(5)
    coarse = random.integers(40, 200, (height // 4, width // 4)).repeat(4, 0).repeat(4, 1)
    made: np.ndarray = np.clip(coarse + random.integers(-20, 21, (height, width)), 0, 255)
    return made.astype(np.uint8)


@pytest.fixture(scope="module")
def damaged() -> tuple[Plane, Plane]:
    """A picture whose lower right corner is one flat grey in the distorted side."""
    ref = texture(240, 400)
    dist = ref.copy()
    dist[144:, 280:] = 120
    return Plane(ref), Plane(dist)


def test_what_is_lost_lies_where_it_was_lost(damaged: tuple[Plane, Plane]) -> None:
    maps = {found.name: found for found in quality_maps((damaged[0],), (damaged[1],))}
    assert list(maps) == ["vif", "adm", "cambi"]
    for name in ("vif", "adm"):
        found = maps[name]
        x, y = found.worst()
        assert x > 300, name
        assert y > 160, name
        assert found.values[0, 0] == pytest.approx(0, abs=1e-6)
        assert found.values.max() > 0.5


def test_equal_pictures_lose_nothing_and_one_tile_is_the_score() -> None:
    plane, other = Plane(texture(96, 96)), Plane(texture(96, 96) // 2 + 30)
    assert all(found.values.max() < 1e-6 for found in quality_maps((plane,), (plane,))[:2])
    (found,) = (one for one in quality_maps((plane,), (other,)) if one.name == "vif")
    scales = list(Vif().measure((plane,), (other,)).values())
    assert found.values.shape == (1, 1)
    assert min(scales) <= 1 - found.values[0, 0] <= max(scales)


def test_pictures_are_grey_but_where_something_is_lost(damaged: tuple[Plane, Plane]) -> None:
    found = quality_maps((damaged[0],), (damaged[1],))[0]
    picture = np.asarray(Image.open(io.BytesIO(heat_png(damaged[1], found))).convert("RGB")).astype(int)
    assert picture.shape[:2] == (240 + 32, 400)
    coloured = np.ptp(picture, axis=2) > 40
    assert coloured[180:240, 320:].mean() > 0.9
    assert coloured[:100, :100].mean() < 0.01
    assert coloured[240:254, 200:].all()  # the scale


def test_the_page_names_every_picture(damaged: tuple[Plane, Plane]) -> None:
    maps = {f"frame-{one.name}.png": one for one in quality_maps((damaged[0],), (damaged[1],))}
    page = map_page([Mapped(7, 81.25, maps)], "some <model>")
    assert "Frame 7: 81.25 (some &lt;model&gt;)" in page
    assert all(f"src='{name}'" in page for name in maps)
