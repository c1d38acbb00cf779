"""Planes over memory that others own: PyAV planes, numpy arrays, anything with a buffer or DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np

from cinemill_native.errors import NotAPlane
from cinemill_native.frames import Plane, Samples

_MAX_SIDE = 65535  # kMaxSide of native/kernels/plane.h


def plane_view(obj: Any, *, width: int, height: int, stride: int | None = None, bit_depth: int = 8) -> Plane:
    """A plane over the memory of `obj`: no copy, read-only, keeps `obj` alive; some microseconds.

    Args:
        obj: a PyAV `VideoPlane`, or any object with the buffer protocol or DLPack on the processor's memory,
            whose bytes hold the samples row by row.
        width: samples per row, 1 to 65535.
        height: rows, 1 to 65535.
        stride: bytes from one row to the next; None: `obj.line_size` where there is one (PyAV),
            else rows without padding.
        bit_depth: 8 for uint8 samples, 9 to 16 for native-endian uint16.

    Raises:
        NotAPlane: no memory to view, or too little of it for this size; sides or bit depth out of range.
    """
    if not (1 <= width <= _MAX_SIDE and 1 <= height <= _MAX_SIDE and 8 <= bit_depth <= 16):
        raise NotAPlane(
            f"plane {width}x{height}, {bit_depth} bits: wanted sides of 1 to {_MAX_SIDE}, 8 to 16 bits"
        )
    size = 1 if bit_depth == 8 else 2
    step = stride if stride is not None else getattr(obj, "line_size", width * size)
    if step < width * size or step % size:
        raise NotAPlane(
            f"stride {step}: wanted a multiple of {size} that holds a row of {width * size} bytes"
        )
    return Plane(_samples(obj, shape=(height, width), size=size, stride=step), bit_depth)


def _samples(obj: Any, *, shape: tuple[int, int], size: int, stride: int) -> Samples:
    dtype = np.uint8 if size == 1 else np.uint16
    try:
        return np.ndarray(shape, dtype, buffer=_memory(obj), strides=(stride, size))
    except (AttributeError, TypeError, ValueError, BufferError) as error:
        wanted = f"{shape[1]}x{shape[0]} samples of {size} bytes, {stride} bytes a row"
        raise NotAPlane(f"{type(obj).__name__}: wanted memory of {wanted}: {error}") from error


def _memory(obj: Any) -> memoryview:
    """The bytes of `obj`, read-only: by its buffer, else by DLPack."""
    try:
        memory = memoryview(obj)
    except TypeError:
        memory = np.from_dlpack(obj).data
    return memory.toreadonly()
