"""What a job gave comes to a folder at once, with a manifest; nothing else is overwritten, and the same order finds it done."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from archer import JobSpec, Node, run
from archer.errors import JobFailed
from archer.media import identify
from pipelines.encode.errors import OutputExists
from pipelines.encode.job import SubmittedEncode, submitted_encode
from pipelines.encode.publish import holds, is_there
from pipelines.publish.stage import PublishParams, bring


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


@pytest.mark.parametrize("url", ["{folder}/deep/title.mkv", "memory://{name}/title.mkv"])
def test_one_file_that_an_earlier_try_brought_is_no_strange_one(url: str, tmp_path: Path) -> None:
    """A worker may be killed between the file and its receipt."""
    place = url.format(folder=tmp_path, name=tmp_path.name)
    made, other = tmp_path / "made", tmp_path / "other"
    made.write_bytes(b"one file" * 300_000)
    other.write_bytes(made.read_bytes()[:-1] + b"!")
    for _ in range(2):
        bring(made, PublishParams(url=place))
    assert holds(place, made)
    assert is_there(place)
    for source in (other, tmp_path / "short"):
        source.write_bytes(source.read_bytes() if source.exists() else made.read_bytes()[:-1])
        assert not holds(place, source)
        with pytest.raises(OutputExists):
            bring(source, PublishParams(url=place))
    bring(other, PublishParams(url=place, force=True))
    assert holds(place, other)
    assert not is_there(f"{place}.not")


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
