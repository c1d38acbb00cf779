"""plane_view sees the decoder's own memory, and refuses memory that does not hold the plane."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cinemill_native import NotAPlane, Plane, plane_view, sse


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def test_is_the_memory_of_the_pyav_plane(bbb: Path) -> None:
    frame = first_frame(bbb)
    for plane in frame.planes:
        view = plane_view(plane, width=plane.width, height=plane.height)
        assert view.samples.ctypes.data == plane.buffer_ptr
        assert view.samples.strides == (plane.line_size, 1)
    luma = plane_view(frame.planes[0], width=1280, height=720)
    assert np.array_equal(luma.samples, frame.to_ndarray()[:720])


def test_is_the_memory_of_a_10_bit_pyav_plane() -> None:
    frame = av.VideoFrame(50, 34, "yuv420p10le")  # a width that PyAV pads
    plane = frame.planes[0]
    plane.update(np.arange(plane.buffer_size // 2, dtype=np.uint16).tobytes())
    view = plane_view(plane, width=50, height=34, bit_depth=10)
    assert view.samples.ctypes.data == plane.buffer_ptr
    assert view.samples.dtype == np.uint16
    assert view.samples[1, 0] == plane.line_size // 2


def test_keeps_the_picture_alive(bbb: Path) -> None:
    view = plane_view(first_frame(bbb).planes[0], width=1280, height=720)
    before = view.samples.copy()
    gc.collect()
    for _ in range(8):  # would take over freed memory
        first_frame(bbb)
    assert np.array_equal(view.samples, before)


def test_costs_no_copy(bbb: Path) -> None:
    plane = first_frame(bbb).planes[0]
    best = min(_seconds(plane) for _ in range(200))
    assert best < 100e-6  # a copy of the plane takes longer, a view a few microseconds


def _seconds(plane: Any) -> float:
    start = time.perf_counter()
    plane_view(plane, width=1280, height=720)
    return time.perf_counter() - start


def test_is_read_only(bbb: Path) -> None:
    view = plane_view(first_frame(bbb).planes[0], width=1280, height=720)
    with pytest.raises(ValueError, match="read-only"):
        view.samples[0, 0] = 1


class OnlyDLPack:
    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


@pytest.mark.parametrize(
    "wrap", [bytes, bytearray, OnlyDLPack, memoryview, np.asarray], ids=lambda wrap: wrap.__name__
)
def test_takes_buffers_and_dlpack(wrap: Any) -> None:
    array = np.arange(48, dtype=np.uint8).reshape(6, 8)
    view = plane_view(wrap(array), width=5, height=6, stride=8)
    assert np.array_equal(view.samples, array[:, :5])
    if wrap is OnlyDLPack:
        assert view.samples.ctypes.data == array.ctypes.data


@pytest.mark.parametrize(
    ("obj", "options", "message"),
    [
        (b"123", {"width": 4, "height": 1}, "wanted memory of 4x1 samples"),
        (b"1234", {"width": 4, "height": 1, "bit_depth": 10}, "wanted memory of 4x1 samples of 2 bytes"),
        (3, {"width": 4, "height": 1}, "int: wanted memory"),
        (b"1234", {"width": 0, "height": 1}, "wanted sides of 1 to 65535"),
        (b"1234", {"width": 65536, "height": 1}, "wanted sides of 1 to 65535"),
        (b"1234", {"width": 1, "height": 1, "bit_depth": 7}, "8 to 16 bits"),
        (b"1234", {"width": 2, "height": 2, "stride": 1}, "stride 1: wanted a multiple of 1"),
        (
            b"12345678",
            {"width": 1, "height": 2, "stride": 3, "bit_depth": 10},
            "stride 3: wanted a multiple of 2",
        ),
        (b"1234", {"width": 2, "height": 1, "stride": -2}, "stride -2"),
    ],
)
def test_refuses_what_does_not_hold_the_plane(obj: Any, options: dict[str, int], message: str) -> None:
    with pytest.raises(NotAPlane, match=message):
        plane_view(obj, **options)


SQUARE = np.zeros((8, 8), np.uint8)


@pytest.mark.parametrize(
    ("plane", "message"),
    [
        (SQUARE, "wanted a Plane, got ndarray"),
        (None, "wanted a Plane, got NoneType"),
        (Plane(SQUARE, 10), "uint16 for 9 to 16, got bit depth 10 in 8 bits"),
        (Plane(SQUARE.astype(np.uint16), 8), "got bit depth 8 in 16 bits"),
        (Plane(SQUARE.astype(np.uint16), 17), "got bit depth 17"),
        (Plane(SQUARE.astype(">u2"), 10), "native byte order"),
        (Plane(SQUARE.astype(np.int16), 10), "native byte order, got 2-D of format 'h'"),  # type: ignore[arg-type]
        (Plane(SQUARE[0], 8), "got 1-D"),
        (Plane(SQUARE[:, ::2], 8), "contiguous"),
        (Plane(SQUARE[:, ::-1], 8), "contiguous"),
        (Plane(SQUARE.T[::2], 8), "contiguous"),
        (Plane(SQUARE[:0], 8), "got 8x0"),
        (Plane(np.ndarray((2, 2), np.uint16, bytes(16), 1, (4, 2)), 10), "aligned"),
        (Plane(np.ndarray((2, 2), np.uint16, bytes(16), 0, (5, 2)), 10), "aligned"),
    ],
)
def test_kernels_refuse_what_is_no_plane(plane: Any, message: str) -> None:
    with pytest.raises(NotAPlane, match=message):
        sse(plane, plane)


def test_a_bad_plane_does_not_leak_its_buffer() -> None:
    memory = bytearray(64)
    array = np.frombuffer(memory, np.uint8).reshape(8, 8)
    with pytest.raises(NotAPlane):
        sse(Plane(array, 10), Plane(array, 10))
    del array
    gc.collect()
    memory.append(0)  # BufferError while somebody holds the memory
