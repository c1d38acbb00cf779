"""The wall clock may jump by hours, forth and back: nothing is lost, repeated or held up, since only a steady clock decides."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from archer import Event, JobSpec, Node, run
from archer.store import ArtifactStore, History
from archer.store.garbage import collect_garbage

HOURS = 3600.0


@pytest.fixture
def jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock of this process that is hours wrong, differently at each look; its steady clock is as ever."""
    dice, true_s = random.Random(1), time.time
    monkeypatch.setattr(time, "time", lambda: true_s() + dice.uniform(-50, 50) * HOURS)
    monkeypatch.setattr(time, "time_ns", lambda: round(time.time() * 1e9))


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_a_job_with_retries_ends_right_and_on_time(
    executor: str, toys: str, tmp_path: Path, jumps: None
) -> None:
    params = {
        "n": 20,
        "fail": "die" if executor == "local" else "",
        "mark": str(tmp_path / "mark"),
        "sleep_ms": 5,
    }
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params=params)])
    events: list[Event] = []
    began = time.monotonic()
    result = run(spec, work_dir=tmp_path / "w", executor=executor, workers=2, on_event=events.append)
    assert time.monotonic() - began < 30, "nothing waited for a time of day"
    assert ArtifactStore(tmp_path / "w").read_json(result.outputs["sum.total"]) == list(range(20))
    assert sum(event.type == "chunk-done" for event in events) == 20
    assert sum(event.type == "task-retry" for event in events) == (executor == "local")


def test_an_interrupted_job_goes_on_in_another_time(toys: str, tmp_path: Path, jumps: None) -> None:
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 12, "sleep_ms": 20})])
    events: list[Event] = []

    def until_some(event: Event) -> None:
        events.append(event)
        if sum(each.type == "chunk-done" for each in events) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec, work_dir=tmp_path / "w", workers=2, on_event=until_some)
    done = {event.item for event in events if event.type == "chunk-done"}
    later: list[Event] = []
    assert run(spec, work_dir=tmp_path / "w", workers=2, on_event=later.append).state == "done"
    assert not done & {event.item for event in later if event.type == "task-started"}
    with History(tmp_path / "w") as history:
        stored = history.events(history.job().id, limit=1000)
    assert [event.seq for event in stored] == sorted(event.seq for event in stored)
    assert {event.item for event in stored if event.type == "chunk-done"} == {
        f"chunk-{i:05d}" for i in range(12)
    }


def test_nothing_recent_is_forgotten_whatever_the_time(toys: str, tmp_path: Path, jumps: None) -> None:
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 4})])
    result = run(spec, work_dir=tmp_path / "w", executor="inline")
    gone = collect_garbage(tmp_path / "w", older_than_days=5)  # jumps of up to 100 h between any two looks
    assert (gone.jobs, gone.results) == ([], 0)
    assert ArtifactStore(tmp_path / "w").has(result.outputs["sum.total"])
    events: list[Event] = []
    run(spec, work_dir=tmp_path / "w", executor="inline", on_event=events.append)
    assert not [event for event in events if event.type == "task-started"]
