"""Every feature and score equals libvmaf f85a853's, to all digits of the features and 1e-9 of the scores."""

from __future__ import annotations

from typing import Any

import pytest

from vmaf.features import FeatureSet, motion, motion2, spatial
from vmaf.models import MODELS
from vmaf.regression import regression_of

REGRESSIONS = {name: regression_of(model) for name, model in MODELS.items()}


def rows_of(golden: Any, count: int) -> list[dict[str, float]]:
    """Features of every frame, of the default and of NEG."""
    rows: list[dict[str, float]] = []
    previous = None
    for ref, dist in zip(golden.planes("ref"), golden.planes("dis"), strict=False):
        if len(rows) == count:
            break
        row = spatial(ref, dist, FeatureSet(gains=(100.0, 1.0), aim=True))
        row["integer_motion"] = motion(previous, ref[0])
        rows.append(row)
        previous = ref[0]
    changes = [row["integer_motion"] for row in rows]
    for index, row in enumerate(rows):
        row["integer_motion2"] = motion2(changes[index], [*changes, None][index + 1], first=index == 0)
    return rows


def comparable(golden: Any, name: str) -> bool:
    """Below 33 samples ADM is not defined: libvmaf's own numbers differ between its runs."""
    return not (golden.small and ("adm" in name or "aim" in name))


def test_every_feature_is_equal_to_the_last_digit(golden: Any) -> None:
    logs = [golden.metrics("models", name) for name in ("vmaf_v0.6.1", "vmaf_v0.6.1neg")]
    logs += [golden.metrics("features", name) for name in ("motion", "psnr")]
    for frame, ours in enumerate(rows_of(golden, len(logs[0]))):
        theirs = {name: value for log in logs for name, value in log[frame].items() if name in ours}
        wanted = {
            name: value for name, value in theirs.items() if comparable(golden, name) and "psnr" not in name
        }
        assert {name: ours[name] for name in wanted} == wanted
        assert len(wanted) >= (8 if golden.small else 24)
        for name in ("psnr_y", "psnr_cb", "psnr_cr"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_every_score_is_equal(golden: Any, model: str) -> None:
    if golden.small:
        pytest.skip("libvmaf's own scores differ between its runs below 33 samples")
    wanted = [row["vmaf"] for row in golden.metrics("models", model)]
    got = [REGRESSIONS[model].score(row) for row in rows_of(golden, len(wanted))]
    assert got == pytest.approx(wanted, rel=1e-9)
