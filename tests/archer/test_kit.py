"""The conformance kit passes a good stage and finds what is wrong with a bad one; the example plug-in is a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer import JobSpec, Node, run
from archer.kit import Finding, check_stage
from archer.media import identify
from archer.sample import sample_title
from archer.store import ArtifactStore, History

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "histogram"

BAD = """
import random, time
from dataclasses import dataclass
from archer import Item, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class P:
    chunks: int = 2


class Bad(Stage[P]):
    name, version, params = "bad", 1, P
    inputs = {"asset": "asset"}
    parts = {"value": "value"}
    outputs = {"parts": "parts@1"}

    def same(self, params):
        return [P(chunks=3)]

    def split(self, inputs, params):
        return [Item(variant=str(i)) for i in range(params.chunks)]

    def map(self, ctx, item, params):
        if ctx.inputs.asset().size < 100:
            return {}["nothing"]
        time.sleep(0.3)
        ctx.out_json("value", random.random())
"""


def by_check(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


@pytest.mark.slow
def test_the_example_plug_in_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    findings = list(check_stage("cinemill_histogram.stage:Histogram", work_dir=tmp_path))
    assert [finding for finding in findings if finding.verdict != "passed"] == []
    assert len(findings) >= 15


@pytest.mark.slow
def test_a_bad_stage_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "badstage.py").write_text(BAD)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = by_check(list(check_stage("badstage:Bad", work_dir=tmp_path / "check")))
    wrong = ["declaration", "determinism", "chunk invariance", "awkward: text", "kill -9 and rerun"]
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, "failed")
    right = ["settings round trip", "runs", "memo", "awkward: odd size"]
    assert {name: found[name] for name in right} == dict.fromkeys(right, "passed")


def test_the_example_counts_every_pixel_of_every_frame_and_shows_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    monkeypatch.syspath_prepend(str(EXAMPLE))
    asset = identify(sample_title(tmp_path / "titles").url)
    nodes = [
        Node(id="ingest", stage="ingest", inputs={"asset": asset}),
        Node(
            id="bright",
            stage="cinemill_histogram.stage:Histogram",
            params={"bins": 16, "frames_per_chunk": 30},
            inputs={"asset": asset, "media": "ingest.media"},
        ),
    ]
    result = run(JobSpec(nodes=nodes), work_dir=tmp_path / "w", workers=2)
    result.raise_for_state()
    store = ArtifactStore(tmp_path / "w")
    table = pq.read_table(store.path(result.outputs["bright.table"]))
    frames = table["frame"].to_pylist()
    assert frames == list(range(len(frames)))
    assert {sum(counts) for counts in table["counts"].to_pylist()} == {320 * 180}
    with History(tmp_path / "w") as history:
        (card,) = history.cards(result.job)
    assert (card.task, card.name) == ("bright/collect/0", "brightness")
    assert store.path(card.artifact).read_text().startswith("<svg")
