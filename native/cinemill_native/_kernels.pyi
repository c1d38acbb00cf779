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
def float_adm(
    ref: Plane,
    dist: Plane,
    gain: float = 100.0,
    *,
    aim: bool = False,
    view_distance: float = 3.0,
    display_height: int = 1080,
    noise_weight: float = 0.03125,
    target: str | None = None,
) -> list[tuple[float, float, float]]: ...
def float_motion(previous: Plane, current: Plane, *, target: str | None = None) -> float: ...
def float_vif(
    ref: Plane, dist: Plane, gains: Sequence[float] = (100.0,), *, target: str | None = None
) -> list[tuple[tuple[float, ...], float]]: ...
def adm(
    ref: Plane,
    dist: Plane,
    gains: Sequence[float] = (100.0,),
    *,
    aim: bool = False,
    csf_mode: int = 0,
    view_distance: float = 3.0,
    display_height: int = 1080,
    noise_weight: float = 0.03125,
    target: str | None = None,
) -> list[
    tuple[
        tuple[tuple[float, float, float], ...],
        tuple[tuple[tuple[int, int, int], ...], tuple[int, int, int], tuple[tuple[int, int, int], ...]],
    ]
]: ...
def cambi(
    plane: Plane,
    *,
    width: int,
    height: int,
    smooth: bool,
    halve: bool,
    window: int,
    highest: Sequence[int],
    dark: int,
    top: float = 0.6,
    target: str | None = None,
) -> tuple[float, float, float, float, float]: ...
def speed(
    ref: Plane,
    dist: Plane,
    *,
    width: int,
    height: int,
    noise: float = 0.29,
    noise_floor: float = 0.0,
    weighting: int = 0,
    target: str | None = None,
) -> tuple[float, bool]: ...
def ssim(
    ref: Plane, dist: Plane, scales: int = 1, *, target: str | None = None
) -> list[tuple[float, float, float, float]]: ...
def thumbnail(
    plane: Plane, rows: int, columns: int, *, target: str | None = None
) -> npt.NDArray[np.uint8]: ...
def block_motion(
    current: npt.NDArray[np.uint8], previous: npt.NDArray[np.uint8], *, target: str | None = None
) -> npt.NDArray[np.uint32]: ...
def row_sad(
    a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], *, target: str | None = None
) -> npt.NDArray[np.uint32]: ...
