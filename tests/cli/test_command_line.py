"""The command line as a newcomer meets it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cli.main import COMMANDS, _interrupted

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]
Cinemill = Callable[..., subprocess.CompletedProcess[str]]


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CINEMILL, *args], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str, cinemill: Cinemill) -> None:
    done = cinemill(command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: cinemill {command}")


def test_help_lists_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_a_wrong_command_is_a_usage_error() -> None:
    done = run("encod")
    assert done.returncode == 2
    assert "encod" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_no_text_is_a_usage_error(cinemill: Cinemill) -> None:
    """Such names exist, but nothing that tells of them can hold them: job state, manifests, playlists, reports."""
    done = cinemill("encode", os.fsdecode(b"caf\xe9.mp4"), "-o", "out")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "Error: caf\\xe9.mp4: not valid UTF-8; rename the file, or make a link to it\n"
    )


def test_closed_streams_are_no_trouble(bbb: Path) -> None:
    """As of a service: the first files that are opened would have the numbers of the streams, and be written to by tools."""
    line = shlex.join([*CINEMILL, "shots", str(bbb)])
    done = subprocess.run(["sh", "-c", f"{line} <&- 2>&-"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "00:00:00" in done.stdout


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("encode a.mov -o out", True),
        ("shots a.mov", False),
        ("shots a.mov --work-dir w", True),
        ("score a b", False),
    ],
)
def test_who_leaves_is_told_what_is_kept(words: str, kept: bool) -> None:
    assert ("is kept" in _interrupted(words.split())) is kept


def test_no_command_prints_help_and_is_a_usage_error() -> None:
    done = run()
    assert done.returncode == 2
    assert "encode" in done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, cinemill: Cinemill) -> None:
    assert "_CINEMILL_COMPLETE" in cinemill("completion", shell).stdout


def test_doctor_finds_what_the_main_job_needs() -> None:
    done = run("doctor", "--json")
    found = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert done.returncode == 0, [entry for entry in found.values() if entry["needed"] and not entry["found"]]
    assert "ffmpeg" in found["ffmpeg"]["found"]
    assert found["encoder libx264"]["found"]
    assert found["native kernels"]["found"]


def test_stages_are_listed() -> None:
    found = json.loads(run("stages", "--json").stdout)
    assert {"ingest", "shots", "encode", "score", "packaging", "report"} <= set(found)


def test_shots_in_json_cover_the_title(bbb: Path, cinemill: Cinemill) -> None:
    done = cinemill("shots", str(bbb), "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["shots"][0]["start"] == 0
    assert result["shots"][-1]["end"] == 132


def test_score_of_a_file_against_itself(bbb: Path) -> None:
    done = run("score", str(bbb), str(bbb), "--json", "--frames", "0:12")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["model"] == "vmaf_v0.6.1"
    assert result["pooled"]["vmaf"]["mean"] > 95
    assert result["frames"] == 12
