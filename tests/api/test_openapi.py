"""The API does what its OpenAPI says, whatever is sent to it: schemathesis against a real server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("schemathesis", reason="pip install schemathesis")

CONFIG = """\
[[operations]]  # what a URL may be, and what fits a template, is more than a schema can say
include-name = ["POST /v1/jobs", "POST /v1/webhooks"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]  # a cursor is one that was given before
include-name = ["GET /v1/jobs", "GET /v1/jobs/{job}/tasks", "GET /v1/jobs/{job}/logs", "GET /v1/webhooks", \
    "GET /v1/webhooks/{webhook}/deliveries"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]
"""


def test_every_address_is_described(locked: tuple[Any, str]) -> None:
    document = httpx.get(f"{locked[0].url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    names = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (path, method)
            assert "500" in operation["responses"], (path, method)
            names.add(operation["operationId"])
    assert len(names) == sum(map(len, document["paths"].values()))


def test_random_requests_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    _attacked(fresh, tmp_path, "--phases=examples,fuzzing", "--max-examples=2")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thorough_requests_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    _attacked(fresh, tmp_path, "--phases=examples,coverage,fuzzing", "--max-examples=15")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_requests_that_follow_from_answers_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    """Jobs that were made are looked at, cancelled, resumed; webhooks tested and removed: each by the id that an answer gave."""
    _attacked(fresh, tmp_path, "--phases=stateful", "--max-examples=20")


def _attacked(served: tuple[Any, str], tmp_path: Path, *options: str) -> None:
    server, key = served
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    argv = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(tmp_path / "schemathesis.toml"),
        "run",
    ]
    argv += [f"{server.url}/openapi.json", "-H", f"Authorization: Bearer {key}", "--no-color", *options]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Tested: " in done.stdout
    assert "Traceback" not in server.output
