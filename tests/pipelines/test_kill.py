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
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
SETTINGS = [
    "--crf",
    "30",
    "--preset",
    "slower",
    "--ladder",
    "360p",
    "--chunk-s",
    "0.5",
    "--workers",
    "2",
]


def start(clip: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """The main job in a process group of its own, progress as NDJSON and errors on files beside `out`."""
    with (out.parent / "events.ndjson").open("ab") as log, (out.parent / "errors.txt").open("wb") as errors:
        return subprocess.Popen(
            [*CINEMILL, "encode", clip, "-o", out, *SETTINGS, *more, "--json", "--keep"],
            stdout=log,
            stderr=errors,
            start_new_session=True,
        )


def errors(out: Path) -> str:
    """What the last run said on stderr."""
    return (out.parent / "errors.txt").read_text()


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """SIGKILL the scheduler process after a while; True where it was still running."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def told(out: Path, after: int) -> list[dict[str, Any]]:
    """Events that runs have told on stdout, behind a place in the file; a line that a kill cut short is left out."""
    lines = (out.parent / "events.ndjson").read_bytes()[after:].split(b"\n")[:-1]
    return [json.loads(line) for line in lines if line.endswith(b"}")]


def encoding(out: Path, after: int) -> bool:
    """True where, by the events behind that place, a chunk was given to an encoder and is not done."""
    under_way: set[str] = set()
    for event in told(out, after):
        if event["type"] == "task-started" and event["node"] == "encode" and event["item"]:
            under_way.add(event["item"])
        elif event["type"] == "chunk-done" and event["node"] == "encode":
            under_way.discard(event["item"])
    return bool(under_way)


def wait_for_encoding(process: subprocess.Popen[bytes], out: Path, after: int) -> None:
    """Return once a chunk is being encoded by the present run, or it has ended, or after a minute."""
    deadline = time.monotonic() + 60  # a busy machine takes its time to begin
    while time.monotonic() < deadline and process.poll() is None and not encoding(out, after):
        time.sleep(0.02)


def place(out: Path) -> int:
    """End of the file of events so far."""
    log = out.parent / "events.ndjson"
    return log.stat().st_size if log.exists() else 0


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


def no_orphans(out: Path, seconds: float = 20) -> bool:
    """True where no child of a killed run works below its work folder any more, at the latest after a while."""
    mark = f".{out.name}.cinemill".encode()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it ended meanwhile
                lines.append(entry.read_bytes())
        if not any(mark in line and str(out.parent).encode() in line for line in lines):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(1500)])])
def test_killed_runs_end_like_an_undisturbed_one(kills: int, bbb: Path, brief: Path, tmp_path: Path) -> None:
    long = kills > 10  # enough work to be killed so often
    clip, more = (bbb, ["--ladder", "720p,540p,360p"]) if long else (brief, [])
    calm, out = tmp_path / "calm" / "out", tmp_path / "killed" / "out"
    calm.parent.mkdir(), out.parent.mkdir()
    reference = start(clip, calm, *more)
    assert reference.wait(240) == 0, errors(calm)
    dice = random.Random(kills)
    killed = while_encoding = 0
    while killed < kills:
        before = place(out)
        process = start(clip, out, *more)
        if killed % 3:  # two of three while chunks are being encoded, as long as there are any
            wait_for_encoding(process, out, before)
        if not kill_after(process, dice.uniform(0.02, 0.5) if killed % 3 else dice.uniform(0.3, 6)):
            break  # it ended: nothing is left to kill
        killed += 1
        while_encoding += encoding(out, before)
        assert no_orphans(out)
    assert killed == kills
    assert while_encoding * 2 >= killed
    last = start(clip, out, *more)
    assert last.wait(240) == 0, errors(out)
    assert hashes(out) == hashes(calm)
    assert_nothing_done_twice(stored_events(out))
    assert no_orphans(out)


def test_ctrl_c_leaves_a_state_that_goes_on(brief: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(brief, out, "--no-score")
    wait_for_encoding(process, out, 0)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20) == 130, errors(out)
    assert "same command" in errors(out)
    assert "Traceback" not in errors(out)
    assert not out.exists()
    again = start(brief, out, "--no-score")
    assert again.wait(240) == 0
    assert_nothing_done_twice(stored_events(out))
