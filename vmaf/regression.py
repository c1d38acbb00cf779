"""Models that can be evaluated: from the features of a frame to its score.

Source of the arithmetic: libvmaf 3.2 (commit f85a853), `predict.c` and its libsvm: nu-SVR with a radial kernel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vmaf.features.registry import Wish

STEP = 0.01
"""Around the mean of a collection, for the slope of its transform. Source: `predict.c`."""


class Predictor(Protocol):
    """Gives scores of a frame from its features."""

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What must be measured."""

    def scores(self, column: str, features: Mapping[str, float]) -> dict[str, float]:
        """Scores by column; the first is called `column`, the others begin with it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a model.

    Attributes:
        column: the feature as libvmaf's logs name it, e.g. `integer_adm2_egl_1`.
        wish: what measures it.
        slope, intercept: of its normalisation.
    """

    column: str
    wish: Wish
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Regression:
    """One model.

    Attributes:
        inputs: the features, in the order of the support vectors' columns.
        vectors: (n, inputs) float64; `weights` (n,) float64.
        gamma, rho: of the kernel and the sum.
        slope, intercept: of the normalised score.
        clip: lowest and highest score.
        transform: coefficients p0, p1, p2 and whether the result may not be below its input; None for none.
        chroma_correction: of the v1 models: where chroma was measured as 0, it is taken to be this times 1 - `adm3`; 0 for not.
    """

    inputs: tuple[Input, ...]
    vectors: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    gamma: float
    rho: float
    slope: float
    intercept: float
    clip: tuple[float, float]
    transform: Mapping[str, Any] | None = None
    chroma_correction: float = 0.0

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What must be measured, without repeats."""
        return tuple(dict.fromkeys(entry.wish for entry in self.inputs))

    def scores(self, column: str, features: Mapping[str, float]) -> dict[str, float]:
        """See `Predictor.scores`."""
        return {column: self.score(features)}

    def score(self, features: Mapping[str, float]) -> float:
        """The score of one frame from its features by column name."""
        return self.finished(self.raw(features))

    def raw(self, features: Mapping[str, float]) -> float:
        """The score before its transform, which may lie outside the range."""
        point = [entry.slope * features[entry.column] + entry.intercept for entry in self.inputs]
        if self.chroma_correction:
            self._correct_chroma(point)
        distances = ((np.array(point) - self.vectors) ** 2).sum(axis=1)
        value = float((self.weights * np.exp(-self.gamma * distances)).sum()) - self.rho
        return (value - self.intercept) / self.slope

    def finished(self, value: float) -> float:
        """A raw score transformed, and limited to the model's range."""
        return min(max(self._transformed(value), self.clip[0]), self.clip[1])

    def _transformed(self, value: float) -> float:
        if self.transform is None:
            return value
        out = float(sum(self.transform.get(f"p{power}", 0.0) * value**power for power in range(3)))
        if self.transform.get("out_lte_in") == "true":
            out = min(out, value)
        return max(out, value) if self.transform.get("out_gte_in") == "true" else out

    def _correct_chroma(self, point: list[float]) -> None:
        """Chroma of 0 usually means that the planes were flat or too small to say anything."""
        places = {
            kind: [place for place, entry in enumerate(self.inputs) if kind in entry.column]
            for kind in ("adm3", "speed_chroma")
        }
        if any(len(found) != 1 for found in places.values()):
            return
        (luma,), (chroma,) = places.values()
        guide, guided = self.inputs[luma], self.inputs[chroma]
        if (point[chroma] - guided.intercept) / guided.slope == 0.0:
            measured = (point[luma] - guide.intercept) / guide.slope
            value = (-self.chroma_correction * measured) + self.chroma_correction
            point[chroma] = guided.slope * value + guided.intercept


@dataclass(frozen=True, slots=True)
class Collection:
    """A model and those made from resampled opinions (bootstrap), whose spread tells how sure its score is.

    Attributes:
        main: gives the score.
        resampled: the others.
    """

    main: Regression
    resampled: tuple[Regression, ...]

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """What must be measured, without repeats."""
        return tuple(dict.fromkeys(wish for model in (self.main, *self.resampled) for wish in model.wishes))

    def scores(self, column: str, features: Mapping[str, float]) -> dict[str, float]:
        """The score, that of each resampled model, and as libvmaf names them `_bagging`, `_stddev`, `_ci_p95_lo` and `_hi`."""
        raw = [model.raw(features) for model in self.resampled]
        each = {
            f"{column}_{i:04}": m.finished(v)
            for i, (m, v) in enumerate(zip(self.resampled, raw, strict=True), 1)
        }
        return {column: self.main.score(features)} | each | self._spread(column, raw)

    def _spread(self, column: str, raw: list[float]) -> dict[str, float]:
        """Mean, deviation and 95 % interval, worked out before the transform and carried through it."""
        finished, mean = self.resampled[0].finished, sum(raw) / len(raw)
        deviation = math.sqrt(sum((value - mean) ** 2 for value in raw) / len(raw))
        slope = (finished(mean + STEP) - finished(mean - STEP)) / (2 * STEP)
        return {
            f"{column}_bagging": finished(mean),
            f"{column}_stddev": deviation * slope,
            f"{column}_ci_p95_lo": finished(float(np.percentile(raw, 2.5))),
            f"{column}_ci_p95_hi": finished(float(np.percentile(raw, 97.5))),
        }
