"""The stores: nothing half written has a name, a result is committed once, and what is damaged is noticed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from archer import Event, Item, JobSpec, Node, run
from archer.errors import (
    BlobDamaged,
    DiskFull,
    LeaseLost,
    StageError,
    StateDamaged,
    StateUnusable,
    StoreTooNew,
)
from archer.plan import Plan, make_plan
from archer.process import run as run_tool
from archer.store import ArtifactStore, History, JobStore
from archer.store.database import Database
from archer.task import Task


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root to mount a small tmpfs")
    mounted = run_tool(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False)
    if mounted.exit_code != 0:
        pytest.skip(f"cannot mount a small tmpfs here: {mounted.stderr_tail}")
    yield folder
    run_tool(["umount", "-l", str(folder)])


@pytest.fixture
def plan(toys: str) -> Plan:
    return make_plan(JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum")]))


@pytest.fixture
def store(database: Database, tmp_path: Path) -> JobStore:
    """A store of each kind."""
    return JobStore(tmp_path, database)


TASK = Task(node="sum", phase="split")


def test_equal_content_has_one_name_and_survives_in_any_order(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "w")
    source = tmp_path / "source.json"
    source.write_bytes(b"{}\n")
    first, second = store.put_json({}, kind="a@1"), store.put_file(source, kind="b@1", suffix=".json")
    assert first.hash == second.hash
    assert store.path(first) == store.path(second)
    assert source.exists(), "a copy was taken"
    assert [path for path in (tmp_path / "w" / "objects").rglob("*") if path.is_file()] == [store.path(first)]


def test_trees_are_named_by_their_listing(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "w")
    for name in ("one", "two"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "file").write_text("x")
    first, second = (store.put_tree(tmp_path / name, kind="tree/x@1") for name in ("one", "two"))
    assert first == second
    assert (store.path(first) / "deep" / "file").read_text() == "x"
    store.verify(first)
    (tmp_path / "one" / "link").symlink_to("deep")
    with pytest.raises(StageError, match="link"):
        store.put_tree(tmp_path / "one", kind="tree/x@1")


def test_damage_is_noticed(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    artifact = store.put_json([1, 2, 3], kind="a@1")
    store.path(artifact).write_bytes(b"[1,2,3\n\n")
    assert store.has(artifact), "the size alone does not tell"
    with pytest.raises(BlobDamaged, match="run the same command"):
        store.verify(artifact)
    with pytest.raises(BlobDamaged):
        store.read_json(artifact)
    store.path(artifact).write_bytes(b"[1")
    assert not store.has(artifact)
    store.discard(artifact)
    with pytest.raises(BlobDamaged):
        store.path(artifact)


def test_damaged_items_are_made_again(toys: str, tmp_path: Path) -> None:
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum")])
    run(spec, work_dir=tmp_path, executor="inline")
    with sqlite3.connect(tmp_path / "archer.db") as connection:
        (text,) = connection.execute("SELECT outputs FROM tasks WHERE phase = 'split'").fetchone()
    name = text.partition("sha256:")[2][:64]
    place = tmp_path / "objects" / name[:2] / f"{name[2:]}.json"
    content = place.read_bytes()
    place.write_bytes(b"?" * len(content))
    assert run(spec, work_dir=tmp_path, executor="inline").state == "done"
    assert place.read_bytes() == content


def test_a_full_disk_is_named_and_leaves_no_name_behind(tiny_disk: Path) -> None:
    store = ArtifactStore(tiny_disk / "w")
    with pytest.raises(DiskFull, match="no space left"):
        store.put_bytes(b"x" * (4 << 20), kind="a@1")
    assert not [path for path in tiny_disk.rglob("*") if path.is_file()]
    assert store.has(store.put_bytes(b"x", kind="a@1"))


@pytest.mark.parametrize("executor", ["inline", "local"])
def test_a_job_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    executor: str, toys: str, tiny_disk: Path
) -> None:
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 30, "bulk_kib": 256})])
    try:
        result = run(spec, work_dir=tiny_disk / "w", executor=executor, workers=2)
        assert result.failures[0].category == "disk"
        assert "no space left" in str(result.failures[0])
    except DiskFull as error:
        assert "no space left" in str(error)
    run_tool(["mount", "-o", "remount,size=64m", str(tiny_disk)])
    events: list[Event] = []
    result = run(spec, work_dir=tiny_disk / "w", executor=executor, workers=2, on_event=events.append)
    assert result.state == "done"
    assert sum(event.type == "memo-hit" for event in events) >= 1, "what was committed stays"


def test_a_disk_that_is_full_again_and_again_costs_no_result(toys: str, tiny_disk: Path) -> None:
    """It fills at another place each time: while blobs, listings or rows are written."""
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 24, "bulk_kib": 160})])
    done: set[str] = set()
    fills = 0

    def each_once(event: Event) -> None:
        assert not (event.item in done and event.type in ("task-started", "chunk-done")), event
        if event.type == "chunk-done":
            done.add(event.item)

    for size_kib in range(1100, 9000, 330):
        run_tool(["mount", "-o", f"remount,size={size_kib}k", str(tiny_disk)])
        try:
            result = run(spec, work_dir=tiny_disk / "w", executor="inline", on_event=each_once)
        except DiskFull:
            fills += 1
            continue
        if result.state == "done":
            break
        assert {failure.category for failure in result.failures} == {"disk"}
        fills += 1
    assert fills >= 5
    assert len(done) == 24
    store = ArtifactStore(tiny_disk / "w")
    with History(tiny_disk / "w") as history:
        rows = history.tasks(history.job().id)
    assert {row.state for row in rows} == {"done"}
    for row in rows:
        for artifact in row.outputs.values():
            store.verify(artifact)


def assert_counts_are_true(work: Path) -> None:
    """What is kept beside the rows is what the rows add up to."""
    with sqlite3.connect(work / "archer.db") as connection:
        states = dict(connection.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state"))
        tries = connection.execute(
            "SELECT COUNT(*), SUM(CASE WHEN state = 'done' THEN wall_ms ELSE 0 END), SUM(state <> 'done') FROM attempts"
        ).fetchone()
    with History(work) as history:
        job = history.job().id
        assert history.counts(job) == states
        (cost,) = history.costs(job)
    assert (cost.tries, cost.wall_ms, cost.wasted) == tries


def test_counts_stay_true_over_failures_and_resumes(toys: str, tmp_path: Path) -> None:
    work, mark = tmp_path / "w", str(tmp_path / "mark")
    nodes = [Node(id="sum", stage=f"{toys}:Sum", params={"n": 8, "rounds": 2, "fail": "die", "mark": mark})]

    def stop(event: Event) -> None:
        if event.type == "task-retry":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(JobSpec(nodes=nodes), work_dir=work, workers=2, on_event=stop)
    assert_counts_are_true(work)
    assert run(JobSpec(nodes=nodes), work_dir=work, executor="inline").state == "done"
    assert_counts_are_true(work)


def test_a_result_without_the_lease_is_refused_with_everything_beside_it(store: JobStore, plan: Plan) -> None:
    store.begin(plan)
    with store.batch(plan.job) as batch:
        batch.plan(TASK)
    with store.batch(plan.job) as batch:
        batch.lease(TASK, 7, 0)
    before = store.history(plan.job)
    with pytest.raises(LeaseLost, match="sum/split"), store.batch(plan.job) as batch:
        batch.close(TASK, 6, "done", number=1)
        batch.remember("key", {})
        batch.event("chunk-done", "sum")
    assert store.history(plan.job) == before
    assert store.recall(["key"]) == {}
    assert store.states(plan.job) == {TASK.name: "leased"}
    with store.batch(plan.job) as batch:
        batch.close(TASK, 7, "done", number=1)
    assert store.states(plan.job) == {TASK.name: "done"}
    store.close()


def test_where_a_try_runs_and_ran_is_kept(store: JobStore, database: Database, plan: Plan) -> None:
    """While it lasts with its task, after its end with the try, also where nobody came to say how it ended."""
    store.begin(plan)
    with store.batch(plan.job) as batch:
        batch.lease(TASK, 7, 0)
    with store.batch(plan.job) as batch:
        batch.place(TASK, 7, "north/12")
        batch.place(TASK, 6, "an older try elsewhere")
    history = History(database)
    assert [row.worker for row in history.tasks(plan.job)] == ["north/12"]
    store.begin(plan)
    with store.batch(plan.job) as batch:
        batch.lease(TASK, 8, 0)
    assert [row.worker for row in history.tasks(plan.job)] == [""]
    with store.batch(plan.job) as batch:
        batch.close(TASK, 8, "done", number=1, worker="south/13")
    tries = [(row.state, row.worker) for row in history.attempts(plan.job, TASK.name)]
    assert tries == [("lost", "north/12"), ("done", "south/13")]
    store.close()


def test_a_large_batch_is_like_many_small_ones(store: JobStore, plan: Plan) -> None:
    """PostgreSQL is asked once for many rows; the last of equal ones counts, and one without its lease undoes them all."""
    tasks = [
        Task(node="sum", phase="map", item=Item(variant=f"{place:03d}"), place=place) for place in range(40)
    ]
    store.begin(plan)
    with store.batch(plan.job) as batch:
        for place, task in enumerate(tasks):
            batch.plan(task)
            batch.lease(task, place + 1, 0)
            batch.lease(task, place + 101, 0)
    for stale in (39, 200):
        with pytest.raises(LeaseLost), store.batch(plan.job) as batch:
            for place, task in enumerate(tasks):
                batch.close(task, stale if place == 7 else place + 101, "done", number=1)
    assert set(store.states(plan.job).values()) == {"leased"}
    with store.batch(plan.job) as batch:
        for place, task in enumerate(tasks):
            batch.close(task, place + 101, "done", number=1, wall_ms=2, log="null: \0")
            batch.remember(f"key-{place % 30}", {})
            batch.task_event("chunk-done", task, 1, {"place": place})
    assert [event.payload["place"] for event in store.history(plan.job)] == list(range(40))
    assert set(store.states(plan.job).values()) == {"done"}
    assert len(store.recall([f"key-{place}" for place in range(40)])) == 30
    with store.batch(plan.job) as batch:
        for place in range(30):
            batch.touch(f"key-{place}")
        batch.event("touched")


def test_a_try_given_and_given_up_in_one_batch_was_never_leased(store: JobStore, plan: Plan) -> None:
    store.begin(plan)
    with store.batch(plan.job) as batch:
        batch.lease(TASK, 7, 0)
        batch.close(TASK, 7, "cancelled", number=1)
    assert store.states(plan.job) == {TASK.name: "cancelled"}
    store.close()


@pytest.mark.parametrize("winner", [7, 8, 11])
def test_any_of_several_tries_may_commit_and_none_of_before(store: JobStore, plan: Plan, winner: int) -> None:
    store.begin(plan)
    for token in (7, 8, 11):
        with store.batch(plan.job) as batch:
            batch.lease(TASK, token, 0) if token == 7 else batch.copy(TASK, token)
    for stale in (6, 12):
        with pytest.raises(LeaseLost), store.batch(plan.job) as batch:
            batch.close(TASK, stale, "done", number=1)
    with store.batch(plan.job) as batch:
        batch.close(TASK, winner, "done", number=2)
    assert store.states(plan.job) == {TASK.name: "done"}
    store.close()


def test_tickets_never_come_twice_and_leases_of_the_dead_are_void(tmp_path: Path, plan: Plan) -> None:
    store = JobStore(tmp_path)
    store.begin(plan)
    given = store.next_token + 41
    with store.batch(plan.job) as batch:
        batch.lease(TASK, given, 0)
    store.close()
    store = JobStore(tmp_path)
    assert store.next_token > given
    assert store.begin(plan) == 2
    assert store.states(plan.job) == {TASK.name: "pending"}
    store.close()


def test_a_newer_or_damaged_state_is_refused_in_one_line(tmp_path: Path) -> None:
    JobStore(tmp_path).close()
    with sqlite3.connect(tmp_path / "archer.db") as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE name = 'schema'")
    with pytest.raises(StoreTooNew, match="upgrade"):
        JobStore(tmp_path)
    for path in tmp_path.glob("archer.db*"):
        path.unlink()
    (tmp_path / "archer.db").write_bytes(b"not a database at all" * 400)
    with pytest.raises(StateDamaged, match="damaged"):
        JobStore(tmp_path)
    (tmp_path / "archer.db").unlink()
    (tmp_path / "archer.db").mkdir()
    with pytest.raises(StateUnusable, match="unable to open"):
        JobStore(tmp_path)


def test_a_failure_beside_fresh_launches_ends_the_job_cleanly(toys: str, tmp_path: Path) -> None:
    """A report that launches tasks and one that ends the job may come together: nothing of it was submitted yet."""
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 12, "fail": "always"})])
    for attempt in range(3):
        result = run(spec, work_dir=tmp_path / str(attempt), workers=4)
        assert result.state == "failed"
        store = JobStore(tmp_path / str(attempt))
        assert "leased" not in store.states(result.job).values()
        store.close()


KILLED = """
import sys
sys.path[:] = {path!r}
from pathlib import Path
from archer import JobSpec, Node, run
spec = JobSpec(nodes=[Node(id="sum", stage="{toys}:Sum", params={{"n": 60, "sleep_ms": 25}})])
run(spec, work_dir=Path({work!r}), executor="{executor}", workers=2)
"""


@pytest.mark.parametrize(
    ("executor", "kills"), [("local", 6), pytest.param("inline", 40, marks=pytest.mark.slow)]
)
def test_kill_at_any_moment_and_nothing_committed_is_done_again(
    executor: str, kills: int, toys: str, tmp_path: Path
) -> None:
    work, dice = tmp_path / "w", random.Random(kills)
    code = KILLED.format(path=sys.path, toys=toys, work=str(work), executor=executor)
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        time.sleep(dice.uniform(0.05, 2.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
    with sqlite3.connect(work / "archer.db") as connection:
        rows = connection.execute("SELECT type, item FROM events WHERE node = 'sum' ORDER BY seq").fetchall()
    finished: set[str] = set()
    for kind, item in rows:
        assert not (item in finished and kind in ("chunk-done", "task-started")), f"{item} again"
        if kind == "chunk-done":
            finished.add(item)
    assert len(finished) == 60
    assert_counts_are_true(work)
    store = ArtifactStore(work)
    total = run(
        JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 60, "sleep_ms": 25})]),
        work_dir=work,
        executor="inline",
    ).outputs["sum.total"]
    assert store.read_json(total) == list(range(60))
