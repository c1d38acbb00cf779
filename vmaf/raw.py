"""Raw files of planar pictures, without header, as codecs' test tools write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cinemill_native.frames import Plane
from vmaf.errors import BadRaw

SUBSAMPLING = {"gray": None, "yuv420p": (1, 1), "yuv422p": (1, 0), "yuv444p": (0, 0)}


def raw_pictures(path: str | Path, width: int, height: int, pixels: str) -> Iterator[list[Plane]]:
    """The pictures of a raw file, mapped into memory.

    Args:
        path: of the file.
        width, height: of luma.
        pixels: ffmpeg's name of the layout: gray, yuv420p, yuv422p or yuv444p, and for more than 8 bits the depth, as
            in yuv420p10le.

    Raises:
        BadRaw: the layout is unknown, or the file does not hold whole pictures.
    """
    match = re.fullmatch(r"(gray|yuv4\d\dp)(?:(9|1[0-6])(?:le)?)?", pixels)
    if match is None or match[1] not in SUBSAMPLING:
        raise BadRaw(
            str(path), f"pixel format {pixels}: wanted one of {', '.join(SUBSAMPLING)}, with 10le for 10 bits"
        )
    depth = int(match[2] or 8)
    shapes = _shapes(width, height, SUBSAMPLING[match[1]])
    dtype = np.dtype(np.uint8 if depth == 8 else "<u2")
    samples = sum(rows * columns for rows, columns in shapes)
    size = Path(path).stat().st_size
    if samples == 0 or size == 0 or size % (samples * dtype.itemsize):
        text = f"{size} bytes are no whole number of {width}x{height} {pixels} pictures ({samples * dtype.itemsize} bytes each)"
        raise BadRaw(str(path), text)
    for start in range(0, size, samples * dtype.itemsize):
        yield _planes(np.memmap(path, dtype, "r", start, (samples,)), shapes, depth)


def _shapes(width: int, height: int, shift: tuple[int, int] | None) -> list[tuple[int, int]]:
    if shift is None:
        return [(height, width)]
    chroma = (-(-height >> shift[1]), -(-width >> shift[0]))
    return [(height, width), chroma, chroma]


def _planes(picture: npt.NDArray[Any], shapes: list[tuple[int, int]], depth: int) -> list[Plane]:
    planes, at = [], 0
    for rows, columns in shapes:
        planes.append(Plane(np.asarray(picture[at : at + rows * columns]).reshape(rows, columns), depth))
        at += rows * columns
    return planes
