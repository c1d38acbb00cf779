"""Shots are where pictures change, and do not depend on how a title was cut into parts."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archer.media import FrameRange, frames, probe
from archer.split.shots import Rules, Thumbnails, detect, read_thumbnails, thumbnails, write_thumbnails
from archer.split.shots.decision import is_mixture
from archer.split.shots.detect import BLOCK, windows
from archer.split.shots.features import COUNT, MARGIN, features
from archer.split.shots.fit import coarse, coarse_colour, likeness, misfit
from archer.split.shots.network import REACH, Network
from archer.split.shots.plain import fades

RATE = Fraction(24)
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("CINEMILL_SHARED", ROOT.parent / "shared")) / "clips"


def scene(seed: int, count: int, *, drift: float = 0.1) -> npt.NDArray[np.float32]:
    """Thumbnails (count, 27, 48) of a camera that moves by `drift` cells a frame along a long picture, with noise."""
    random = np.random.default_rng(seed)
    world = random.uniform(20, 235, (9, 100))
    world = np.kron(world, np.ones((3, 3)))
    world = (world + np.roll(world, 1, 0) + np.roll(world, 1, 1) + np.roll(world, (1, 1), (0, 1))) / 4
    found = []
    for step in range(count):
        whole, part = divmod(drift * step, 1)
        left = int(whole) % 250
        found.append(world[:, left : left + 48] * (1 - part) + world[:, left + 1 : left + 49] * part)
    pictures = np.array(found) + random.normal(size=(count, 27, 48)) * 0.7
    return np.clip(pictures, 0, 255).astype(np.float32)


def track(luma: npt.NDArray[np.float32]) -> Thumbnails:
    """Coloured after their luma: linear, so that mixtures of pictures are mixtures in colour."""
    small = luma[:, ::3, ::3] - 128
    chroma = np.stack([128 + 0.4 * small, 128 - 0.3 * small], axis=1)
    return Thumbnails(luma=np.rint(luma).astype(np.uint8), chroma=np.rint(chroma).astype(np.uint8))


def starts(luma: npt.NDArray[np.float32], rate: Fraction = RATE, rules: Rules | None = None) -> list[int]:
    return [shot.frames.start for shot in detect([track(luma)], frame_rate=rate, rules=rules).shots]


def test_a_cut_is_found_at_its_frame() -> None:
    luma = np.concatenate([scene(1, 60), scene(2, 50), scene(3, 70)])
    found = detect([track(luma)], frame_rate=RATE)
    assert [(shot.frames.start, shot.frames.end) for shot in found.shots] == [(0, 60), (60, 110), (110, 180)]
    assert [shot.transition for shot in found.shots] == ["start", "cut", "cut"]
    assert all(shot.confidence_pct >= 50 for shot in found.shots)


@pytest.mark.parametrize("length", [8, 16, 24, 32, 48])
def test_a_dissolve_is_one_boundary_inside_it(length: int) -> None:
    old, new = scene(1, 60 + length, drift=0.05), scene(2, length + 60, drift=0.05)
    found = detect([track(dissolved(old, new, length))], frame_rate=RATE)
    (_, shot) = found.shots
    assert shot.transition == "dissolve"
    assert 60 <= shot.frames.start <= 60 + length
    assert shot.mixed is not None
    assert shot.mixed.start < 60 + length / 2 < shot.mixed.end


def dissolved(
    old: npt.NDArray[np.float32], new: npt.NDArray[np.float32], length: int
) -> npt.NDArray[np.float32]:
    """`old`, whose last `length` frames turn into the first of `new`."""
    share = np.arange(1, length + 1).reshape(-1, *[1] * (old.ndim - 1)) / (length + 1)
    mixed = old[len(old) - length :] * (1 - share) + new[:length] * share
    return np.concatenate([old[: len(old) - length], mixed, new[length:]]).astype(np.float32)


@pytest.mark.parametrize("length", [6, 12, 24, 48])
def test_a_dissolve_between_real_takes(clips: Path, length: int) -> None:
    old, new = take(clips / "coffee_720p30.mp4"), take(clips / "flower_540p30.mp4")
    luma, chroma = (
        np.rint(dissolved(one.astype(np.float32), other.astype(np.float32), length)).astype(np.uint8)
        for one, other in ((old.luma, new.luma), (old.chroma, new.chroma))
    )
    (_, shot) = detect([Thumbnails(luma=luma, chroma=chroma)], frame_rate=Fraction(30)).shots
    middle = len(old) - length / 2
    assert shot.transition == "dissolve"
    assert abs(shot.frames.start - middle) <= max(2, length / 4)


@lru_cache(maxsize=2)
def take(path: Path) -> Thumbnails:
    """The first 100 frames of a clip that is one take."""
    return thumbnails(frames(str(path), FrameRange(0, 100)), frame_count=100)


def test_a_fade_through_black_ends_one_shot_and_begins_another() -> None:
    down = np.linspace(1, 0, 20)[:, None, None]
    one, two = scene(1, 80), scene(2, 80)
    luma = np.concatenate(
        [one[:60], 16 + (one[60:] - 16) * down, 16 + (two[:20] - 16) * down[::-1], two[20:]]
    )
    first, second = detect([track(luma)], frame_rate=RATE).shots
    assert second.transition == "fade"
    assert 74 <= second.frames.start <= 86
    assert first.fade_out is not None
    assert 45 <= first.fade_out.start <= 68


def lettered(count: int, cover: float) -> npt.NDArray[np.float32]:
    """A small title on black that stands still; `cover` is the share of a cell that its letters fill."""
    random, luma = np.random.default_rng(9), np.full((count, 27, 48), 16, np.float32)
    luma[:, 12:15, 18:30] += 219 * cover * random.uniform(0.3, 1, (3, 12)).astype(np.float32)
    return luma


@pytest.mark.parametrize("cover", [0.15, 0.3, 0.6])
def test_a_small_title_on_black_is_a_shot(cover: float) -> None:
    """It changes 1 to 5 of 255 in the mean, and all of what is shown."""
    black = np.full((40, 27, 48), 16, np.float32)
    assert starts(np.concatenate([black, lettered(50, cover), black])) == [0, 40, 90]


@pytest.mark.parametrize("length", [8, 24, 60])
def test_a_small_title_fades(length: int) -> None:
    black, title = np.full((30, 27, 48), 16, np.float32), lettered(length, 0.3)
    up = (np.arange(1, length + 1) / (length + 1))[:, None, None].astype(np.float32)
    luma = np.concatenate(
        [black, 16 + (title - 16) * up, lettered(40, 0.3), 16 + (title - 16) * up[::-1], black]
    )
    found = detect([track(luma)], frame_rate=RATE).changes
    assert [change.kind for change in found] == ["fade_in", "fade_out"]
    assert abs(found[0].frames.start - 30) <= 4 + length // 12
    assert abs(found[1].frames.end - (70 + 2 * length)) <= 4 + length // 12


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_flash_is_no_boundary(length: int) -> None:
    luma = scene(1, 120)
    luma[60 : 60 + length] = np.minimum(luma[60 : 60 + length] + 120, 235)
    assert starts(luma) == [0]


@pytest.mark.parametrize("level", [16, 235])
def test_a_flash_that_fills_the_picture_is_no_fade(level: int) -> None:
    """Though the picture loses a little contrast all the while, and every frame is a mixture of it and the flash."""
    sinking = np.linspace(1, 0.95, 40, dtype=np.float32)[:, None, None]
    luma = 128 + (scene(1, 1) - 128) * sinking
    luma[30] = level
    found = coarse(np.rint(luma).astype(np.uint8))
    assert not list(fades(luma.std(axis=(1, 2)), found))
    slow = luma.copy()
    slow[24:31] += (level - slow[24:31]) * (np.arange(1, 8, dtype=np.float32) / 7)[:, None, None]
    found = coarse(np.rint(slow).astype(np.uint8))
    assert [rises for rises, _ in fades(slow.std(axis=(1, 2)), found)] == [False]


@pytest.mark.parametrize(("way", "same"), [("luma's", True), ("none", False), ("its own", False)])
def test_like_pictures_dissolve_where_colour_does(way: str, same: bool) -> None:
    """Two pictures alike in luma: what mixes them mixes their colours by the same shares."""
    share = np.linspace(0, 1, 14)[:, None, None]
    one, other = scene(1, 1), scene(1, 1) * 0.6 + scene(7, 1) * 0.4
    run = coarse(np.rint(one * (1 - share) + other * share).astype(np.uint8))
    assert 0.6 < likeness(run[0], run[-1]) < 0.9
    assert misfit(run)[0] < 0.1
    by = {"luma's": share, "none": share * 0, "its own": np.floor(share + 0.1)}[way][..., None]
    random = np.random.default_rng(3)
    old, new = (random.uniform(60, 190, (1, 2, 3, 4)).repeat(3, axis=2).repeat(4, axis=3) for _ in range(2))
    colour = coarse_colour(np.rint(old * (1 - by) + new * by).astype(np.uint8))
    assert is_mixture(run, colour, "dissolve", peak=0.99) is same
    assert not is_mixture(run, colour, "dissolve", peak=0.8)


def test_a_still_picture_and_a_pan_are_one_shot() -> None:
    assert starts(scene(1, 100, drift=0)) == [0]
    assert starts(scene(1, 100, drift=0.6)) == [0]


@pytest.mark.parametrize("rate", ["24", "30000/1001", "50", "60", "120"])
def test_cuts_are_exact_at_any_frame_rate(rate: str) -> None:
    slow = Fraction(rate) / 30
    step = float(0.1 / max(1, slow))
    times = max(1, round(slow))
    luma = np.concatenate([scene(1, 41 * times + 1, drift=step), scene(2, 60 * times, drift=step)])
    assert starts(luma, Fraction(rate)) == [0, 41 * times + 1]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_very_short_titles(count: int) -> None:
    found = detect([track(scene(1, max(1, count))[:count])], frame_rate=RATE)
    assert found.frames == count
    assert [(shot.frames.start, shot.frames.end) for shot in found.shots] == [(0, count)][: bool(count)]


def test_length_rules() -> None:
    luma = np.concatenate([scene(seed, length) for seed, length in ((1, 60), (2, 7), (3, 80))])
    assert starts(luma) == [0, 60, 67]
    assert len(starts(luma, rules=Rules(shortest=12))) == 2
    long = detect([track(luma)], frame_rate=RATE, rules=Rules(longest=50)).shots
    assert max(len(shot.frames) for shot in long) <= 50
    assert {0, 60, 67} <= {shot.frames.start for shot in long}
    assert Rules.of(RATE, shortest_s=Fraction("0.5"), longest_s=Fraction(0)) == Rules(shortest=12)


@lru_cache(maxsize=1)
def whole() -> Thumbnails:
    """A title of several blocks with every kind of change."""
    random = np.random.default_rng(5)
    return track(np.concatenate([scene(seed, int(random.integers(9, 140))) for seed in range(20)]))


@given(cuts=st.lists(st.integers(0, 1500), max_size=8))
@settings(max_examples=6, deadline=None)
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(60)])
def test_any_chunking_gives_the_same(rate: Fraction, cuts: list[int]) -> None:
    title = whole()
    edges = sorted({0, len(title), *(min(cut, len(title)) for cut in cuts)})
    parts = [title.part(slice(start, end)) for start, end in pairwise(edges)]
    assert detect(parts, frame_rate=rate) == expected(rate)


@lru_cache(maxsize=2)
def expected(rate: Fraction) -> object:
    return detect([whole()], frame_rate=rate)


def test_windows_hold_a_bounded_part_of_a_title() -> None:
    title = whole()
    parts = (title.part(slice(start, start + 100)) for start in range(0, len(title), 100))
    held = [(len(part), end - start) for part, start, end in windows(parts)]
    assert sum(size for _, size in held) == len(title)
    assert max(length for length, _ in held) <= BLOCK + 3 * (REACH + MARGIN) + 100


def test_features_of_a_block_do_not_depend_on_what_is_around_it() -> None:
    title = whole()
    full = features(title, 0, 600)
    assert full.shape == (600, COUNT)
    part = features(title.part(slice(200, 500)), 100, 200)
    assert np.array_equal(full[300:400], part)


def test_the_network_is_what_its_weights_say() -> None:
    """Convolutions written out tap by tap give the same."""
    net = Network.trained()
    table = np.random.default_rng(1).normal(size=(REACH + 4 + REACH, COUNT)).astype(np.float32)
    state = ((table - net.mean) / net.scale).astype(np.float64)

    def layer(
        values: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float32],
        bias: npt.NDArray[np.float32],
        gap: int,
    ) -> npt.NDArray[np.float64]:
        reach = (len(weights) - 1) * gap
        rows = range(len(values) - reach)
        return np.array(
            [
                bias + sum(values[row + tap * gap] @ weights[tap] for tap in range(len(weights)))
                for row in rows
            ]
        )

    state = np.maximum(layer(state, *net.first, 1), 0)
    for (weights, bias), gap in zip(net.blocks, (1, 2, 4, 8), strict=True):
        state = state[2 * gap : len(state) - 2 * gap] + np.maximum(layer(state, weights, bias, gap), 0)
    wanted = 1 / (1 + np.exp(-(state @ net.last[0] + net.last[1])))
    np.testing.assert_allclose(net(table), wanted, atol=1e-4)


def test_thumbnails_survive_parquet(tmp_path: Path) -> None:
    title = whole().part(slice(0, 70))
    path = tmp_path / "part.parquet"
    write_thumbnails(path, title)
    again = read_thumbnails(path)
    assert np.array_equal(again.luma, title.luma)
    assert np.array_equal(again.chroma, title.chroma)
    first = path.read_bytes()
    write_thumbnails(path, title)
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", ["tos_battle_a_800x332.webm", "screen_vfr_1080p.mkv"])
def test_real_titles_measured_in_parts_give_the_same(clips: Path, name: str) -> None:
    path = clips / name
    if not path.is_file():
        pytest.skip(f"no title {name}")
    info = probe(str(path))
    count = min(120, info.frame_count)
    spans = [FrameRange(0, 37), FrameRange(37, 38), FrameRange(38, count)]
    parts = [thumbnails(frames(str(path), span, info=info), frame_count=len(span)) for span in spans]
    at_once = thumbnails(frames(str(path), FrameRange(0, count), info=info), frame_count=count)
    assert np.array_equal(Thumbnails.joined(parts).luma, at_once.luma)
    assert detect(parts, frame_rate=RATE) == detect([at_once], frame_rate=RATE)


CLIPS = ["absent"]
if SHARED.is_dir():
    CLIPS = sorted(path.name for path in SHARED.iterdir() if path.suffix in {".mp4", ".mkv", ".webm", ".ts"})


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_random_chunks_of_every_clip_give_the_same(clips: Path, name: str) -> None:
    info = probe(str(clips / name))
    count = min(600, info.frame_count)
    random = np.random.default_rng(count)
    at_once = thumbnails(frames(str(clips / name), FrameRange(0, count), info=info), frame_count=count)
    edges = sorted({0, count, *random.integers(0, count, 6).tolist()})
    spans = [FrameRange(start, end) for start, end in pairwise(edges)]
    parts = [thumbnails(frames(str(clips / name), span, info=info), frame_count=len(span)) for span in spans]
    assert np.array_equal(Thumbnails.joined(parts).luma, at_once.luma)
    assert np.array_equal(Thumbnails.joined(parts).chroma, at_once.chroma)
    rate = info.video.frame_rate
    wanted = detect([at_once], frame_rate=rate)
    assert detect(parts, frame_rate=rate) == wanted
    for _ in range(5):
        edges = sorted({0, count, *random.integers(0, count, 9).tolist()})
        again = [at_once.part(slice(start, end)) for start, end in pairwise(edges)]
        assert detect(again, frame_rate=rate) == wanted
