"""A chunk with the frames around it that its models ask for has the scores of the whole title, to the last digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vmaf import METRICS, NativeScorer, model_named, score_planes
from vmaf.models import MODELS

FRAMES = 14
HFR = "vmaf_v1.0.16_hfr_3d0h"


def pictures(seed: int) -> list[list[Any]]:
    """4:2:0 pictures of noise that moves at an uneven pace."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(FRAMES):
        luma = np.clip(np.cumsum(random.normal(0, 2, (176, 192)), axis=1) + 128 + number**2 % 7, 0, 255)
        chroma = random.integers(90, 160, (2, 88, 96))
        made.append([luma.astype(np.uint8), *chroma.astype(np.uint8)])
    return made


def test_the_context_is_what_motion_looks_at() -> None:
    assert NativeScorer().context(model_named("vmaf_v0.6.1")) == (1, 1)
    assert NativeScorer().context(model_named("vmaf_v1.0.16_3d0h")) == (1, 1)
    assert NativeScorer([model_named(HFR)]).context(model_named("vmaf_v0.6.1")) == (4, 2)


@pytest.mark.parametrize("model", ["vmaf_v0.6.1", "vmaf_v1.0.16_3d0h", HFR])
def test_chunks_are_the_whole(model: str) -> None:
    ref, dist = pictures(1), pictures(2)
    before, after = NativeScorer().context(model_named(model))
    whole = score_planes(ref, dist, model=model)
    for start, end in ((0, 1), (1, 5), (5, 6), (6, 13), (13, 14)):
        first, last = max(0, start - before), min(FRAMES, end + after)
        part = score_planes(ref[first:last], dist[first:last], model=model, first=first).part(start, end)
        for name, values in whole.columns.items():
            assert part.columns[name].tolist() == values[start:end].tolist(), (name, start)


def test_few_frames_have_scores() -> None:
    ref, dist = pictures(3), pictures(4)
    for count in range(1, 5):
        columns = score_planes(ref[:count], dist[:count], model=HFR).columns
        assert np.isfinite(columns["vmaf"]).all()
        motion = columns["integer_motion3_mffw_mmxv_18_mma"]
        assert len(motion) == count
        assert (motion[0] == 0) == (count <= 2)


def test_all_models_and_metrics_in_one_pass() -> None:
    ref, dist = pictures(5)[:2], pictures(6)[:2]
    usable = [name for name in MODELS if "2160" not in name and "5d0h" not in name]
    columns = score_planes(ref, dist, also=usable, metrics=tuple(METRICS), threads=2).columns
    assert set(usable) <= set(columns)
    for name in usable:
        alone = score_planes(ref, dist, model=name).columns["vmaf"]
        assert columns[name].tolist() == alone.tolist(), name
