"""What the network sees: how unlike pairs of frames are, at several distances, in several ways.

Nothing here depends on what is shown, only on how it changes: a cut is a step in all of them, a dissolve a slope whose
middle is the mean of its ends, a flash two steps that the pairs across it do not see, a pan a change that blocks of the
picture explain by motion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archer.split.shots.thumbnails import Thumbnails
from cinemill_native import block_motion, row_sad

LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Distances of the compared frames, in steps."""
MOVED = (1, 2, 4)
"""Distances at which motion is searched."""
SPANS = (2, 4, 8, 12, 16, 24)
"""Half lengths at which a frame is compared with the mean of the frames around it."""
MARGIN = 25
"""Steps on each side of a frame that its features reach; at the ends of a title its first and last frames repeat."""
BINS = 32
NAMES = (
    *(
        f"{what}_{lag}"
        for lag in LAGS
        for what in ("luma", "chroma", "shape", "histogram", *(("moved",) if lag in MOVED else ()))
    ),
    *(f"mean_{span}" for span in SPANS),
    "level",
    "deviation",
)
COUNT = len(NAMES)

Table = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


def features(track: Thumbnails, start: int, end: int) -> Table:
    """Features of frames [start, end) of a track; outside of it its first and last frames repeat.

    Frame t stands for the transition from t - 1 to t: at lag k it is the pair whose middle that is.

    Returns:
        (end - start, COUNT) float32: logarithms of mean absolute differences (8-bit units, plus 1) of luma, chroma and
        luma histograms (earth mover's distance); 1 - correlation of luma, 0 to 2; motion-compensated differences;
        residuals of the mean of two ends, as a share of their difference; mean luma / 64, its deviation / 32.
    """
    padded = track.padded(start - MARGIN, end + MARGIN)
    places = np.arange(MARGIN, MARGIN + end - start)
    (shape, level, deviation), cumulated = _normal(padded.luma), _cumulated(padded.luma)
    columns: list[npt.NDArray[np.float32]] = []
    for lag in LAGS:
        before, after = places - 1 - (lag - 1) // 2, places + lag // 2
        first, last = slice(before[0], before[-1] + 1), slice(after[0], after[-1] + 1)
        columns += [
            _log(_distance(padded.luma[first], padded.luma[last])),
            _log(_distance(padded.chroma[first], padded.chroma[last])),
            1 - np.einsum("nc,nc->n", shape[first], shape[last]),
            _log(np.abs(cumulated[first] - cumulated[last]).sum(axis=1) * np.float32(256 / BINS)),
        ]
        if lag in MOVED:
            sums = block_motion(padded.luma[last], padded.luma[first])
            columns.append(_log(sums.astype(np.float32) / padded.luma[0].size))
    columns += [_unlike_mean(padded.luma, places, span) for span in SPANS]
    own = slice(MARGIN, MARGIN + end - start)
    columns += [np.float32(1 / 64) * level[own], np.float32(1 / 32) * deviation[own]]
    return np.stack(columns, axis=1).astype(np.float32)


def _log(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(np.log1p(values), np.float32)


def _distance(one: Bytes, other: Bytes) -> npt.NDArray[np.float32]:
    """Mean absolute difference of each pair."""
    count = len(one)
    sums = row_sad(one.reshape(count, -1), other.reshape(count, -1)).astype(np.float32)
    return np.asarray(sums / np.float32(one.size // count), np.float32)


def _normal(luma: Bytes) -> tuple[Table, Table, Table]:
    """Luma of mean 0 and length 1, whose products are correlations (deviations below 2 count as noise); mean; deviation."""
    flat = luma.reshape(len(luma), -1).astype(np.float32)
    level = flat.mean(axis=1)
    flat -= level[:, None]
    energy = np.einsum("nc,nc->n", flat, flat)
    flat /= np.sqrt(energy + 4 * flat.shape[1])[:, None]
    return flat, level, np.asarray(np.sqrt(energy / flat.shape[1]), np.float32)


def _cumulated(luma: Bytes) -> Table:
    """Cumulated histogram of each thumbnail, as shares of 1."""
    count, cells = len(luma), luma[0].size
    keys = (luma.reshape(count, -1) >> 3).astype(np.int32) + np.arange(count, dtype=np.int32)[:, None] * BINS
    counts = np.bincount(keys.ravel(), minlength=count * BINS).reshape(count, BINS)
    return np.asarray(np.cumsum(counts, axis=1) / cells, np.float32)


def _unlike_mean(luma: Bytes, places: npt.NDArray[np.int64], span: int) -> npt.NDArray[np.float32]:
    """How far a frame is from the mean of the frames `span` around it, relative to how far those are apart."""
    flat = luma.reshape(len(luma), -1)
    before, at, after = (flat[places[0] + move : places[-1] + 1 + move] for move in (-span, 0, span))
    mean = (before >> 1) + (after >> 1) + (before & after & 1)
    return np.asarray(_distance(mean, at) / (_distance(before, after) + 1), np.float32)
