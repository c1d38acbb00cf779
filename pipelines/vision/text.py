"""Boxes around text in a picture, by a model that says of each sample how likely it is of text (PP-OCR's DB)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.vision.box import Box, distinct
from pipelines.vision.regions import regions

Picture = npt.NDArray[np.uint8]

SIDE = 960
"""Samples of the longer side of the pictures that the model sees."""
LIKELY, SURE = 0.3, 0.85
"""Likelihood from which a sample is of text; mean likelihood from which a region is. In 63 real pictures with and
without text, this kept lines in 7 of 9 with text, and other things in 2."""
TALL = 1 / 3
"""Share of the picture's height above which a region is no line of text."""
SMALL = 3
"""Samples in height or width below which a region is dust."""
GROWTH = 1.6
"""By how much regions are smaller than the text: the model is trained on shrunken ones (Liao et al. 2020)."""


def text_boxes(picture: Picture, session: Any) -> list[Box]:
    """Boxes along the edges of the picture around lines of text, the surest first; slanted lines get the box around them.

    Args:
        picture: (height, width, 3) uint8 RGB, both multiples of 32.
        session: of `models.TEXT`.
    """
    samples = (picture[:, :, ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    (likely,) = session.run(None, {session.get_inputs()[0].name: samples})
    return boxes(likely[0, 0])


def boxes(likely: npt.NDArray[np.float32]) -> list[Box]:
    """Boxes around the regions of a map of likelihood, grown back to the size of the text."""
    height, width = likely.shape
    found = []
    for region in regions(likely > LIKELY):
        score = region.mean(likely)
        high, wide = region.bottom - region.top, region.right - region.left
        if score < SURE or min(high, wide) < SMALL or high > TALL * height:
            continue
        grow = high * wide * GROWTH / (2 * (high + wide))
        edges = (region.left - grow) / width, (region.top - grow) / height
        far = (region.right + grow) / width, (region.bottom + grow) / height
        found.append(Box.within(*edges, *far, score))
    return distinct(found, 1.0)
