"""What a job gave comes to a folder at once, with a manifest; nothing else is overwritten, and the same order finds it done."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from archer import JobSpec, Node, run
from archer.errors import JobFailed
from archer.media import identify
from pipelines.encode.job import SubmittedEncode, submitted_encode


def publish(short: Path, work: Path, **params: object) -> str:
    asset = identify(str(short))
    look = Node(id="ingest", stage="ingest", inputs={"asset": asset})
    shots = Node(id="shots", stage="shots", inputs={"asset": asset, "media": "ingest.media"})
    out = Node(id="publish", stage="publish", inputs={"shots": "shots.shots"}, params=params)
    result = run(JobSpec(nodes=[look, shots, out]), work_dir=work, executor="inline")
    result.raise_for_state()
    return result.state


def test_a_folder_with_a_manifest(short: Path, tmp_path: Path) -> None:
    out, work = tmp_path / "deep" / "out", tmp_path / "work"
    assert publish(short, work, url=str(out)) == "done"
    manifest = json.loads((out / "manifest.json").read_text())
    content = (out / "shots.json").read_bytes()
    facts = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert manifest["files"] == {"shots.json": facts}
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"]
    assert publish(short, work, url=str(out), order="2") == "done"
    (out / "manifest.json").write_text("{}")
    with pytest.raises(JobFailed, match="choose another"):
        publish(short, work, url=str(out), order="3")
    assert publish(short, work, url=str(out), order="4", force=True) == "done"
    assert json.loads((out / "manifest.json").read_text()) == manifest


def test_an_order_with_an_output_ends_with_publishing_it(short: Path) -> None:
    assets = {"input": identify(str(short))}
    package = submitted_encode(assets, SubmittedEncode(output="s3://bucket/title", order="7"))
    assert package.nodes[-1].params.url == "s3://bucket/title"
    assert "packaging.package" in package.nodes[-1].inputs.values()
    single = submitted_encode(assets, SubmittedEncode(output="s3://bucket/title.mkv", crf="30"))
    assert single.nodes[-1].inputs == {"file": "mux.file"}
    unscored = submitted_encode(assets, SubmittedEncode(output="s3://bucket/title", score=False)).nodes
    assert set(unscored[-1].inputs) == {"package", "shots"}
    assert {"score", "report", "proxies"}.isdisjoint(node.id for node in unscored)
