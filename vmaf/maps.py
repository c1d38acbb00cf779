"""Where in a picture quality is lost: VIF, ADM and CAMBI of tiles, each measured for itself by the kernels of the scores.

A tile reflects at its own edges, so that tiles are not parts of the picture's score; they are in its unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cinemill_native import vif
from cinemill_native.frames import Plane
from vmaf.features.adm import Adm
from vmaf.features.cambi import Cambi, CambiOptions, window_of
from vmaf.features.feature import Planes

Values = npt.NDArray[np.float64]
SIDE, BANDED_SIDE = 96, 192
"""Sides of tiles, samples; those of banding hold five of its windows at 1080p. Tiles overlap by half."""


@dataclass(frozen=True, slots=True)
class QualityMap:
    """One measure over a picture.

    Attributes:
        name: vif, adm or cambi.
        values: (rows, columns), one per tile; 0 where nothing is lost.
        x, y: centres of the columns and rows, samples.
        top: value at the upper end of its scale, the same for all pictures.
        meaning: what the values are, in words.
    """

    name: str
    values: Values
    x: Values
    y: Values
    top: float
    meaning: str

    def worst(self) -> tuple[int, int]:
        """Place of the highest value, samples from the left and from above."""
        row, column = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return round(self.x[column]), round(self.y[row])


def quality_maps(ref: Planes, dist: Planes) -> tuple[QualityMap, ...]:
    """Maps of one pair of pictures, luma only.

    Raises:
        ShapeMismatch: they differ in size or bit depth.
        TooSmall: luma is smaller than 17x17.
    """
    known = (
        ("vif", SIDE, 1.0, "share of the visual information that is lost (1 - VIF)", _information),
        ("adm", SIDE, 0.5, "share of the detail that is lost (1 - ADM)", _detail),
        (
            "cambi",
            BANDED_SIDE,
            10.0,
            "banding of the encode (CAMBI: 0 none, about 5 annoying)",
            _banding(dist[0]),
        ),
    )
    return tuple(
        QualityMap(name, *_tiled(ref[0], dist[0], side, measure), top, meaning)
        for name, side, top, meaning, measure in known
    )


Measure = Callable[[Plane, Plane], float]


def _tiled(ref: Plane, dist: Plane, side: int, measure: Measure) -> tuple[Values, Values, Values]:
    """Values of the tiles, and the centres of columns and rows."""
    width, height = min(side, ref.width), min(side, ref.height)
    columns, rows = _starts(ref.width, width), _starts(ref.height, height)
    values = np.empty((len(rows), len(columns)))
    for row, y in enumerate(rows):
        for column, x in enumerate(columns):
            area = np.s_[y : y + height, x : x + width]
            pair = (Plane(plane.samples[area], plane.bit_depth) for plane in (ref, dist))
            values[row, column] = max(0.0, measure(*pair))
    return values, np.array(columns) + width / 2, np.array(rows) + height / 2


def _starts(length: int, side: int) -> list[int]:
    """Half a side apart, the last one at the end."""
    return [*range(0, length - side, max(side // 2, 1)), length - side]


def _information(ref: Plane, dist: Plane) -> float:
    terms = [scale[0][0] for scale in vif(ref, dist)]
    kept, whole = (sum(term[i] for term in terms) for i in range(2))
    return 1.0 - kept / whole if whole > 0 else 0.0


def _detail(ref: Plane, dist: Plane) -> float:
    return 1.0 - Adm().measure((ref,), (dist,))["integer_adm2"]


def _banding(whole: Plane) -> Measure:
    """CAMBI of a tile with the window that the whole picture has."""
    options = CambiOptions()
    window = window_of(options.window_size, (whole.width, whole.height))
    return lambda _ref, dist: Cambi(options).score(dist, (dist.width, dist.height), window)
