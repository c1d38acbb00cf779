"""Every feature and score equals libvmaf f85a853's, to all digits of the features and 1e-9 of the scores."""

from __future__ import annotations

from typing import Any

import pytest

from cinemill_native import TooSmall
from vmaf import regression_of
from vmaf.models import MODELS
from vmaf.stream import ScoreStream

FLOAT = tuple(name for name in MODELS if "float" in name)
V0 = tuple(name for name in MODELS if "v0" in name and name not in FLOAT)
V1 = tuple(name for name in MODELS if "v1" in name)
SCORES = ("vmaf", "psnr_y", "psnr_cb", "psnr_cr")
"""Logarithms and exponentials: libraries differ in their last digits."""


_COLUMNS: dict[tuple[str, tuple[str, ...]], list[dict[str, float]]] = {}


def columns(golden: Any, names: tuple[str, ...], metrics: tuple[str, ...]) -> list[dict[str, float]]:
    """Our columns of every frame; computed once."""
    key = (golden.name, (*names, *metrics))
    if key not in _COLUMNS:
        _COLUMNS[key] = _columns(golden, names, metrics)
    return _COLUMNS[key]


def _columns(golden: Any, names: tuple[str, ...], metrics: tuple[str, ...]) -> list[dict[str, float]]:
    models = {model: regression_of(MODELS[model]) for model in names}
    with ScoreStream(models, metrics=metrics, threads=2) as stream:
        for ref, dist in zip(golden.planes("ref"), golden.planes("dis"), strict=True):
            stream.push(lambda ref=ref, dist=dist: (ref, dist))
        return [dict(row.values) for row in stream.finish()]


@pytest.fixture
def ours(golden: Any) -> list[dict[str, float]]:
    return columns(golden, V0, ("psnr", "adm", "vif", "motion"))


def comparable(golden: Any, name: str) -> bool:
    """Below 33 samples ADM is not defined: libvmaf's own numbers differ between its runs."""
    return not (golden.small and ("adm" in name or "aim" in name))


def test_every_feature_is_equal_to_the_last_digit(golden: Any, ours: list[dict[str, float]]) -> None:
    logs = [golden.metrics("models", name) for name in ("vmaf_v0.6.1", "vmaf_v0.6.1neg")]
    logs += [golden.metrics("features", name) for name in ("motion", "psnr")]
    assert len(ours) == len(logs[0])
    for frame, row in enumerate(ours):
        theirs = {name: value for log in logs for name, value in log[frame].items() if name in row}
        wanted = {
            name: value for name, value in theirs.items() if comparable(golden, name) and name not in SCORES
        }
        assert {name: row[name] for name in wanted} == wanted
        assert len(wanted) >= (9 if golden.small else 25)
        for name in SCORES[1:]:
            assert row[name] == pytest.approx(theirs[name], rel=1e-12)


@pytest.mark.parametrize("model", V0)
def test_every_score_is_equal(golden: Any, ours: list[dict[str, float]], model: str) -> None:
    if golden.small:
        pytest.skip("libvmaf's own scores differ between its runs below 33 samples")
    wanted = [row["vmaf"] for row in golden.metrics("models", model)]
    assert [row[model] for row in ours] == pytest.approx(wanted, rel=1e-9)


def working(golden: Any, kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of which libvmaf gives scores; it fails on some small pictures."""
    return tuple(name for name in names if "error" not in golden.data[kind][name])


def test_every_feature_and_score_of_v1_is_equal(golden: Any) -> None:
    models = working(golden, "models", V1)
    if not models:
        pytest.skip("libvmaf fails on pictures of this size")
    ours = columns(golden, models, ("cambi_full_reference", "speed_chroma"))
    logs = {name: golden.metrics("models", name) for name in models}
    extra = [
        golden.metrics("features", name)
        for name in working(golden, "features", ("cambi_full_ref", "speed_chroma"))
    ]
    for frame, row in enumerate(ours):
        theirs = {name: value for log in (*logs.values(), *extra) for name, value in log[frame].items()}
        wanted = {name: value for name, value in theirs.items() if name in row and name not in SCORES}
        assert {name: row[name] for name in wanted} == wanted
        assert len(wanted) > 25
        for model, log in logs.items():
            assert row[model] == pytest.approx(log[frame]["vmaf"], rel=1e-9)


def test_small_pictures_are_refused_in_words(golden: Any) -> None:
    if len(working(golden, "models", V1)) == len(V1):
        pytest.skip("all models have scores")
    failing = tuple(set(V1) - set(working(golden, "models", V1)))[:1]
    with pytest.raises(TooSmall, match="wanted sides of at least"):
        columns(golden, failing, ())


@pytest.mark.parametrize("metric", ["float_ssim", "float_ms_ssim"])
def test_structural_similarity_is_equal(golden: Any, metric: str) -> None:
    if not working(golden, "features", (metric,)):
        with pytest.raises(TooSmall, match="wanted sides of at least"):
            columns(golden, (), (metric.removeprefix("float_"),))
        return
    ours = columns(golden, (), (metric.removeprefix("float_"),))
    for row, wanted in zip(ours, golden.metrics("features", metric), strict=True):
        assert row == pytest.approx(wanted, rel=1e-6)


def test_features_and_models_in_single_precision_are_equal(golden: Any) -> None:
    """To 1e-6: libvmaf's ADM divides by what the processor takes for a reciprocal. VIF and motion are equal to the last digit."""
    ours = columns(golden, FLOAT, ("vif_float", "adm_float", "motion_float"))
    logs = [golden.metrics("features", f"float_{name}") for name in ("vif", "adm", "motion")]
    models = {name: golden.metrics("models", name) for name in FLOAT}
    for frame, row in enumerate(ours):
        theirs = {name: value for log in (*logs, *models.values()) for name, value in log[frame].items()}
        wanted = {name: theirs[name] for name in row if name not in FLOAT}
        assert row == pytest.approx(
            wanted | {name: log[frame]["vmaf"] for name, log in models.items()}, rel=1e-6
        )
        exact = [name for name in wanted if name.startswith(("vif", "motion"))]
        assert len(exact) == 11
        assert len(wanted) == 25
        assert {name: row[name] for name in exact} == {name: theirs[name] for name in exact}
