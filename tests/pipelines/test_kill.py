"""SIGKILL at any moment: the same command goes on, repeats no finished chunk, and ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
SETTINGS = ["--crf", "38", "--preset", "veryfast", "--ladder", "240p,144p", "--workers", "2"]


def start(clip: Path, out: Path) -> subprocess.Popen[bytes]:
    """The main job in a process group of its own, progress as NDJSON on a file beside `out`."""
    with (out.parent / "events.ndjson").open("ab") as log:
        return subprocess.Popen(
            [*CINEMILL, "encode", clip, "-o", out, *SETTINGS, "--json", "--keep"],
            stdout=log,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """SIGKILL the scheduler process after a while; True where it was still running."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def wait_for_encoding(out: Path, seconds: float) -> None:
    """Return once some chunk is being encoded, or after a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and b'"encode"' not in (out.parent / "events.ndjson").read_bytes():
        time.sleep(0.02)


def hashes(out: Path) -> dict[str, str]:
    """SHA-256 of every file of a package, from its manifest."""
    files = json.loads((out / "manifest.json").read_bytes())["files"]
    return {name: entry["sha256"] for name, entry in files.items()}


def stored_events(out: Path) -> list[tuple[str, str, str]]:
    """(type, node, item) of every stored event of the job beside `out`, in order."""
    database = next((out.parent / f".{out.name}.cinemill").glob("*.db"))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT type, node, item FROM events ORDER BY seq").fetchall()
    return [(str(kind), str(node), str(item)) for kind, node, item in rows]


def assert_nothing_done_twice(events: list[tuple[str, str, str]]) -> None:
    """No chunk is started again after its `chunk-done` event, and each has exactly one."""
    finished: set[tuple[str, str]] = set()
    for kind, node, item in events:
        if kind == "chunk-done":
            assert (node, item) not in finished, f"{node} {item} committed twice"
            finished.add((node, item))
        if kind == "task-started" and node == "encode" and item:
            assert (node, item) not in finished, f"{node} {item} encoded again"
    assert any(node == "encode" for node, _ in finished)


def no_orphans(clip: Path) -> bool:
    """True where no child of a killed run is left at work on the clip."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"ffmpeg" in (line := entry.read_bytes()) and b"libx264" in line and b".cinemill" in line:
                return False
        except OSError:
            continue
    return True


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(1500)])])
def test_killed_runs_end_like_an_undisturbed_one(kills: int, bbb: Path, tmp_path: Path) -> None:
    calm, out = tmp_path / "calm" / "out", tmp_path / "killed" / "out"
    calm.parent.mkdir(), out.parent.mkdir()
    reference = start(bbb, calm)
    assert reference.wait(240) == 0, reference.stderr.read() if reference.stderr else ""
    dice = random.Random(kills)
    killed = while_encoding = 0
    while killed < kills:
        process = start(bbb, out)
        if killed % 2:
            wait_for_encoding(out, 20)
        if not kill_after(process, dice.uniform(0.02, 1.2) if killed % 2 else dice.uniform(0.3, 6)):
            break  # it ended: nothing is left to kill
        killed += 1
        while_encoding += 1
    last = start(bbb, out)
    assert last.wait(240) == 0, last.stderr.read() if last.stderr else ""
    assert hashes(out) == hashes(calm)
    assert_nothing_done_twice(stored_events(out))
    assert no_orphans(bbb)


def test_ctrl_c_leaves_a_state_that_goes_on(bbb: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(bbb, out)
    wait_for_encoding(out, 30)
    os.kill(process.pid, signal.SIGINT)
    _, message = process.communicate(timeout=20)
    assert process.returncode == 130, message
    assert b"same command" in message
    assert b"Traceback" not in message
    assert not out.exists()
    again = start(bbb, out)
    assert again.wait(240) == 0
    assert_nothing_done_twice(stored_events(out))
