"""Score pictures that are in memory already: planes of numpy arrays or of decoders, at their own size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from cinemill_native.frames import Frame, Plane
from vmaf.errors import FrameCountMismatch
from vmaf.features.feature import Planes
from vmaf.models import DEFAULT_MODEL, model_named
from vmaf.native import NativeScorer, scores_of
from vmaf.read import regression_of
from vmaf.scores import FrameScores
from vmaf.stream import Row, ScoreStream

Picture = Frame | Sequence[Plane] | Sequence[Any] | Any
"""A frame, or its planes (luma first), or one luma plane; planes are `Plane`s or 2-D arrays of uint8 or uint16."""


def score_planes(
    reference: Iterable[Picture],
    distorted: Iterable[Picture],
    *,
    model: str = DEFAULT_MODEL,
    also: Sequence[str] = (),
    bit_depth: int | None = None,
    threads: int = 1,
    first: int = 0,
    subsample: int = 1,
    metrics: Sequence[str] = ("psnr",),
    on_costs: Callable[[Mapping[str, float]], None] | None = None,
) -> FrameScores:
    """Scores of every picture, without scaling: both sides must have the size at which the model is to see them.

    Args:
        reference, distorted: the same number of pictures of the same size and bit depth.
        model: its name or JSON file; `also`: further ones, scored in the same pass, in columns of their names.
        bit_depth: of arrays of uint16; None for 10 (arrays of uint8 have 8, `Plane`s their own).
        threads: that score.
        first: number of the first picture.
        subsample: score every n-th number only.
        metrics: further columns, by the names of `METRICS`.
        on_costs: called in the end with the processor time of each feature, seconds.

    Raises:
        FrameCountMismatch: one side has more pictures.
        ShapeMismatch: a pair differs in size or bit depth.
        TooSmall: luma is smaller than 17x17.
        UnknownModel, UnknownMetric, BadModel: there is no such model or metric, or it cannot be used.
        MissingChroma: a model or metric needs chroma, and the pictures have luma only.
    """
    models = {"vmaf": regression_of(model_named(model))}
    models |= {name: regression_of(model_named(name)) for name in also}
    rows: list[Row] = []
    with ScoreStream(models, threads=threads, first=first, subsample=subsample, metrics=metrics) as stream:
        for ref, dist in _pairs(reference, distorted):
            planes = planes_of(ref, bit_depth), planes_of(dist, bit_depth)
            stream.push(lambda planes=planes: planes)  # type: ignore[misc]
            rows += stream.rows()
        rows += stream.finish()
        if on_costs is not None:
            on_costs(stream.costs)
    return scores_of(rows, model, NativeScorer().version())


def _pairs(reference: Iterable[Picture], distorted: Iterable[Picture]) -> Iterable[tuple[Picture, Picture]]:
    """Raises: FrameCountMismatch: one side has more pictures."""
    pairs = zip_longest(reference, distorted)
    for count, (ref, dist) in enumerate(pairs):
        if ref is None or dist is None:
            rest = count + 1 + sum(1 for _ in pairs)
            raise FrameCountMismatch(*((count, rest) if ref is None else (rest, count)))
        yield ref, dist


def planes_of(picture: Picture, bit_depth: int | None = None) -> Planes:
    """The planes of a picture. Raises: NotAPlane: when a kernel is given something else."""
    if isinstance(picture, Frame):
        return picture.planes
    if isinstance(picture, Plane):
        return (picture,)
    if isinstance(picture, np.ndarray):
        return (_plane(picture, bit_depth),)
    return tuple(plane if isinstance(plane, Plane) else _plane(plane, bit_depth) for plane in picture)


def _plane(samples: Any, bit_depth: int | None) -> Plane:
    return Plane(samples, 8 if samples.dtype == np.uint8 else bit_depth or 10)
