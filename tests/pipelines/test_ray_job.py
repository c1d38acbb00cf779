"""The main job on Ray: the same bytes as on worker processes, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CINEMILL = [sys.executable, "-m", "pipelines.cli.main"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.timeout(900),
    pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'cinemill[ray]'"),
]


def encoded(clip: Path, out: Path, executor: str) -> tuple[dict[str, Any], str]:
    """The manifest of a package, and what the command said on stderr."""
    argv = [*CINEMILL, "encode", clip, "-o", out, "--ladder", "180p", "--crf", "30"]
    argv += ["--preset", "veryfast", "--executor", executor, "--workers", "2", "--quiet"]
    environment = {**os.environ, "TMPDIR": "/tmp"}  # noqa: S108  where Ray's sockets must lie
    done = subprocess.run(argv, capture_output=True, text=True, timeout=400, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "manifest.json").read_bytes()), done.stderr


def ours() -> set[str]:
    """Folders of Ray clusters of ours."""
    return {path.name for path in Path("/tmp").glob("cinemill-ray-*")}  # noqa: S108  where Ray's sockets must lie


def test_the_package_is_the_same_on_ray(short: Path, tmp_path: Path) -> None:
    before = ours()
    local, _ = encoded(short, tmp_path / "local", "local")
    ray, said = encoded(short, tmp_path / "ray", "ray")
    assert ray["files"] == local["files"]
    assert ray == local
    assert said == ""
    assert ours() <= before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["local", "ray"]
