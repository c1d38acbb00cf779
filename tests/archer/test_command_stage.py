"""A program as a stage: its output is an artifact, what it lacks is said, a container is asked for as it should be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from archer.errors import SpecError, StageError, ToolFailed, ToolMissing
from archer.media import identify
from archer.single import run_stage
from archer.store import ArtifactStore


def run_command(tmp_path: Path, **params: Any) -> bytes:
    title = tmp_path / "title.bin"
    title.write_bytes(b"hello\n")
    inputs = {"asset": identify(str(title))}
    outputs = run_stage("archer.command:Command", work_dir=tmp_path / "w", inputs=inputs, params=params)
    return ArtifactStore(tmp_path / "w").path(outputs["out"]).read_bytes()


def test_what_it_writes_is_the_output(tmp_path: Path) -> None:
    assert run_command(tmp_path, argv=["cp", "{asset}", "{out}"], suffix=".txt") == b"hello\n"


def test_ffmpeg_is_the_one_of_everything_else(tmp_path: Path) -> None:
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=32x32", "-frames:v", "1", "{out}"]
    assert run_command(tmp_path, argv=argv, suffix=".png")[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"argv": ["cp", "{file}", "{out}"]}, StageError, "no input 'file'"),
        ({"argv": ["true", "{out}"]}, StageError, "wrote nothing"),
        ({"argv": ["ls", "--no-such-option", "{out}"]}, ToolFailed, "exit code 2"),
        ({"argv": ["no-such-program", "{out}"]}, ToolMissing, "not found"),
        ({"argv": ["true"]}, SpecError, r"somewhere \{out\}"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, params: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run_command(tmp_path, **params)


def test_a_container_gets_its_inputs_read_only_and_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that only writes down how it was called stands in for podman, which cannot run everywhere."""
    engine = tmp_path / "bin" / "podman"
    engine.parent.mkdir()
    engine.write_text('#!/bin/sh\nfor last; do :; done\nprintf "%s\\n" "$@" > "$last"\n')
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    words = (
        run_command(tmp_path, argv=["cp", "{asset}", "{out}"], image="registry.example/tool@sha256:0")
        .decode()
        .splitlines()
    )
    assert words[:2] == ["run", "--rm"]
    assert "--network=none" in words
    assert f"{tmp_path / 'title.bin'}:{tmp_path / 'title.bin'}:ro" in words
    assert words[words.index("registry.example/tool@sha256:0") + 1] == "cp"
