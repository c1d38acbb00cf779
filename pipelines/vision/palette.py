"""The few colours that a picture is made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.vision.levels import Levels

COLOURS, ROUNDS = 5, 8
CELLS = 9 * 16

Table = npt.NDArray[np.float64]


def palette(tiny: bytes, levels: Levels) -> list[str]:
    """Up to five colours of a tiny picture, most frequent first.

    k-means in R'G'B' from starts that are the same every time: quantiles of luma.

    Args:
        tiny: luma, Cb and Cr of 9x16 cells.
        levels: of the title.

    Returns:
        `#rrggbb`.
    """
    cells = rgb(tiny, levels)
    order = np.argsort(cells @ np.array([0.3, 0.6, 0.1]), kind="stable")
    centres = cells[order[(np.arange(COLOURS) * 2 + 1) * CELLS // (2 * COLOURS)]]
    for _ in range(ROUNDS):
        nearest = ((cells[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.stack(
            [
                cells[nearest == place].mean(axis=0) if (nearest == place).any() else centres[place]
                for place in range(COLOURS)
            ]
        )
    counts = np.bincount(nearest, minlength=COLOURS)
    listed = [_hex(centres[place]) for place in np.argsort(-counts, kind="stable") if counts[place]]
    return list(dict.fromkeys(listed))


def rgb(tiny: bytes, levels: Levels) -> Table:
    """R'G'B' (144, 3) of a tiny picture, 0 to 255."""
    planes = np.frombuffer(tiny, np.uint8).reshape(3, CELLS).astype(np.float64)
    y, red, green_blue, green_red, blue = np.array(levels.matrix) * levels.scale
    luma, (u, v) = y * (planes[0] - levels.black), planes[1:] - 128
    found = np.stack([luma + red * v, luma - green_blue * u - green_red * v, luma + blue * u], axis=1)
    return np.asarray(np.clip(found, 0, 1) * 255, np.float64)


def _hex(colour: Table) -> str:
    return "#" + "".join(f"{round(float(part)):02x}" for part in colour)
