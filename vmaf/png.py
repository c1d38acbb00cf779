"""Scores over time as a PNG picture: a small rasterizer and digits of its own, no library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from vmaf.plot import axis, band
from vmaf.scores import FrameScores

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 1200, 360, 44, 22, 8
INK, GRID, CURVE, MEAN = (85, 85, 85), (221, 221, 221), (21, 101, 192), (216, 120, 20)
BANDS = (((10, 90), (222, 233, 246)), ((25, 75), (196, 216, 240)))
"""Percentiles of the frames around -> colour of the band between them."""
ROWS, COLUMNS = 5, 3
FONT = dict(
    zip(
        "0123456789.-",
        (
            (7, 5, 5, 5, 7),
            (2, 6, 2, 2, 7),
            (7, 1, 7, 4, 7),
            (7, 1, 7, 1, 7),
            (5, 5, 7, 1, 1),
            (7, 4, 7, 1, 7),
            (7, 4, 7, 5, 7),
            (7, 1, 2, 2, 2),
            (7, 5, 7, 5, 7),
            (7, 5, 7, 1, 7),
            (0, 0, 0, 0, 2),
            (0, 0, 7, 0, 0),
        ),
        strict=True,
    )
)
"""Character -> 5 rows of 3 bits."""
Picture = npt.NDArray[np.uint8]


def png_plot(scores: FrameScores, metric: str = "vmaf") -> bytes:
    """A PNG of 1200x360 with the curve of one metric over bands that hold the middle 80 and 50 % of the frames around.

    The mean is orange; levels, and the numbers of the first and the last frame, stand at the edges.
    """
    values = scores.columns[metric]
    low, high = axis(values)
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for percents, colour in BANDS if len(values) > 1 else ():
        _band(picture, values, percents, colour, low, high)
    for level in np.linspace(low, high, 6):
        y = _y(float(level), low, high)
        picture[y, LEFT:] = GRID
        write_digits(picture, f"{level:.0f}", 2, y - ROWS)
    if len(values):
        picture[_y(scores.pooled(metric).mean, low, high), LEFT::2] = MEAN
        _curve(picture, values, low, high)
        write_digits(picture, f"{scores.frames[0]}", LEFT, HEIGHT - 12)
        last = f"{scores.frames[-1]}"
        write_digits(picture, last, WIDTH - 8 * len(last), HEIGHT - 12)
    return encoded(picture)


def encoded(picture: Picture) -> bytes:
    """A PNG file of (height, width, 3) RGB. Source: ISO/IEC 15948."""
    height, width, _ = picture.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), picture.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _y(value: float, low: float, high: float) -> int:
    return TOP + round((HEIGHT - BOTTOM - TOP) * (1 - (value - low) / (high - low)))


def _band(
    picture: Picture,
    values: npt.NDArray[np.float64],
    percents: tuple[int, int],
    colour: tuple[int, int, int],
    low: float,
    high: float,
) -> None:
    places, lower, upper = band(values, percents)
    across = np.linspace(0, len(values) - 1, WIDTH - LEFT)
    ends = [np.clip(np.interp(across, places, part), low, high) for part in (upper, lower)]
    for x, (top, bottom) in enumerate(zip(*(part.tolist() for part in ends), strict=True), start=LEFT):
        picture[_y(top, low, high) : _y(bottom, low, high) + 1, x] = colour


def _curve(picture: Picture, values: npt.NDArray[np.float64], low: float, high: float) -> None:
    """Column by column from the lowest to the highest score there, joined with the column before."""
    edges = np.linspace(0, len(values), WIDTH - LEFT + 1)
    before = None
    for x in range(WIDTH - LEFT):
        part = values[int(edges[x]) : max(int(np.ceil(edges[x + 1])), int(edges[x]) + 1)]
        ends = [_y(float(np.clip(end, low, high)), low, high) for end in (part.max(), part.min())]
        top, bottom = (ends[0], ends[1]) if before is None else (min(ends[0], before), max(ends[1], before))
        picture[top : bottom + 2, LEFT + x] = CURVE
        before = ends[1]


def write_digits(picture: Picture, text: str, x: int, y: int) -> None:
    """Text of digits, dots and minus signs with its upper left corner at (x, y), twice as large as the font."""
    for place, character in enumerate(text):
        rows = FONT.get(character, (0,) * ROWS)
        bits = np.array([[row >> (COLUMNS - 1 - i) & 1 for i in range(COLUMNS)] for row in rows], bool)
        large = bits.repeat(2, 0).repeat(2, 1)
        area = picture[y : y + 2 * ROWS, x + 8 * place : x + 8 * place + 2 * COLUMNS]
        area[large[: area.shape[0], : area.shape[1]]] = INK
