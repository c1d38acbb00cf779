"""Titles whose transitions are known exactly, made from real clips: what `shot_accuracy.py` measures beside real ones.

Made from clips that `shot_training.py` does not use, at full resolution, and coded with x264 as a title would be. Two
seeds give two sets: the detector was never tuned on the second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from shot_scoring import Range, Truth

WIDTH, HEIGHT, RATE = 640, 360, 24
SOURCES = {
    "coffee_720p30.mp4": [(0, 286)],
    "flower_540p30.mp4": [(0, 149)],
    "phone_pq10_av1_720x1280.mp4": [(0, 126)],
    "sintel_scene_480p25.mp4": [(122, 318), (320, 456), (458, 544), (546, 610)],
    "tos_battle_a_800x332.webm": [(53, 121), (159, 220), (222, 308), (320, 700), (789, 871), (902, 986)],
    "popeye_p3_1072p24_pgs.mkv": [(80, 300)],
}
"""Takes of clips, first and last frame; where a clip has hand-checked cuts, between them."""

Pictures = npt.NDArray[np.uint8]
"""(n, HEIGHT * 3 // 2, WIDTH) uint8: planes of 4:2:0, limited range, as PyAV's `yuv420p` arrays."""
BLACK, WHITE = 16, 235


def takes(clips: Path) -> list[Pictures]:
    """All takes at the size of the compositions."""
    import av

    found = []
    for name, spans in SOURCES.items():
        pictures = []
        with av.open(str(clips / name)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number > spans[-1][1]:
                    break
                inside = any(first <= number <= last for first, last in spans)
                pictures.append(frame.reformat(WIDTH, HEIGHT, "yuv420p").to_ndarray() if inside else None)
        found += [np.stack(pictures[first : last + 1]) for first, last in spans]
    return found


@dataclass
class Title:
    """A composition under way."""

    name: str
    parts: list[Pictures] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    gradual: list[Range] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def cut_to(self, shot: Pictures) -> None:
        if self.parts:
            self.cuts.append(len(self))
        self.parts.append(shot)

    def mix_to(self, mixed: Pictures, shot: Pictures) -> None:
        self.gradual.append((len(self), len(self) + len(mixed) - 1))
        self.parts += [mixed, shot]

    def truth(self) -> Truth:
        return Truth(len(self), self.cuts, self.gradual, (), len(self) / RATE)


class Maker:
    """Draws takes and makes titles of them."""

    def __init__(self, pool: list[Pictures], seed: int) -> None:
        self.pool, self.random, self.last = pool, np.random.default_rng(seed), -1

    def shot(self, length: int) -> Pictures:
        """A piece of a take that is not the take of the shot before."""
        fits = [place for place, take in enumerate(self.pool) if len(take) >= length and place != self.last]
        self.last = int(self.random.choice(fits))
        take = self.pool[self.last]
        begin = int(self.random.integers(0, len(take) - length + 1))
        piece = take[begin : begin + length]
        return np.ascontiguousarray(mirrored(piece)) if self.random.random() < 0.5 else piece

    def length(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high))

    def cuts(self) -> Title:
        title = Title("cuts")
        for _ in range(24):
            title.cut_to(self.shot(self.length(8, 50)))
        return title

    def dissolves(self) -> Title:
        title = Title("dissolves")
        lengths = [*self.random.permutation([6, 8, 10, 12, 16, 20, 24, 32, 40, 48]).tolist(), 0]
        old = self.shot(30 + lengths[0])
        title.cut_to(old[:30])
        for length, following in pairwise(lengths):
            new = self.shot(length + 30 + following)
            share = (np.arange(1, length + 1) / (length + 1))[:, None, None]
            title.mix_to(blend(old[len(old) - length :], new[:length], share), new[length : length + 30])
            old = new
        return title

    def fades(self) -> Title:
        title = Title("fades")
        title.cut_to(self.shot(30))
        for place, length in enumerate(self.random.permutation([6, 8, 12, 16, 24, 32, 48]).tolist()):
            level = WHITE if place % 4 == 3 else BLACK
            whole = self.shot(30 + length)
            title.cut_to(whole[:30])
            share = (np.arange(1, length + 1) / (length + 1))[:, None, None]
            plain = flat(level, self.length(2, 14))
            title.mix_to(blend(whole[30:], flat(level, length), share), plain)
            new = self.shot(30 + length)
            title.mix_to(blend(flat(level, length), new[:length], share), new[length:])
        return title

    def flashes(self) -> Title:
        title = Title("flashes")
        for _ in range(5):
            shot = self.shot(60).astype(np.float32)
            for at in (12, 25, 44):
                length = self.length(1, 5)
                power = self.random.uniform(60, 220) * np.exp(-np.arange(length) / 2)[:, None, None]
                shot[at : at + length, :HEIGHT] = np.minimum(shot[at : at + length, :HEIGHT] + power, WHITE)
            title.cut_to(shot.astype(np.uint8))
        return title

    def pans(self) -> Title:
        """Whip pans over a still of twice the width (a picture and its mirror image), in a few frames and in many."""
        title = Title("pans")
        for length in (6, 10, 16, 30, 60):
            still = self.shot(1)
            wide = np.concatenate([still[0], mirrored(still)[0]], axis=1)
            at = np.concatenate([np.zeros(15), np.linspace(0, 1, length), np.ones(15)])
            at = at * at * (3 - 2 * at)
            title.cut_to(np.stack([window(wide, int(place * WIDTH / 4) * 4) for place in at]))
        return title

    def subtitles(self) -> Title:
        title = Title("subtitles")
        for _ in range(8):
            shot = self.shot(60).copy()
            for begin, end in ((5, 28), (32, 55)):
                left, width = self.length(40, 200), self.length(120, 380)
                text = self.random.random((28, width)) < 0.5
                shot[begin:end, 300:328, left : left + width][:, text] = WHITE
            title.cut_to(shot)
        return title

    def all(self) -> Iterator[Title]:
        makers: list[Callable[[], Title]] = [
            self.cuts,
            self.dissolves,
            self.fades,
            self.flashes,
            self.pans,
            self.subtitles,
        ]
        for make in makers:
            yield make()


def blend(old: Pictures, new: Pictures, share: npt.NDArray[np.float64]) -> Pictures:
    """Mixture, `share` of the new."""
    return np.rint(old + (new.astype(np.float32) - old) * share).astype(np.uint8)


def flat(level: int, length: int) -> Pictures:
    """A grey picture."""
    picture = np.full((length, HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    picture[:, :HEIGHT] = level
    return picture


def mirrored(pictures: Pictures) -> Pictures:
    """Left is right. Both chroma rows that lie side by side in a row of the array are turned on their own."""
    turned = pictures[:, :, ::-1].copy()
    half = WIDTH // 2
    turned[:, HEIGHT:] = np.concatenate([turned[:, HEIGHT:, half:], turned[:, HEIGHT:, :half]], axis=2)
    return turned


def window(wide: npt.NDArray[np.uint8], left: int) -> npt.NDArray[np.uint8]:
    """WIDTH columns of a picture of two; chroma rows lie side by side, two of each picture."""
    luma = wide[:HEIGHT, left : left + WIDTH]
    half, place = WIDTH // 2, left // 2
    rows = wide[HEIGHT:].reshape(-1, 2, 2, half).swapaxes(1, 2).reshape(-1, 2, WIDTH)
    chroma = rows[:, :, place : place + half].reshape(-1, WIDTH)
    return np.concatenate([luma, chroma])


def write(title: Title, path: Path) -> None:
    """Code a title with x264."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base, stream.options = Fraction(1, RATE), {"crf": "20", "preset": "veryfast"}
        for number, picture in enumerate(np.concatenate(title.parts)):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
