"""Makes the weights of the shot detector: compositions of real clips, their features, a small network.

    python benchmarks/shot_training.py CLIP... -o archer/split/shots/weights.npz      (needs torch; about 15 minutes)

Means of cells are linear, and so are dissolves: whatever is composed of thumbnails is the thumbnail of what would be
composed of pictures. So clips are decoded once, to 128x72, and every augmentation (crops that move, zoom, speed,
light, flashes, subtitles, things that pass by, letterboxes, noise) and every transition (cuts, dissolves, fades, wipes,
slides) costs little. Clips used here are not used by shot_accuracy.py.

A clip that has cuts of its own comes with them: `clip.mp4:57,213`.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from archer.split.shots.features import COUNT, NAMES, features
from archer.split.shots.thumbnails import Thumbnails

STEPS = 224
"""Frames of a composition."""
Random = np.random.Generator
Pictures = npt.NDArray[np.float32]


@dataclass
class Source:
    """A run of frames of one take: luma (n, 72, 128), chroma (n, 2, 36, 64), uint8."""

    luma: npt.NDArray[np.uint8]
    chroma: npt.NDArray[np.uint8]


def sources(argument: str) -> list[Source]:
    """The takes of `PATH` or `PATH:cut,cut`, without three frames at each side of a cut."""
    import av

    path, _, cuts = argument.partition(":")
    luma, chroma = [], []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            small = frame.reformat(128, 72, "yuv420p", interpolation="AREA").to_ndarray()
            luma.append(small[:72])
            chroma.append(small[72:].reshape(2, 36, 64))
    edges = [0, *(int(cut) for cut in cuts.split(",") if cut), len(luma)]
    pairs = [(start + (start > 0) * 3, end - (end < len(luma)) * 3) for start, end in pairwise(edges)]
    return [
        Source(np.array(luma[a:b], np.uint8), np.array(chroma[a:b], np.uint8))
        for a, b in pairs
        if b - a >= 16
    ]


def smooth(random: Random, count: int, size: int) -> Pictures:
    """A path of `count` values that wanders smoothly, about -1 to 1."""
    knots = random.normal(size=max(2, count // size + 2))
    at = np.linspace(0, len(knots) - 1, count)
    return np.interp(at, np.arange(len(knots)), knots).astype(np.float32)


def camera(random: Random, count: int) -> tuple[Pictures, Pictures, Pictures]:
    """Zoom (share of the picture that is seen) and centre of a moving crop, per frame."""
    zoom = np.full(count, random.uniform(0.4, 1.0), np.float32)
    kind = random.random()
    room = 1 - zoom
    x, y = random.uniform(-1, 1) * room, random.uniform(-1, 1) * room
    if kind < 0.4:  # pans, some of them very fast
        zoom[:] = random.uniform(0.35, 0.7)
        room = 1 - zoom
        speed = random.choice([0.005, 0.01, 0.01, 0.02, 0.03, 0.08, 0.2, 0.4])
        length = max(2, int(2 / speed * random.uniform(0.3, 1)))
        begin = random.integers(0, max(1, count - 2))
        path = np.clip((np.arange(count) - begin) / length, 0, 1)
        path = (path * path * (3 - 2 * path)) * 2 - 1
        way = random.choice([-1, 1])
        x = way * path * room
        y = y * 0.5 + (random.random() < 0.3) * path * room * random.choice([-1, 1])
    elif kind < 0.55:  # zooms, some of them snaps
        target, length = random.uniform(0.3, 1), max(2, int(random.choice([4, 8, 30, 80, 150])))
        begin = random.integers(0, max(1, count - 2))
        path = np.clip((np.arange(count) - begin) / length, 0, 1)
        zoom = (zoom + (target - zoom) * path).astype(np.float32)
        x = y = np.zeros(count)
    if random.random() < 0.35:  # a hand
        shake = random.choice([0.004, 0.01, 0.03])
        x = x + shake * smooth(random, count, int(random.choice([1, 2, 6])))
        y = y + shake * smooth(random, count, int(random.choice([1, 2, 6])))
    return zoom, np.broadcast_to(x, count).astype(np.float32), np.broadcast_to(y, count).astype(np.float32)


def crop(
    planes: npt.NDArray[np.uint8] | Pictures,
    zoom: Pictures,
    x: Pictures,
    y: Pictures,
    size: tuple[int, int],
    *,
    flip: bool,
) -> Pictures:
    """Crops (n, c, rows, columns) of planes (n, c, h, w)."""
    count = len(planes)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.from_numpy(zoom) * (-1 if flip else 1)
    theta[:, 1, 1] = torch.from_numpy(zoom)
    theta[:, 0, 2], theta[:, 1, 2] = torch.from_numpy(x), torch.from_numpy(y)
    tensor = torch.from_numpy(planes).float()
    grid = functional.affine_grid(
        theta, (count, planes.shape[1], size[0] * 2, size[1] * 2), align_corners=False
    )
    found = functional.grid_sample(
        tensor, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return functional.avg_pool2d(found, 2).numpy()


def take(
    random: Random, pool: list[Source], count: int, *, titles: float = 0.1, ground: float | None = None
) -> tuple[Pictures, Pictures]:
    """One shot: luma (n, 27, 48) and chroma (n, 2, 9, 16), float32; a title on `ground` with probability `titles`."""
    if random.random() < titles:
        return card(random, count) if random.random() < 0.3 else title(random, count, ground)
    source = pool[random.integers(len(pool))]
    speed = random.choice([0.0, 0.5, 1, 1, 1, 1, 2, 3], p=[0.06, 0.08, 0.2, 0.2, 0.2, 0.06, 0.12, 0.08])
    needed = int(count * speed) + 1
    begin = random.integers(0, max(1, len(source.luma) - needed))
    at = begin + (np.arange(count) * speed).astype(int)
    last = 2 * (len(source.luma) - 1)
    at = np.abs((at + last // 2) % max(1, last) - last // 2) if last else at * 0  # back and forth
    if random.random() < 0.3:
        at = at[::-1].copy()
    zoom, x, y = camera(random, count)
    flip = random.random() < 0.5
    luma = crop(source.luma[at][:, None], zoom, x, y, (27, 48), flip=flip)[:, 0]
    chroma = crop(source.chroma[at], zoom, x, y, (9, 16), flip=flip)
    return graded(random, luma, chroma)


def card(random: Random, count: int) -> tuple[Pictures, Pictures]:
    """A plain or striped card, such as titles stand on."""
    luma = np.full((count, 27, 48), random.choice([16, 16, 16, 16, 0, 40, 128, 235]), np.float32)
    for _ in range(random.choice([0, 0, 1, 3])):
        row, left = random.integers(2, 22), random.integers(4, 24)
        luma[:, row : row + random.integers(1, 4), left : left + random.integers(4, 22)] = random.uniform(
            16, 235
        )
    return luma, np.full((count, 2, 9, 16), 128, np.float32)


def title(random: Random, count: int, ground: float | None) -> tuple[Pictures, Pictures]:
    """A few lines of letters on a plain ground, still or slowly growing: a cell holds a share of a letter."""
    level = float(random.choice([16, 16, 16, 0, 40, 235])) if ground is None else ground
    ink = 16.0 if level > 128 else float(random.choice([235, 235, 200, 120, 70]))
    cover = np.zeros((27, 48), np.float32)
    for _ in range(random.choice([1, 1, 2, 3, 6])):
        row, high = int(random.integers(2, 22)), int(random.integers(1, 4))
        left, wide = int(random.integers(4, 30)), int(random.integers(4, 24))
        part = cover[row : row + high, left : left + wide]
        part[:] = random.uniform(0, 0.8, part.shape)
    luma = np.broadcast_to(level + (ink - level) * cover, (count, 27, 48)).astype(np.float32).copy()
    if random.random() < 0.25:
        zoom = np.linspace(1, random.uniform(0.85, 1), count, dtype=np.float32)
        still = np.zeros(count, np.float32)
        wide_luma = np.kron(luma, np.ones((1, 2, 2), np.float32))[:, None]
        luma = crop(wide_luma, zoom, still, still, (27, 48), flip=False)[:, 0]
    return luma, np.full((count, 2, 9, 16), 128, np.float32)


def graded(random: Random, luma: Pictures, chroma: Pictures) -> tuple[Pictures, Pictures]:
    """Contrast, brightness and colour of a shot; sometimes they drift or flicker."""
    count = len(luma)
    gain, lift = random.choice([0.15, 0.35, 0.7, 1, 1, 1, 1.2]), random.uniform(-15, 15)
    gains = np.full(count, gain, np.float32)
    kind = random.random()
    if kind < 0.08:
        gains = gains * (1 + random.uniform(0.01, 0.12) * random.normal(size=count))
    elif kind < 0.2:
        gains = gains * (1 + 0.4 * smooth(random, count, 40))
    luma = np.clip((luma - 16) * gains[:, None, None].astype(np.float32) + 16 + lift, 0, 255)
    tint = random.normal(size=(1, 2, 1, 1)).astype(np.float32) * 10
    chroma = (chroma - 128) * np.float32(random.uniform(0, 1.3)) + 128 + tint
    return luma, np.clip(chroma, 0, 255)


def ramp(random: Random, length: int) -> Pictures:
    """Shares of the new picture over the frames of a transition, between 0 and 1 exclusively."""
    at = (np.arange(1, length + 1) / (length + 1)).astype(np.float32)
    return at * at * (3 - 2 * at) if random.random() < 0.25 else at


def wipe(length: int, rows: int, columns: int, shape: dict[str, Any]) -> Pictures:
    """Masks (length, rows, columns) of a wipe: 1 where the new picture is."""
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    field = {
        "line": u * shape["a"] + v * shape["b"],
        "iris": np.hypot(u - 0.5, v - 0.5) / 0.71,
        "blinds": (u * 4) % 1,
    }[shape["kind"]]
    field = (field - field.min()) / max(1e-6, float(field.max() - field.min()))
    if shape["inverse"]:
        field = 1 - field
    at = (np.arange(1, length + 1) / (length + 1))[:, None, None] * (1 + shape["soft"])
    return np.clip((at - field) / shape["soft"], 0, 1).astype(np.float32)


@dataclass
class Canvas:
    """A composition under way."""

    luma: Pictures
    chroma: Pictures
    cut: npt.NDArray[np.float32]
    gradual: npt.NDArray[np.float32]

    def blend(self, at: int, new: tuple[Pictures, Pictures], mask_y: Pictures, mask_c: Pictures) -> None:
        """Mix `new` over what is there, from frame `at` on."""
        span = slice(at, at + len(mask_y))
        self.luma[span] += (new[0] - self.luma[span]) * mask_y
        self.chroma[span] += (new[1] - self.chroma[span]) * mask_c

    def slide(self, at: int, luma: Pictures, chroma: Pictures) -> None:
        """Let a new shot come in from the right, over what is there."""
        for planes, new in ((self.luma, luma), (self.chroma, chroma)):
            columns = planes.shape[-1]
            for step, picture in enumerate(new):
                wide = round(columns * (step + 1) / (len(new) + 1))
                planes[at + step, ..., columns - wide :] = picture[..., :wide]


TAIL = 62
"""Frames that a shot is rendered beyond its end: no transition is longer."""


def compose(random: Random, pool: list[Source]) -> Canvas:
    """A composition of several shots."""
    size = STEPS + TAIL
    canvas = Canvas(
        np.zeros((size, 27, 48), np.float32),
        np.full((size, 2, 9, 16), 128, np.float32),
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
    )
    short = random.random() < 0.25
    at = int(random.integers(4, 60 if short else 130))
    first = take(random, pool, at + TAIL)
    canvas.luma[: at + TAIL], canvas.chroma[: at + TAIL] = first
    while at < STEPS:
        gap = int(random.integers(5, 30) if short else random.integers(12, 150))
        at = transition(random, pool, canvas, at, gap) + gap
    passing(random, pool, canvas)
    disturb(random, canvas)
    return canvas


KINDS = {"cut": 0.42, "blend": 0.05, "dissolve": 0.23, "dip": 0.04, "fade": 0.17, "wipe": 0.06, "slide": 0.03}


def transition(random: Random, pool: list[Source], canvas: Canvas, at: int, gap: int) -> int:
    """Put a new shot from `at` on, which lasts `gap` frames and more; returns where the transition has ended."""
    kind = random.choice(list(KINDS), p=list(KINDS.values()))
    length = int(
        random.choice(
            [random.integers(3, 8), random.integers(4, 16), random.integers(6, 32), random.integers(12, 60)]
        )
    )
    if kind == "fade":
        return fade(random, pool, canvas, at, gap)
    if kind == "dip":
        return dip(random, pool, canvas, at, gap)
    length = {"cut": 0, "blend": 1, "slide": max(4, length // 2), "wipe": max(5, length)}.get(kind, length)
    end = min(len(canvas.luma), at + length + gap + TAIL)
    luma, chroma = take(random, pool, end - at)
    length = min(length, end - at)
    if kind == "slide":
        canvas.slide(at, luma[:length], chroma[:length])
    elif length:
        mask_y, mask_c = masks(random, kind, length)
        canvas.blend(at, (luma[:length], chroma[:length]), mask_y, mask_c)
    canvas.luma[at + length : end], canvas.chroma[at + length : end] = luma[length:], chroma[length:]
    if kind == "cut":
        canvas.cut[at] = 1
    elif kind == "blend":
        canvas.cut[at if mask_y.item() >= 0.5 else min(at + 1, len(canvas.cut) - 1)] = 1
    else:
        canvas.gradual[at : at + length] = 1
    return at + length


def dip(random: Random, pool: list[Source], canvas: Canvas, at: int, gap: int) -> int:
    """To a colour and from it to the new shot, which shows before the old one is quite gone."""
    length = int(random.integers(8, 48))
    end = min(len(canvas.luma), at + length + gap + TAIL)
    length = min(length, end - at)
    luma, chroma = take(random, pool, end - at)
    level, most = float(random.choice([16, 60, 100, 140, 200, 235])), random.uniform(0.5, 1)
    share = ramp(random, length)[:, None, None]
    plain = (most * np.sin(np.pi * share)).astype(np.float32)
    canvas.blend(at, (luma[:length], chroma[:length]), share, share[:, None])
    for planes, value, part in ((canvas.luma, level, plain), (canvas.chroma, 128.0, plain[:, None])):
        planes[at : at + length] += (value - planes[at : at + length]) * part
    canvas.luma[at + length : end], canvas.chroma[at + length : end] = luma[length:], chroma[length:]
    canvas.gradual[at : at + length] = 1
    return at + length


def masks(random: Random, kind: str, length: int) -> tuple[Pictures, Pictures]:
    """Shares of the new shot for luma and chroma, per frame."""
    if kind == "blend":  # one frame of both, as rate conversion leaves behind
        share = np.full((1, 1, 1), random.uniform(0.1, 0.9), np.float32)
        return share, share[None]
    if kind == "dissolve":
        share = ramp(random, length)[:, None, None]
        return share, share[:, None]
    shape = {
        "kind": random.choice(["line", "line", "iris", "blinds"]),
        "a": random.choice([-1, 0, 1, 1]),
        "b": random.choice([-1, 0.1, 1, 0.3]),
        "soft": random.choice([0.02, 0.1, 0.4]),
        "inverse": random.random() < 0.5,
    }
    return wipe(length, 27, 48, shape), wipe(length, 9, 16, shape)[:, None]


def fade(random: Random, pool: list[Source], canvas: Canvas, at: int, gap: int) -> int:
    """Out to a colour, hold, in from it; either side may be a cut instead."""
    level = float(random.choice([16, 16, 16, 16, 0, 235, random.integers(40, 200)]))
    out, hold, into = (int(random.integers(low, high)) for low, high in ((4, 45), (0, 30), (4, 45)))
    kind = random.random()
    out, into = (0 if kind < 0.3 else out), (0 if kind > 0.7 else into)
    hold = max(hold, 3) if not out else hold * int(random.integers(2)) if not into else hold
    size = len(canvas.luma)
    gone, begin = min(size, at + out), min(size, at + out + hold)
    full, end = min(size, begin + into), min(size, begin + into + gap + TAIL)
    share = ramp(random, out)[: gone - at, None, None]
    canvas.luma[at:gone] += (level - canvas.luma[at:gone]) * share
    canvas.chroma[at:gone] += (128 - canvas.chroma[at:gone]) * share[:, None]
    canvas.luma[gone:begin], canvas.chroma[gone:begin] = level, 128
    if end > begin:
        luma, chroma = take(random, pool, end - begin, titles=0.35, ground=level)
        share = np.ones((end - begin, 1, 1), np.float32)
        share[: full - begin] = ramp(random, into)[: full - begin, None, None]
        canvas.luma[begin:end] = level + (luma - level) * share
        canvas.chroma[begin:end] = 128 + (chroma - 128) * share[:, None]
    canvas.gradual[at:gone] = canvas.gradual[begin:full] = 1
    for edge in ([at] if not out else []) + ([begin] if not into else []):
        if edge < size:
            canvas.cut[edge] = 1
    return full


def passing(random: Random, pool: list[Source], canvas: Canvas) -> None:
    """Something large passes the camera: no transition, though the picture changes altogether."""
    if random.random() > 0.4:
        return
    for _ in range(random.integers(1, 3)):
        length = int(random.choice([random.integers(4, 30), random.integers(20, 110)]))
        at = int(random.integers(0, len(canvas.luma) - length))
        span = slice(max(0, at - 2), at + length + 2)
        if canvas.cut[span].any() or canvas.gradual[span].any():
            continue  # it would hide what the labels say
        body = take(random, pool, length)
        width, height = random.uniform(0.2, 1.1), random.uniform(0.5, 1.2)
        for step in range(length):
            place = -width + (1 + width) * (step + 1) / (length + 1)
            for planes, found in ((canvas.luma, body[0]), (canvas.chroma, body[1])):
                rows, columns = planes.shape[-2:]
                left, right = (int(np.clip(edge * columns, 0, columns)) for edge in (place, place + width))
                top = int(max(0, (1 - height) * rows))
                planes[at + step, ..., top:, left:right] = found[step, ..., top:, left:right]


def disturb(random: Random, canvas: Canvas) -> None:
    """Flashes, texts, letterboxes, noise: nothing of it is a transition."""
    size = len(canvas.luma)
    if random.random() < 0.3:
        for _ in range(random.integers(1, 8)):
            at, length = int(random.integers(0, STEPS)), int(random.choice([1, 1, 2, 2, 3, 4, 6]))
            shape = np.exp(-np.arange(length) / random.choice([1, 3, 100]))[:, None, None]
            slope = 1 + random.uniform(-1, 1) * np.linspace(-1, 1, 48)[None, None]
            power = random.uniform(30, 255) * random.choice([1, 1, 1, -0.6])
            canvas.luma[at : at + length] = np.clip(
                canvas.luma[at : at + length] + power * shape * slope, 0, 255
            )
            if random.random() < 0.5:
                canvas.chroma[at : at + length] += (128 - canvas.chroma[at : at + length]) * 0.6
    if random.random() < 0.4:
        texts(random, canvas)
    if random.random() < 0.25:
        bar = int(random.integers(1, 6))
        side = random.random() < 0.2
        box = (np.s_[:, :, :bar], np.s_[:, :, 48 - bar :]) if side else (np.s_[:, :bar], np.s_[:, 27 - bar :])
        for part in box:
            canvas.luma[part] = 16
    if random.random() < 0.15:
        gain = np.float32(random.uniform(0.1, 0.6))
        canvas.luma[:] = (canvas.luma - 16) * gain + 16
        canvas.chroma[:] = (canvas.chroma - 128) * gain + 128
    noise = random.choice([0, 0.2, 0.6, 1.5])
    canvas.luma += random.normal(size=canvas.luma.shape).astype(np.float32) * np.float32(noise)
    canvas.chroma += random.normal(size=canvas.chroma.shape).astype(np.float32) * np.float32(noise / 2)
    if random.random() < 0.12:  # repeated frames: pull-down, animation on twos
        every = int(random.choice([2, 2, 3, 4, 5]))
        offset = int(random.integers(every))
        at = np.arange(size)
        at = (
            np.where((at + offset) % every == 0, np.maximum(at - 1, 0), at)
            if every > 3
            else np.minimum(at // every * every + every - 1, size - 1)
        )
        if every <= 3:
            canvas.cut[:] = np.array(
                [
                    canvas.cut[i // every * every : i // every * every + every].max() * (i % every == 0)
                    for i in range(size)
                ]
            )
            canvas.gradual[:] = canvas.gradual[at]
        else:
            moved = np.flatnonzero((canvas.cut == 1) & ((np.arange(size) + offset) % every == 0))
            canvas.cut[moved], canvas.cut[moved + 1] = 0, 1
        canvas.luma[:], canvas.chroma[:] = canvas.luma[at], canvas.chroma[at]


def texts(random: Random, canvas: Canvas) -> None:
    """Subtitles and titles that come and go, at once or softly."""
    for _ in range(random.integers(1, 6)):
        at, length = int(random.integers(0, STEPS)), int(random.integers(8, 90))
        top, left = int(random.choice([21, 22, 23, 12, 4])), int(random.integers(3, 20))
        height, width = int(random.integers(1, 5)), int(random.integers(10, 30))
        text = random.uniform(0.1, 0.8, size=(1, height, width)).astype(np.float32)
        soft = int(random.choice([1, 1, 6, 20]))
        steps = np.arange(length)
        share = np.clip(np.minimum(steps + 1, length - steps) / soft, 0, 1).astype(np.float32)[:, None, None]
        part = canvas.luma[at : at + length, top : top + height, left : left + width]
        part += (
            (random.choice([235, 235, 16]) - part)
            * text[:, : part.shape[1], : part.shape[2]]
            * share[: len(part)]
        )


def example(seed: int) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32]]:
    """Features (STEPS, COUNT) and labels (STEPS, 2) of one composition; NaN where a label is not known."""
    random = np.random.default_rng(seed)
    canvas = compose(random, POOL)
    track = Thumbnails(
        luma=np.clip(np.rint(canvas.luma), 0, 255).astype(np.uint8),
        chroma=np.clip(np.rint(canvas.chroma), 0, 255).astype(np.uint8),
    )
    labels = np.stack([canvas.cut[:STEPS], canvas.gradual[:STEPS]], axis=1)
    return features(track, 0, STEPS).astype(np.float16), labels


POOL: list[Source] = []


def start(pool: list[Source]) -> None:
    torch.set_num_threads(1)
    POOL[:] = pool


class Network(torch.nn.Module):
    """Dilated convolutions over time; archer/split/shots/network.py computes the same with numpy."""

    def __init__(
        self, mean: npt.NDArray[np.float32], scale: npt.NDArray[np.float32], width: int = 32
    ) -> None:
        super().__init__()
        self.mean, self.scale = torch.from_numpy(mean)[:, None], torch.from_numpy(scale)[:, None]
        self.first = torch.nn.Conv1d(COUNT, width, 3, padding=1)
        self.blocks = torch.nn.ModuleList(
            torch.nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
            for dilation in (1, 2, 4, 8)
        )
        self.last = torch.nn.Conv1d(width, 2, 1)

    def forward(self, table: torch.Tensor) -> torch.Tensor:
        state = torch.relu(self.first((table - self.mean) / self.scale))
        for block in self.blocks:
            state = state + torch.relu(block(state))
        return self.last(state)


def fresh(tables: npt.NDArray[np.float16], width: int) -> Network:
    """A network that knows how features spread."""
    flat = tables.reshape(-1, COUNT).astype(np.float32)
    return Network(flat.mean(axis=0), flat.std(axis=0) + 1e-3, width)


def loaded(path: Path) -> Network:
    """A network with weights that `save` wrote."""
    stored = dict(np.load(path))
    network = Network(stored.pop("mean"), stored.pop("scale"), len(stored["first_bias"]))
    names = {name.replace(".", "_"): name for name in network.state_dict()}
    network.load_state_dict({names[name]: torch.from_numpy(value) for name, value in stored.items()})
    return network


def train(
    network: Network,
    tables: npt.NDArray[np.float16],
    labels: npt.NDArray[np.float32],
    *,
    epochs: int,
    rate: float,
) -> Network:
    """The network trained on examples; the last tenth only tells how well it does."""
    x = torch.from_numpy(tables).float().transpose(1, 2).contiguous()
    y = torch.from_numpy(labels).transpose(1, 2)
    held = len(x) // 10
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    batches = (len(x) - held) // 32
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * batches)
    for epoch in range(epochs):
        network.train()
        total = 0.0
        order = torch.randperm(len(x) - held)
        for batch in order[: batches * 32].reshape(batches, 32):
            value = loss(network(faded_colour(x[batch])), y[batch])
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += float(value.detach())
        network.eval()
        with torch.no_grad():
            print(
                epoch,
                f"{total / batches:.4f} held {float(loss(network(x[-held:]), y[-held:])):.4f}",
                flush=True,
            )
    return network


CHROMA = [place for place, name in enumerate(NAMES) if name.startswith("chroma")]


def faded_colour(batch: torch.Tensor) -> torch.Tensor:
    """A fifth of the examples without colour, as old films are."""
    batch = batch.clone()
    grey = torch.rand(len(batch)) < 0.2
    batch[grey.nonzero(), torch.tensor(CHROMA)] = 0
    return batch


def loss(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Cross entropy over what is known; cuts are rare, and weigh more."""
    known = ~torch.isnan(wanted)
    wanted = torch.nan_to_num(wanted)
    weight = torch.tensor([4.0, 1.0])[:, None]
    return (
        functional.binary_cross_entropy_with_logits(found, wanted, pos_weight=weight, reduction="none")
        * known
    ).mean()


def save(network: Network, path: Path) -> None:
    """Weights as float32 arrays; normalisation is part of them."""
    state = {name.replace(".", "_"): value.detach().numpy() for name, value in network.state_dict().items()}
    np.savez_compressed(path, mean=network.mean.numpy()[:, 0], scale=network.scale.numpy()[:, 0], **state)


def made(chosen: argparse.Namespace) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32]]:
    """New examples."""
    pool = [source for clip in chosen.clips for source in sources(clip)]
    seeds = range(chosen.seed, chosen.seed + chosen.examples)
    with ProcessPoolExecutor(chosen.processes, initializer=start, initargs=(pool,)) as workers:
        found = list(workers.map(example, seeds, chunksize=16))
    return np.stack([table for table, _ in found]), np.stack([label for _, label in found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", "--examples", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--width", type=int, default=32, help="channels of the network")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument("--rate", type=float, default=4e-3, help="largest rate of learning")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the examples here")
    parser.add_argument("--kept", type=Path, nargs="*", default=[], help="take these instead of making some")
    chosen = parser.parse_args()
    if chosen.kept:
        stored = [np.load(path) for path in chosen.kept]
        tables, labels = (np.concatenate([each[name] for each in stored]) for name in ("tables", "labels"))
    else:
        tables, labels = made(chosen)
        if chosen.keep:
            np.savez(chosen.keep, tables=tables, labels=labels)
    mixed = np.random.default_rng(0).permutation(len(tables))
    tables, labels = tables[mixed], labels[mixed]
    torch.set_num_threads(1)
    torch.manual_seed(1)
    network = loaded(chosen.start) if chosen.start else fresh(tables, chosen.width)
    save(train(network, tables, labels, epochs=chosen.epochs, rate=chosen.rate), chosen.output)


if __name__ == "__main__":
    main()
