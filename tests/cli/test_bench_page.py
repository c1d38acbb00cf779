"""The page of benchmarks: a section per result, and under its table what people wrote about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli import bench


def test_remarks_stand_under_their_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_folder", lambda: tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "kernel.md").write_text("Half of the time is spent in `sqrt`.\n")
    for name in ("kernel", "other"):
        bench.save_figures(name, command="make", headings=("what", "figure"), rows=[("cost", "3 ms")])
    page = (tmp_path / "README.md").read_text()
    first, second = page.split("## other")
    assert first.index("| cost | 3 ms |") < first.index("Half of the time")
    assert "Half of the time" not in second
