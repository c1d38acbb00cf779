"""A reference that is held gives the very scores of one that is read again for every coding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archer.media import FrameRange, frames, probe
from vmaf import FrameCountMismatch, NativeScorer, model_named
from vmaf.reference import HeldReference, held_bytes

PART, FIRST, STEP = FrameRange(0, 11), 3, 3


def test_held_and_read_again_are_the_same(short: Path, brief: Path) -> None:
    model, info, other = model_named("vmaf_v0.6.1"), probe(str(short)), probe(str(brief))
    held = HeldReference.of(frames(str(short), PART), info, model, first=FIRST, subsample=STEP, deep=False)
    assert held.places == {0, 3, 6, 9}
    codings = list(frames(str(brief), PART, info=other))
    scoring = held.scoring(other)
    for place in sorted(held.places):
        scoring.push(codings[place])
    found = scoring.scores()
    wanted = NativeScorer(metrics=()).score(
        frames(str(short), PART), codings, reference_info=info, distorted_info=other, model=model, first=FIRST, subsample=STEP,
    )  # fmt: skip
    assert found.frames.tolist() == wanted.frames.tolist() == [3, 6, 9, 12]
    assert list(found.columns) == list(wanted.columns)
    for name, values in wanted.columns.items():
        np.testing.assert_array_equal(found.columns[name], values, err_msg=name)
    taken = sum(plane.samples.nbytes for frame in held.held for plane in frame.planes)
    assert taken <= held_bytes(info, model, frames=len(PART), subsample=STEP)
    with pytest.raises(FrameCountMismatch):
        scoring.push(codings[0])
    with pytest.raises(FrameCountMismatch):
        held.scoring(other).scores()
