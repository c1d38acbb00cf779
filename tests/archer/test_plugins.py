"""Somebody else's stage, splitter, executor and store plug in by entry point: listed without import, used by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from archer.sample import sample_title
from archer.store import ArtifactStore, History

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "histogram"
LISTED = """
import sys
from pipelines.cli.main import main
try:
    main(["plugins", "--json"])
finally:
    print([name for name in sys.modules if name.startswith(("cinemill_histogram", "ray", "av"))], file=sys.stderr)
"""
JOB = """
nodes:
  ingest: {stage: ingest, inputs: {asset: sample.mp4}}
  bright:
    stage: histogram
    inputs: {asset: sample.mp4, media: ingest.media}
    params: {frames_per_chunk: 8, splitter: growing}
"""


@pytest.fixture
def plugged(tmp_path: Path) -> dict[str, str]:
    """An environment in which the example is installed, as pip leaves it, from what its pyproject.toml says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    facts = tmp_path / "site" / "cinemill_histogram-0.1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (facts / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(facts.parent), str(EXAMPLE), *sys.path])}


def test_all_kinds_are_listed_with_who_installed_them_and_none_is_imported(plugged: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTED], env=plugged, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    theirs = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "cinemill-histogram 0.1.0"}
    assert theirs == {
        ("stage", "histogram"),
        ("splitter", "growing"),
        ("executor", "threads"),
        ("store", "zip"),
    }
    ours = {(row["kind"], row["name"]) for row in rows if row["distribution"].startswith("cinemill ")}
    assert {("stage", "encode"), ("splitter", "keyframes"), ("executor", "ray")} <= ours


def test_a_job_uses_all_of_them_by_name(plugged: dict[str, str], tmp_path: Path) -> None:
    sample_title(tmp_path)
    (tmp_path / "job.yaml").write_text(JOB)
    words = [
        "run",
        "job.yaml",
        "-w",
        "work",
        "--executor",
        "threads",
        "--artifacts",
        f"zip://{tmp_path}/kept.zip",
    ]
    argv = [sys.executable, "-m", "pipelines.cli.main", *words]
    done = subprocess.run(argv, env=plugged, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with History(tmp_path / "work") as history:
        job = history.job().id
        chunks = [row.weight for row in history.tasks(job) if (row.node, row.phase) == ("bright", "map")]
        table = history.task(job, "bright/collect/0").outputs["table"]
    assert chunks == [8, 16, 6], "growing, and cut at the end"
    with zipfile.ZipFile(tmp_path / "kept.zip") as archive:
        kept = archive.read(f"objects/{table.hash[7:9]}/{table.hash[9:]}.parquet")
        assert f"manifests/{job}.json" in archive.namelist()
    assert kept == ArtifactStore(tmp_path / "work").path(table).read_bytes()
