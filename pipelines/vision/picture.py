"""Features of one picture from the sums that the kernels give: pure arithmetic, 8-bit units."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import log2, pi, sqrt
from typing import Any

import numpy as np

from pipelines.vision.levels import Levels

Values = dict[str, Any]
EDGE_UNIT = 16
"""Units of the kernel's `edge` in a sample."""
PLAIN_STEP = 0.2
"""Step, 8-bit units, that is added to both sides of blockiness."""
FIELD_NOISE = 0.5
"""Distance of rows, 8-bit units, that says nothing about fields."""


def luma_features(sums: Mapping[str, Any], width: int, height: int, levels: Levels) -> Values:
    """Features that need one picture's luma alone.

    Args:
        sums: of `cinemill_native.inspect_luma`.
        width, height: of luma, samples.
        levels: of the title.
    """
    count, inner, scale = width * height, (width - 2) * (height - 2), levels.scale
    mean = sums["sum"] / count
    heap = np.cumsum(sums["histogram"]).tolist()
    p1, p50, p99 = (float(bisect_left(heap, share * heap[-1])) for share in (0.01, 0.5, 0.99))
    edge = sums["edge"] / EDGE_UNIT / inner
    bars = dict(zip(("bar_top", "bar_bottom", "bar_left", "bar_right"), sums["bars"], strict=True))
    return {
        "luma_mean": mean / scale,
        "luma_std": deviation(sums["squares"] / count, mean) / scale,
        "luma_min": sums["least"] / scale,
        "luma_max": sums["most"] / scale,
        "luma_p1": p1,
        "luma_p50": p50,
        "luma_p99": p99,
        "contrast": (p99 - p1) / 255,
        "sharpness": (sums["laplacian_squares"] / inner - (sums["laplacian"] / inner) ** 2) / scale**2,
        "noise": sqrt(pi / 2) * sums["noise"] / (6 * inner) / scale,
        "si": deviation(sums["edge_squares"] / inner, edge) / scale,
        "blockiness": blockiness(sums["across"], width, sums["down"], height, scale),
        "below_range": heap[15] / heap[-1],
        "above_range": 1 - heap[235] / heap[-1],
        **bars,
        "comb": sum(sums["comb"]) / max(1, 4 * sums["comb_samples"]) / scale,
        "spots": sums["spots"],
        "spot_places": [y * width + x for x, y in sums["places"]],
    }


def change_features(sums: Mapping[str, Any], width: int, height: int, levels: Levels) -> Values:
    """Features that compare with the picture before; `sums` must be of a pair."""
    count, rows, scale = width * height, max(1, sums["comb_samples"]), levels.scale
    before, after = sums["comb_before"], sums["comb_after"]
    noise = FIELD_NOISE * scale * rows
    return {
        "ti": deviation(sums["change_squares"] / count, sums["drift"] / count) / scale,
        "change": sums["change"] / count / scale,
        "changed": sums["changed"] / count,
        # Rows of the later field of the picture before lie half a frame from the earlier field of this one: near in time.
        "field_order": log2((before[0] + after[1] + noise) / (before[1] + after[0] + noise)),
        "top_change": sums["field_change"][0] / rows / scale,
        "bottom_change": sums["field_change"][1] / rows / scale,
    }


def chroma_features(sums: Mapping[str, int], count: int, levels: Levels) -> Values:
    """Features of colour.

    Args:
        sums: of `cinemill_native.inspect_chroma`.
        count: samples of a chroma plane.
        levels: of the title.
    """
    a, b = sums["sum_a"] / count, sums["sum_b"] / count
    aa, bb = sums["squares_a"] / count - a * a, sums["squares_b"] / count - b * b
    ab = sums["products"] / count - a * b
    _, red, green_blue, green_red, blue = levels.matrix
    zero = levels.zeros[1]
    variance = offset = 0.0
    # R - G and (R + G) / 2 - B of Cb and Cr: luma cancels out.
    for u, v in ((green_blue, red + green_red), (-green_blue / 2 - blue, (red - green_red) / 2)):
        variance += u * u * aa + 2 * u * v * ab + v * v * bb
        offset += (u * (a - zero) + v * (b - zero)) ** 2
    return {
        "cb_mean": a / levels.scale,
        "cr_mean": b / levels.scale,
        "cb_std": sqrt(max(0.0, aa)) / levels.scale,
        "cr_std": sqrt(max(0.0, bb)) / levels.scale,
        "colourfulness": 255 * (sqrt(max(0.0, variance)) + 0.3 * sqrt(offset)),
        "out_of_gamut": sums["gamut"] / count,
    }


def deviation(square: float, mean: float) -> float:
    """Standard deviation from the mean of squares and the mean."""
    return sqrt(max(0.0, square - mean * mean))


def blockiness(across: Sequence[int], width: int, down: Sequence[int], height: int, scale: int) -> float:
    """Mean step at the borders of 8x8 blocks over the mean step elsewhere; plain pictures come near 1.

    Args:
        across: sums of steps within blocks, and at their borders.
        down: sums of steps by place in a block.
        width, height: samples.
        scale: samples of an 8-bit unit.
    """
    border = inside = 0.0
    for (within, between), side in ((across, width), ((sum(down[:7]), down[7]), height)):
        borders = len(range(7, side - 1, 8))
        border += between / borders if borders else 0.0
        inside += within / max(1, side - 1 - borders)
    return (border + PLAIN_STEP * scale) / (inside + PLAIN_STEP * scale)
