"""Which frame is seen, and how like the wanted one it is; samples in, numbers out."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float64]
VIEW = (640, 360)
"""Width and height at which pictures are compared: that of the video in the page."""
BLOCK = 4
"""Samples are averaged over blocks of 4 x 4 first, so that scalers and coding noise count little."""
BOUND_DB = 25.0
"""Least PSNR of a right picture, after the best gain and offset; a wrong shot gives 8 to 18 dB."""
TILE_DB = 20.0
"""The same of a small JPEG picture."""
SLACK_DB = 0.5
"""A neighbour may be nearer by this: where nothing moves, neighbours are alike."""


def grey_of_png(png: bytes) -> Grey:
    """The part of a screenshot where the video is, as blocks of luma, 0 to 255."""
    import av

    with av.open(io.BytesIO(png), "r", format="png_pipe") as container:
        rgb = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(np.float64)
    width, height = VIEW
    luma: Grey = rgb[:height, :width] @ np.array([0.299, 0.587, 0.114])
    return blocks(luma)


def grey_of_frame(picture: Any) -> Grey:
    """A decoded frame (an `av.VideoFrame`) as it would be seen in the page: scaled, as blocks of luma."""
    return blocks(picture.reformat(*VIEW, format="gray").to_ndarray().astype(np.float64))


def grey_of_tile(jpeg: bytes, x: int, y: int, width: int, height: int) -> Grey:
    """One picture of a sheet, as blocks of luma of the page's size."""
    import av

    with av.open(io.BytesIO(jpeg), "r", format="jpeg_pipe") as container:
        rgb = next(container.decode(video=0)).to_ndarray(format="rgb24")
    part: Any = np.ascontiguousarray(rgb[int(y) : int(y + height), int(x) : int(x + width)])
    return grey_of_frame(av.VideoFrame.from_ndarray(part, format="rgb24"))


def blocks(luma: Grey) -> Grey:
    """Means of blocks of a (360, 640) picture: (90, 160)."""
    height, width = luma.shape
    shape = (height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    means: Grey = luma[: shape[0] * BLOCK, : shape[2] * BLOCK].reshape(shape).mean(axis=(1, 3))
    return means


def likeness_db(seen: Grey, wanted: Grey) -> float:
    """PSNR of `seen` against the best gain x `wanted` + offset, dB, at most 100.

    Gain and offset take out the colour matrix and range that a browser assumes; the gain must be positive.
    """
    centred, target = seen - seen.mean(), wanted - wanted.mean()
    power = float((target**2).mean())
    gain = max(0.0, float((centred * target).mean()) / power) if power > 1e-9 else 0.0
    error = float(((centred - gain * target) ** 2).mean())
    return min(100.0, 10 * float(np.log10(255**2 / max(error, 1e-9))))


def nearest(seen: Grey, candidates: Mapping[int, Grey], wanted: int) -> tuple[int, float]:
    """Number of the frame that is seen, and how like it is to the wanted one, dB.

    The wanted frame counts as seen where no neighbour is nearer by more than `SLACK_DB`.
    """
    likes = {number: likeness_db(seen, picture) for number, picture in candidates.items()}
    best = max(likes, key=lambda number: likes[number])
    found = wanted if likes[best] - likes[wanted] <= SLACK_DB else best
    return found, likes[wanted]


def telling(pictures: Mapping[int, Grey], margin: int = 2) -> int:
    """The frame that differs most from its neighbours: where it is easiest to tell that it is the right one."""
    numbers = sorted(pictures)[margin:-margin] or sorted(pictures)

    def apart(number: int) -> float:
        around = [pictures[near] for near in (number - 1, number + 1) if near in pictures]
        return min((float(((pictures[number] - other) ** 2).mean()) for other in around), default=0.0)

    return max(numbers, key=apart)


def places(frames: int, count: int) -> Sequence[int]:
    """`count` frame numbers spread over a title."""
    return sorted({min(frames - 1, frames * (2 * place + 1) // (2 * count)) for place in range(count)})
