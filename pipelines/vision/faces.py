"""Boxes around faces in a picture, by CenterFace (Xu et al. 2020): a map of face centres, and their sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.vision.box import Box, distinct

Picture = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

SIDE = 640
"""Samples of the longer side of the pictures that the model sees."""
SURE = 0.5
"""Likelihood from which a centre is one."""
COMMON = 0.3
"""Share of their area that boxes of two faces may have in common."""


def face_boxes(picture: Picture, session: Any) -> list[Box]:
    """Boxes around faces, the surest first.

    Args:
        picture: (height, width, 3) uint8 RGB, both multiples of 32.
        session: of `models.FACES`.
    """
    samples = picture.astype(np.float32).transpose(2, 0, 1)[None]
    centre, size, offset = session.run(["537", "538", "539"], {session.get_inputs()[0].name: samples})
    return boxes(centre[0, 0], size[0], offset[0])


def boxes(centre: Map, size: Map, offset: Map) -> list[Box]:
    """Boxes from the maps of the model.

    Args:
        centre: (rows, columns) likelihood of a face's centre.
        size: (2, rows, columns) logarithm of height and width, in cells.
        offset: (2, rows, columns) how far below and to the right of its cell the centre is, in cells.
    """
    rows, columns = centre.shape
    found = []
    for row, column in np.argwhere(centre > SURE).tolist():
        high, wide = (float(np.exp(part[row, column])) for part in size)
        y, x = row + float(offset[0, row, column]) + 0.5, column + float(offset[1, row, column]) + 0.5
        edges = (
            (x - wide / 2) / columns,
            (y - high / 2) / rows,
            (x + wide / 2) / columns,
            (y + high / 2) / rows,
        )
        found.append(Box.within(*edges, float(centre[row, column])))
    return distinct(found, COMMON)
