"""A harder look at one frame."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media import VideoStream, display_size
from cinemill_native import thumbnail
from cinemill_native.frames import Frame, Plane
from pipelines.vision.bars import Bars
from pipelines.vision.box import covered
from pipelines.vision.faces import SIDE as FACE_SIDE
from pipelines.vision.faces import face_boxes
from pipelines.vision.models import FACES, TEXT, session
from pipelines.vision.saliency import SIDE, interest
from pipelines.vision.text import SIDE as TEXT_SIDE
from pipelines.vision.text import text_boxes

LEAST = 16
"""Samples in height and width that banding and saliency need."""
STEP = 32
"""Sizes of pictures that models take are multiples of this."""
WINDOW, LARGEST = 65, 3840 + 2160
"""Side of CAMBI's window at 4K, samples; and the width and height together from which on it does not grow."""
PQ = 16
"""Transfer function of ITU-T H.273."""


def still_features(frame: Frame, video: VideoStream, bars: Bars, threads: int) -> dict[str, Any]:
    """Columns of `vision-stills@1` but `shot` and `frame`; what was not looked for is not in it.

    Args:
        frame: a decoded frame, with its owner.
        video: facts of the title.
        bars: of the frame.
        threads: for the models.
    """
    found: dict[str, Any] = {}
    if min(frame.luma.width, frame.luma.height) >= LEAST:
        found["banding"] = banding(frame.luma, pq=video.colour.transfer == PQ)
        found |= _interest(frame.luma, bars, video.rotation)
    if TEXT.path:
        lines = text_boxes(upright(frame, video, TEXT_SIDE, STEP), session(TEXT, threads))
        found |= {"text": [asdict(line) for line in lines], "text_area": covered(lines)}
    if FACES.path:
        faces = face_boxes(upright(frame, video, FACE_SIDE, STEP), session(FACES, threads))
        found |= {"faces": [asdict(face) for face in faces], "face_area": covered(faces)}
    return found


def banding(luma: Plane, *, pq: bool) -> float:
    """CAMBI of a plane of 8 bits and more, of at least 16x16; with `pq` steps are judged by the light of SMPTE ST 2084.

    Its window grows with the picture up to 4K, and stays as large beyond: the kernel counts in 65x65 samples at most.
    """
    from vmaf.features.cambi import Cambi, CambiOptions

    window = WINDOW * LARGEST // max(LARGEST, luma.width + luma.height)
    cambi = Cambi(CambiOptions(cambi_eotf="pq" if pq else "bt1886", window_size=window))
    (value,) = cambi.measure((luma,), (luma,)).values()
    return value


def upright(frame: Frame, video: VideoStream, side: int, step: int = 1) -> npt.NDArray[np.uint8]:
    """The frame as it is shown: upright, square samples, RGB.

    Args:
        frame: with its owner.
        video: facts of the title.
        side: samples of the longer side, about.
        step: height and width are multiples of it.
    """
    wide, high = display_size(video)
    scale = side / max(wide, high)
    width, height = (max(step, round(length * scale / step) * step) for length in (wide, high))
    turned = video.rotation in (90, 270)
    size = (height, width) if turned else (width, height)
    filtered = "AREA" if scale < 1 else "BILINEAR"
    small = frame.owner.reformat(*size, format="rgb24", interpolation=filtered)
    return np.ascontiguousarray(np.rot90(small.to_ndarray(), k=-(video.rotation // 90)))


def _interest(luma: Plane, bars: Bars, rotation: int) -> dict[str, float]:
    rows, columns = slice(bars.top, luma.height - bars.bottom), slice(bars.left, luma.width - bars.right)
    inner = Plane(luma.samples[rows, columns], luma.bit_depth)
    if min(inner.width, inner.height) < LEAST:
        inner, bars = luma, Bars()
    scale = SIDE / max(inner.width, inner.height)
    cells = [max(8, round(length * scale)) for length in (inner.height, inner.width)]
    turns = -(rotation // 90)
    found = interest(np.ascontiguousarray(np.rot90(thumbnail(inner, *cells), k=turns)))
    if found is None:
        return {}
    # Shares of the picture within its bars become those of the whole picture, as it is shown.
    shape, edges = (luma.height, luma.width), (bars.top, bars.left, inner.height, inner.width)
    left, top, width, height = turned(*edges, *shape, rotation)
    box = found.box
    return {
        "interest_x": left + found.x * width,
        "interest_y": top + found.y * height,
        "interest_left": left + box.left * width,
        "interest_top": top + box.top * height,
        "interest_width": box.width * width,
        "interest_height": box.height * height,
    }


def turned(
    top: int, left: int, high: int, wide: int, rows: int, columns: int, rotation: int
) -> tuple[float, float, float, float]:
    """Left, top, width and height of a box as shares of the picture, turned clockwise."""
    x, y, w, h = left / columns, top / rows, wide / columns, high / rows
    return {
        0: (x, y, w, h),
        90: (1 - y - h, x, h, w),
        180: (1 - x - w, 1 - y - h, w, h),
        270: (y, 1 - x - w, h, w),
    }[rotation]
