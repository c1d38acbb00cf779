"""Through the engine, many small tasks give the bytes that one gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archer import run
from archer.media import identify
from archer.store import ArtifactStore
from pipelines.qc.job import analyze_job
from pipelines.vision.stage import Vision, VisionParams


@pytest.mark.slow
def test_tables_are_the_same_for_any_chunks(bbb: Path, tmp_path: Path) -> None:
    found = []
    for place, params in enumerate([VisionParams(), *Vision().same(VisionParams())]):
        work, spec = tmp_path / str(place), analyze_job(identify(str(bbb)))
        nodes = [replace(node, params=params) if node.id == "vision" else node for node in spec.nodes]
        result = run(replace(spec, nodes=nodes), work_dir=work, workers=1, executor="inline")
        result.raise_for_state()
        store = ArtifactStore(work)
        names = ("vision.frames", "vision.shots", "qc.report")
        found.append([store.path(result.outputs[name]).read_bytes() for name in names])
    assert found[0] == found[1] == found[2]
