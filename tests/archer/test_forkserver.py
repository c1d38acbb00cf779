"""The template of local workers: whoever is killed, everything below dies, and the executor goes on."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from archer import Event, JobSpec, Node, run
from archer.executors.local import MEDIA, LocalExecutor, Template, _environment
from archer.media.asset import Asset


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if parent_of(int(entry.name)) == pid:
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descendants(pid: int) -> list[int]:
    below = children_of(pid)
    return below + [deeper for child in below for deeper in descendants(child)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_dead(pids: list[int], limit_s: float = 20.0) -> bool:
    deadline = time.monotonic() + limit_s
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


def start(toys: str, work: Path) -> subprocess.Popen[str]:
    """A scheduler in a process of its own, with slow toy tasks."""
    code = f"""
import sys
sys.path[:] = {sys.path!r}
from pathlib import Path
from archer import JobSpec, Node, run
spec = JobSpec(nodes=[Node(id="sum", stage="{toys}:Sum", params={{"n": 40, "sleep_ms": 400}})])
try:
    run(spec, work_dir=Path({str(work)!r}), workers=2, on_event=lambda e: print(e.type, e.item, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_it_works(process: subprocess.Popen[str]) -> list[int]:
    """All processes below it, once a chunk is done and both workers run."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("chunk-done"):
            break
    below = descendants(process.pid)
    assert len(below) >= 3, "wanted the template and two workers"
    return below


def test_a_killed_scheduler_leaves_nobody_behind(toys: str, tmp_path: Path) -> None:
    process = start(toys, tmp_path / "w")
    below = wait_until_it_works(process)
    process.kill()
    process.communicate()
    assert all_dead(below)


def test_ctrl_c_in_a_terminal_ends_everything_and_says_nothing_more(toys: str, tmp_path: Path) -> None:
    """A terminal signals the whole foreground process group."""
    process = start(toys, tmp_path / "w")
    below = wait_until_it_works(process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    assert out.splitlines()[-2:] == ["job-interrupted ", "interrupted"]
    assert all_dead(below)


@pytest.mark.parametrize("victim", ["template", "worker"])
def test_a_job_survives_the_death_of(victim: str, toys: str, tmp_path: Path) -> None:
    events: list[Event] = []

    def kill_once(event: Event) -> None:
        events.append(event)
        if event.type == "chunk-done" and sum(each.type == "chunk-done" for each in events) == 2:
            template = next(
                pid
                for pid in children_of(os.getpid())
                if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
            )
            os.kill(template if victim == "template" else children_of(template)[0], signal.SIGKILL)

    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 8, "sleep_ms": 400})])
    result = run(spec, work_dir=tmp_path / "w", workers=2, on_event=kill_once)
    assert result.state == "done"
    done = [event.item for event in events if event.type == "chunk-done"]
    assert sorted(done) == [f"chunk-{index:05d}" for index in range(8)]
    # None where the victims had just ended their tasks: a result that lies in the pipe counts.
    assert sum(event.type == "task-retry" for event in events) <= 2


@pytest.mark.parametrize("modules", [(), MEDIA])
def test_workers_begin_with_what_their_job_reads_with(modules: tuple[str, ...]) -> None:
    """FFmpeg's libraries are there before the first task where a job has a title; forking stays safe: no thread was started."""
    template = Template(modules)
    try:
        worker = template.fork()
        while not worker.pid:
            assert template.listen(60)
        parent = parent_of(worker.pid)
        assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1
        assert ("libavcodec" in Path(f"/proc/{worker.pid}/maps").read_text()) == bool(modules)
    finally:
        template.close()


def test_workers_get_ready_while_the_state_of_the_job_is_opened(toys: str, tmp_path: Path) -> None:
    seen: list[tuple[list[Asset], bool]] = []

    class Watched(LocalExecutor):
        def prepare(self, assets: Sequence[Asset]) -> None:
            seen.append((list(assets), (tmp_path / "w").exists()))
            super().prepare(assets)

    executor = Watched(1)
    spec = JobSpec(nodes=[Node(id="sum", stage=f"{toys}:Sum", params={"n": 2})])
    assert run(spec, work_dir=tmp_path / "w", executor=executor).state == "done"
    executor.close()
    assert seen == [([], False)]


class Endless:
    """A task that never ends: it sleeps while it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return time.sleep, (3600,)


def test_a_worker_that_is_killed_before_it_is_there_never_works() -> None:
    template = Template()
    try:
        worker, other = template.fork(), template.fork()
        worker.connection.send((1, None, pickle.dumps(Endless())))
        template.kill(worker)
        deadline = time.monotonic() + 30
        while worker.exit_code is None and time.monotonic() < deadline:
            assert template.listen(1)
        assert worker.exit_code == -signal.SIGKILL
        assert alive(other.pid)
    finally:
        template.close()
    assert all_dead([other.pid])


def test_workers_ask_for_huge_pages_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert _environment()["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    assert _environment()["GLIBC_TUNABLES"] == "glibc.malloc.check=1"
