"""The filter chain shows a picture as a player would: upright, in square pixels, in limited range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from archer.media import MediaInfo, display_size, frames, probe
from archer.media.nut import write_nut
from archer.media.picture import picture_filters
from archer.process import Child, ffmpeg_path, run

Made = Callable[[str], Path]


def shown(path: Path, info: MediaInfo, filters: str) -> bytes:
    """Raw video of what the filters make of the stored pictures, which come without any metadata."""
    argv = [
        ffmpeg_path(),
        "-v",
        "error",
        "-f",
        "nut",
        "-i",
        Child.feed_url(0),
        "-vf",
        filters,
        "-f",
        "rawvideo",
        "-",
    ]
    with Child(argv, feeds=1) as child:
        child.feed(0, lambda file: write_nut(file, frames(str(path), info=info), info.video))
        return child.finish(timeout_s=60).stdout


TURNED = (
    "rotated_90",
    "rotated_180",
    "rotated_270",
    "mirrored",
    "mirrored_down",
    "mirrored_90",
    "mirrored_270",
)


@pytest.mark.parametrize("name", [*(f"{name}.mp4" for name in TURNED), "h264.mp4"])
def test_upright_as_ffmpeg_itself_turns_it(name: str, made: Made) -> None:
    info = probe(str(made(name)))
    filters = picture_filters(info, *display_size(info.video), "yuv420p", kernel="lanczos")
    assert "scale" not in filters
    itself = run([ffmpeg_path(), "-v", "error", "-i", made(name), "-f", "rawvideo", "-"], timeout_s=60)
    assert shown(made(name), info, filters) == itself.stdout


def luma(raw: bytes, width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8).reshape(-1, width * height * 3 // 2)[:, : width * height]


def test_full_range_becomes_limited(made: Made) -> None:
    """219 steps from 16 on instead of 255 from 0 on (ITU-T H.273), to within rounding."""
    info = probe(str(made("full_range.mp4")))
    filters = picture_filters(info, 192, 108, "yuv420p", kernel="lanczos")
    got = luma(shown(made("full_range.mp4"), info, filters), 192, 108)
    stored = np.array(
        [frame.luma.samples.reshape(-1) for frame in frames(str(made("full_range.mp4")), info=info)]
    )
    assert stored.min() < 16
    assert np.abs(got - (stored * (219 / 255) + 16)).max() <= 1


def test_limited_range_at_the_same_size_is_left_alone(made: Made) -> None:
    info = probe(str(made("h264.mp4")))
    assert picture_filters(info, 192, 108, "yuv420p", kernel="lanczos") == "setsar=1,format=yuv420p"


def test_anamorphic_pictures_are_widened_and_ten_bits_kept(made: Made) -> None:
    wide, deep = probe(str(made("anamorphic.mp4"))), probe(str(made("hdr10.mp4")))
    chain = picture_filters(wide, 274, 108, "yuv420p", kernel="bicubic")
    assert chain.startswith("scale=274:108:flags=bicubic+")
    assert len(shown(made("anamorphic.mp4"), wide, chain)) == 35 * 274 * 108 * 3 // 2
    assert "scale" not in picture_filters(deep, 192, 108, "yuv420p10le", kernel="lanczos")


def test_a_turned_picture_is_scaled_after_it_is_turned(made: Made) -> None:
    info = probe(str(made("rotated_90.mp4")))
    info = replace(info, video=replace(info.video, rotation=270))
    assert picture_filters(info, 54, 96, "yuv420p", kernel="lanczos").startswith(
        "transpose=cclock,scale=54:96:"
    )
