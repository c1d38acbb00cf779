from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cinemill_native.frames import Plane

def targets() -> tuple[str, ...]: ...
def default_target() -> str: ...
def sse(ref: Plane, dist: Plane, *, target: str | None = None) -> int: ...
def sad(a: Plane, b: Plane, *, target: str | None = None) -> int: ...
def luma_histogram(plane: Plane, bins: int = 256, *, target: str | None = None) -> npt.NDArray[np.uint32]: ...
def histogram_sad(
    current: Plane, previous: Plane, bins: int = 256, *, target: str | None = None
) -> tuple[npt.NDArray[np.uint32], int]: ...
def inspect_luma(
    current: Plane, previous: Plane | None = None, *, dark: int, spot: int, target: str | None = None
) -> dict[str, Any]: ...
def inspect_chroma(
    luma: Plane,
    cb: Plane,
    cr: Plane,
    *,
    zeros: Sequence[float],
    matrix: Sequence[float],
    target: str | None = None,
) -> dict[str, int]: ...
def motion_sad(previous: Plane, current: Plane, *, target: str | None = None) -> int: ...
def vif(
    ref: Plane, dist: Plane, gains: Sequence[float] = (100.0,), *, target: str | None = None
) -> list[tuple[tuple[tuple[float, float], ...], tuple[tuple[int, ...], int, int, int]]]: ...
def adm(
    ref: Plane,
    dist: Plane,
    gains: Sequence[float] = (100.0,),
    *,
    aim: bool = False,
    target: str | None = None,
) -> list[
    tuple[
        tuple[tuple[float, float, float], ...],
        tuple[tuple[tuple[int, int, int], ...], tuple[int, int, int], tuple[tuple[int, int, int], ...]],
    ]
]: ...
def thumbnail(
    plane: Plane, rows: int, columns: int, *, target: str | None = None
) -> npt.NDArray[np.uint8]: ...
def block_motion(
    current: npt.NDArray[np.uint8], previous: npt.NDArray[np.uint8], *, target: str | None = None
) -> npt.NDArray[np.uint32]: ...
def row_sad(
    a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], *, target: str | None = None
) -> npt.NDArray[np.uint32]: ...
