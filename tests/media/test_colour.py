"""Whatever a decoder gives becomes planar YUV or grey of the same depth and resolution, without a sample changed."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.format import VideoFormat

from archer.media.colour import colour_of, layout_of, planar

LAYOUTS = {
    "yuv420p": ("yuv420p", 8),
    "yuvj422p": ("yuv422p", 8),
    "nv12": ("yuv420p", 8),
    "yuyv422": ("yuv422p", 8),
    "yuv420p10le": ("yuv420p10le", 10),
    "yuv420p10be": ("yuv420p10le", 10),
    "p010le": ("yuv420p10le", 10),
    "yuv444p12le": ("yuv444p12le", 12),
    "yuva444p10le": ("yuv444p10le", 10),
    "yuv411p": ("yuv411p", 8),
    "yuv440p": ("yuv440p", 8),
    "gray": ("gray", 8),
    "gray10le": ("gray10le", 10),
    "ya8": ("gray", 8),
    "rgb24": ("yuv444p", 8),
    "gbrp10le": ("yuv444p10le", 10),
    "pal8": ("yuv444p", 8),
    "rgb48le": ("yuv444p16le", 16),
}


@pytest.mark.parametrize(("stored", "given"), LAYOUTS.items())
def test_layouts(stored: str, given: tuple[str, int]) -> None:
    layout = layout_of(VideoFormat(stored, 64, 64))
    assert (layout.name, layout.bit_depth) == given
    assert layout_of(VideoFormat(layout.name, 64, 64)) == layout  # it stays


def noise(layout: str) -> av.VideoFrame:
    dice = np.random.default_rng(3)
    return av.VideoFrame.from_ndarray(dice.integers(0, 256, (96, 64), np.uint8), format=layout)


@pytest.mark.parametrize("full", [False, True])
def test_the_order_of_samples_changes_and_no_sample(full: bool) -> None:
    """Semi-planar and back: the range is not converted, whichever it is."""
    source = noise("nv12")
    source.color_range = 2 if full else 1
    plain = planar(source, layout_of(source.format))
    assert plain.format.name == "yuv420p"
    assert colour_of(plain).full_range is full
    rows = source.to_ndarray()
    assert np.array_equal(plain.to_ndarray()[:64], rows[:64])
    chroma = plain.to_ndarray()[64:].reshape(2, -1)
    assert np.array_equal(chroma[0], rows[64:].reshape(-1)[0::2])
    assert np.array_equal(chroma[1], rows[64:].reshape(-1)[1::2])


def test_planar_pictures_are_not_copied() -> None:
    source = noise("yuv420p")
    assert planar(source, layout_of(source.format)) is source


def test_rgb_becomes_bt709_and_says_so() -> None:
    """Pure colours have the values of ITU-R BT.709 in limited range."""
    wanted = {(255, 255, 255): (235, 128, 128), (0, 0, 0): (16, 128, 128), (255, 0, 0): (63, 102, 240)}
    for rgb, yuv in wanted.items():
        source = av.VideoFrame.from_ndarray(np.full((16, 16, 3), rgb, np.uint8), format="rgb24")
        plain = planar(source, layout_of(source.format))
        assert (colour_of(plain).matrix, colour_of(plain).full_range) == (1, False)
        got = plain.to_ndarray()[:, 8, 8]
        assert np.abs(got.astype(int) - yuv).max() <= 1
