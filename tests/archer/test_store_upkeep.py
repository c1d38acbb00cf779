"""Garbage goes and nothing else does; artifacts at a URL outlive the folder; history is read while a job runs."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from archer import Event, JobSpec, Node, run
from archer.errors import BlobDamaged, SpecError, StateUnusable, StoreBusy
from archer.store import ArtifactStore, History, JobStore
from archer.store.garbage import collect_garbage


def sum_job(toys: str, **params: object) -> JobSpec:
    return JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params=params)])


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in (root / "objects").rglob("*") if path.is_file()}


def test_a_dry_run_says_what_would_go_and_touches_nothing(toys: str, tmp_path: Path) -> None:
    run(sum_job(toys), work_dir=tmp_path, executor="inline")
    stray = ArtifactStore(tmp_path).put_bytes(b"nobody's", kind="a@1")
    (tmp_path / "objects" / "ab").mkdir(exist_ok=True)
    (tmp_path / "objects" / "ab" / ".cd.1-2").write_bytes(b"half")
    before = files(tmp_path)
    would = collect_garbage(tmp_path, dry_run=True)
    assert files(tmp_path) == before
    assert collect_garbage(tmp_path) == would
    gone = before - files(tmp_path)
    assert {Path(name).name for name in gone} >= {".cd.1-2", stray.hash[9:]}
    assert would.blobs == len(gone)
    events: list[Event] = []
    run(sum_job(toys), work_dir=tmp_path, executor="inline", on_event=events.append)
    assert not [event for event in events if event.type == "task-started"], "everything needed is still there"


def test_what_is_old_is_forgotten_with_its_blobs(toys: str, tmp_path: Path) -> None:
    result = run(sum_job(toys), work_dir=tmp_path, executor="inline")
    assert collect_garbage(tmp_path, older_than_days=1).jobs == []
    time.sleep(0.01)
    would = collect_garbage(tmp_path, older_than_days=0, dry_run=True)
    assert list(would.jobs) == [result.job]
    with History(tmp_path) as history:
        assert history.job().id == result.job, "a dry run forgets nothing"
    collect_garbage(tmp_path, older_than_days=0)
    assert files(tmp_path) == set()
    with History(tmp_path) as history:
        assert history.jobs() == []


def test_nothing_is_collected_beside_a_running_job(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    with pytest.raises(StoreBusy):
        collect_garbage(tmp_path)
    store.close()


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_artifacts_at_a_url_outlive_the_folder(executor: str, toys: str, tmp_path: Path) -> None:
    url = (tmp_path / "afar").as_uri()
    result = run(sum_job(toys, n=3), work_dir=tmp_path / "w", executor=executor, workers=2, artifacts=url)
    shutil.rmtree(tmp_path / "w" / "objects")
    events: list[Event] = []
    again = run(
        sum_job(toys, n=3), work_dir=tmp_path / "w", executor=executor, artifacts=url, on_event=events.append
    )
    assert not [event for event in events if event.type == "task-started"]
    fresh = ArtifactStore(tmp_path / "elsewhere", remote=url)
    assert fresh.read_json(again.outputs["sum.total"]) == [0, 1, 2]
    assert (tmp_path / "afar" / "manifests" / f"{result.job}.json").is_file()


def test_a_tree_at_a_url_comes_back_whole_and_damage_is_noticed(tmp_path: Path) -> None:
    url = (tmp_path / "afar").as_uri()
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "a").write_text("1")
    (tmp_path / "tree" / "b").write_text("2")
    artifact = ArtifactStore(tmp_path / "w", remote=url).put_tree(tmp_path / "tree", kind="tree/x@1")
    other = ArtifactStore(tmp_path / "other", remote=url)
    assert other.has(artifact)
    assert (other.path(artifact) / "deep" / "a").read_text() == "1"
    other.verify(artifact)
    for path in (tmp_path / "afar" / "objects").rglob("*"):
        if path.is_file() and path.read_text() == "2":
            path.write_text("3")
    with pytest.raises(BlobDamaged):
        ArtifactStore(tmp_path / "third", remote=url).path(artifact)


def test_garbage_afar_goes_too_but_not_the_files_of_trees(toys: str, tmp_path: Path) -> None:
    url = (tmp_path / "afar").as_uri()
    run(sum_job(toys, n=2), work_dir=tmp_path / "w", executor="inline", artifacts=url)
    before = files(tmp_path / "afar")
    ArtifactStore(tmp_path / "w", remote=url).put_bytes(b"nobody's", kind="a@1")
    collect_garbage(tmp_path / "w", remote=url)
    assert files(tmp_path / "afar") <= before
    shutil.rmtree(tmp_path / "w" / "objects")
    events: list[Event] = []
    run(sum_job(toys, n=2), work_dir=tmp_path / "w", executor="inline", artifacts=url, on_event=events.append)
    assert not [event for event in events if event.type == "task-started"]


def test_history_is_read_while_the_job_runs(toys: str, tmp_path: Path) -> None:
    seen: list[tuple[str, dict[str, int]]] = []

    def look(event: Event) -> None:
        if event.type == "chunk-done":
            with History(tmp_path) as history:
                seen.append((history.job().state, history.counts(event.job)))

    result = run(sum_job(toys, n=4), work_dir=tmp_path, executor="inline", on_event=look)
    assert {state for state, _ in seen} == {"running"}
    assert seen[0][1]["done"] == 2
    with History(tmp_path) as history:
        assert history.job(result.job[:6]).state == "done"
        first = history.tasks(result.job, limit=4)
        rest = history.tasks(result.job, after=first[-1].name)
        assert [task.name for task in (*first, *rest)] == sorted(
            ["sum/split/0", "sum/collect/0", *(f"sum/map/chunk-{place:05d}" for place in range(4))]
        )
        assert history.tasks(result.job, state="poisoned") == []
        assert [event.seq for event in history.events(result.job, after=2, limit=3)] == [3, 4, 5]
        (cost,) = history.costs(result.job)
        assert (cost.node, cost.stage, cost.tries, cost.wasted) == ("sum", "sum", 6, 0)
        with pytest.raises(SpecError, match="no job 'zzz'"):
            history.job("zzz")
    with pytest.raises(StateUnusable, match="no job state"):
        History(tmp_path / "nowhere")


def test_failed_tries_are_kept_with_their_words(toys: str, tmp_path: Path) -> None:
    result = run(sum_job(toys, fail="always"), work_dir=tmp_path, executor="inline")
    with History(tmp_path) as history:
        (row,) = history.logs(result.job)
        assert row.error == "ValueError: ValueError: item two is bad"
        assert "raise ValueError" in row.log
        assert history.attempts(result.job, row.name) == [row]
        assert history.costs(result.job)[0].wasted == 1


def test_paces_come_from_equal_settings_first(toys: str, tmp_path: Path) -> None:
    from archer.plan import make_plan

    slow, quick = sum_job(toys, n=2, sleep_ms=80), sum_job(toys, n=2)
    for spec in (slow, quick):
        run(spec, work_dir=tmp_path, executor="inline")
    store = JobStore(tmp_path)
    assert store.paces(make_plan(slow))["sum"] > 0.006
    assert store.paces(make_plan(sum_job(toys, n=2, sleep_ms=80, rounds=1)))["sum"] > 0.003, "the stage's own"
    store.close()
