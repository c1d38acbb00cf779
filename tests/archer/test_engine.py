"""The engine as a user meets it: jobs run, go on, retry, fail clearly, and never do finished work twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from archer import Event, JobSpec, Node, run
from archer.errors import JobFailed, SpecError, StoreBusy
from archer.store import ArtifactStore, JobStore

EXECUTORS = ["inline", "local"]


def sum_job(toys: str, **params: object) -> JobSpec:
    return JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params=params)])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_split_map_collect(toys: str, tmp_path: Path, executor: str) -> None:
    result = run(sum_job(toys, n=6), work_dir=tmp_path / "w", executor=executor, workers=2)
    assert result.state == "done"
    assert ArtifactStore(tmp_path / "w").read_json(result.outputs["sum.total"]) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_collect_may_ask_for_more(toys: str, tmp_path: Path, executor: str) -> None:
    result = run(sum_job(toys, n=3, rounds=2), work_dir=tmp_path / "w", executor=executor, workers=2)
    assert ArtifactStore(tmp_path / "w").read_json(result.outputs["sum.total"]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("stage", ["Bag", "Empty"])
def test_parts_are_handed_on(toys: str, tmp_path: Path, executor: str, stage: str) -> None:
    nodes = [
        Node(id="sum", stage=f"{toys}:Sum", params={"n": 3}),
        Node(id="bag", stage=f"{toys}:{stage}", inputs={"total": "sum.total"}),
    ]
    result = run(JobSpec(nodes=nodes), work_dir=tmp_path / "w", executor=executor, workers=2)
    store = ArtifactStore(tmp_path / "w")
    values = [store.read_json(part.outputs["copy"]) for part in store.read_parts(result.outputs["bag.parts"])]
    assert values == ([0, 2, 4] if stage == "Bag" else [])


def test_a_second_run_finds_everything_done(toys: str, tmp_path: Path) -> None:
    first, second = [], []
    run(sum_job(toys), work_dir=tmp_path / "w", executor="inline", on_event=first.append)
    run(sum_job(toys), work_dir=tmp_path / "w", executor="inline", on_event=second.append)
    assert sum(event.type == "chunk-done" for event in first) == 6
    assert not any(event.type in ("task-started", "chunk-done") for event in second)
    assert sum(event.type == "memo-hit" for event in second) == 8


def test_other_settings_are_other_work(toys: str, tmp_path: Path) -> None:
    events: list[Event] = []
    run(sum_job(toys, n=3), work_dir=tmp_path / "w", executor="inline")
    run(sum_job(toys, n=3, quality="1"), work_dir=tmp_path / "w", executor="inline", on_event=events.append)
    assert sum(event.type == "chunk-done" for event in events) == 3


def test_a_lost_blob_is_made_again(toys: str, tmp_path: Path) -> None:
    result = run(sum_job(toys), work_dir=tmp_path / "w", executor="inline")
    ArtifactStore(tmp_path / "w").path(result.outputs["sum.total"]).unlink()
    again = run(sum_job(toys), work_dir=tmp_path / "w", executor="inline")
    assert ArtifactStore(tmp_path / "w").has(again.outputs["sum.total"])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_user_error_fails_the_job_with_its_message(toys: str, tmp_path: Path, executor: str) -> None:
    result = run(sum_job(toys, fail="always"), work_dir=tmp_path / "w", executor=executor, workers=2)
    assert result.state == "failed"
    with pytest.raises(JobFailed, match="item two is bad"):
        result.raise_for_state()
    assert result.failures[0].task == "sum chunk-00002"
    assert "raise ValueError" in result.failures[0].traceback


def test_a_killed_worker_is_replaced_and_its_task_tried_again(toys: str, tmp_path: Path) -> None:
    events: list[Event] = []
    spec = sum_job(toys, fail="die", mark=str(tmp_path / "died"))
    result = run(spec, work_dir=tmp_path / "w", workers=2, on_event=events.append)
    assert result.state == "done"
    assert [event.item for event in events if event.type == "task-retry"] == ["chunk-00002"]
    done = [event.item for event in events if event.type == "chunk-done"]
    assert sorted(done) == sorted(set(done))
    assert len(done) == 6


def test_an_output_that_was_not_written_is_the_stages_fault(toys: str, tmp_path: Path) -> None:
    result = run(
        JobSpec(nodes=[Node(id="f", stage=f"{toys}:Forgetful")]), work_dir=tmp_path / "w", executor="inline"
    )
    assert result.failures[0].message == "declared output thing: not written"


def test_one_process_at_a_time(toys: str, tmp_path: Path) -> None:
    store = JobStore(tmp_path / "w")
    with pytest.raises(StoreBusy, match="in use"):
        run(sum_job(toys), work_dir=tmp_path / "w", executor="inline")
    store.close()
    assert run(sum_job(toys), work_dir=tmp_path / "w", executor="inline").state == "done"


def test_events_are_stored_in_order(toys: str, tmp_path: Path) -> None:
    result = run(sum_job(toys), work_dir=tmp_path / "w", executor="inline")
    store = JobStore(tmp_path / "w")
    history = store.history(result.job)
    store.close()
    assert [event.seq for event in history] == sorted(event.seq for event in history)
    assert history[0].type == "job-started"
    assert history[-1].type == "job-done"


@pytest.mark.parametrize(
    ("nodes", "field", "words"),
    [
        ([Node(id="a", stage="nonsense")], "nodes[0].stage", "unknown 'nonsense'"),
        ([Node(id="a", stage="TOYS:Bag")], "nodes[0].inputs.total", "missing"),
        ([Node(id="a", stage="TOYS:Bag", inputs={"total": "b.total"})], "nodes[0].inputs.total", "no node 'b'"),
        ([Node(id="a", stage="TOYS:Sum", params={"speed": 3})], "nodes[0].params.speed", "no such setting"),
        ([Node(id="a", stage="TOYS:Sum", inputs={"x": "a.total"})], "nodes[0].inputs.x", "no such input"),
        ([Node(id="a b", stage="TOYS:Sum")], "nodes[0].id", "identifier"),
        (
            [Node(id="s", stage="TOYS:Sum"), Node(id="b", stage="TOYS:Bag", inputs={"total": "c.parts"}),
             Node(id="c", stage="TOYS:Bag", inputs={"total": "s.total"})],
            "nodes[1].inputs.total",
            "wanted total@1, got parts@1",
        ),
    ],
)  # fmt: skip
def test_specs_that_do_not_fit(toys: str, tmp_path: Path, nodes: list[Node], field: str, words: str) -> None:
    real = [
        Node(id=n.id, stage=n.stage.replace("TOYS", toys), params=n.params, inputs=n.inputs) for n in nodes
    ]
    with pytest.raises(SpecError) as caught:
        run(JobSpec(nodes=real), work_dir=tmp_path / "w", executor="inline")
    assert caught.value.field == field
    assert words in caught.value.problem


def test_floats_are_refused_in_settings(toys: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="wanted Decimal as text or int, got float") as caught:
        run(sum_job(toys, quality=0.5), work_dir=tmp_path / "w", executor="inline")
    assert caught.value.field == "nodes[0].params.quality"
