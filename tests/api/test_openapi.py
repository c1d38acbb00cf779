"""The API does what its OpenAPI says, whatever is sent to it: schemathesis against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.skipif(find_spec("schemathesis") is None, reason="pip install schemathesis")

CONFIG = """\
[[operations]]  # what a URL may be, and what fits a template, is more than a schema can say
include-name = ["POST /v1/jobs", "POST /v1/webhooks"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "422", "429", "5xx"]

[[operations]]  # a cursor is one that was given before
include-name = ["GET /v1/jobs", "GET /v1/jobs/{job}/tasks", "GET /v1/jobs/{job}/logs", "GET /v1/webhooks", \
    "GET /v1/webhooks/{webhook}/deliveries"]
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]
"""


HOOKS = """\
import schemathesis


@schemathesis.hook
def map_query(context, query):  # a stream of events that goes on takes a minute of waiting, and finds nothing more
    if context.operation.label in ("GET /v1/events", "GET /v1/jobs/{job}/events"):
        return {**(query or {}), "follow": "false"}
    return query
"""

ORDERS = """\


@schemathesis.hook
def map_body(context, body):  # what is made up fits hardly ever, and then nothing follows from it
    if context.operation.label == "POST /v1/jobs":
        return {"job": "shots", "input": "title.mp4"}
    if context.operation.label == "POST /v1/webhooks":
        return {"url": "https://93.184.215.14/told"}
    return body
"""


def test_every_address_is_described(locked: tuple[Any, str]) -> None:
    document = httpx.get(f"{locked[0].url}/openapi.json", timeout=60).json()
    assert document["openapi"].startswith("3.1")
    names = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (path, method)
            assert "500" in operation["responses"], (path, method)
            names.add(operation["operationId"])
    assert len(names) == sum(map(len, document["paths"].values()))
    made = [document["paths"][path]["post"]["responses"]["201"] for path in ("/v1/jobs", "/v1/webhooks")]
    linked = {link["operationId"] for answer in made for link in answer["links"].values()}
    assert len(linked) == 13
    assert linked <= names


def test_random_requests_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    _attacked(fresh, tmp_path, "--phases=examples,fuzzing", "--max-examples=2", "--seed=1")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thorough_requests_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    _attacked(fresh, tmp_path, "--phases=examples,coverage,fuzzing", "--max-examples=15")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_requests_that_follow_from_answers_find_nothing(fresh: tuple[Any, str], tmp_path: Path) -> None:
    """Jobs that were made are looked at, cancelled, resumed; webhooks tested and removed: each by the id that an answer gave."""
    positive = ("--phases=stateful", "--mode=positive", "--max-examples=10")
    said = _attacked(fresh, tmp_path, *positive, hooks=HOOKS + ORDERS)
    covered = re.search(r"API Links: +(\d+) covered", said)
    assert covered, said
    assert int(covered[1]) >= 4, said


def _attacked(served: tuple[Any, str], tmp_path: Path, *options: str, hooks: str = HOOKS) -> str:
    """What schemathesis says, which finds nothing."""
    server, key = served
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    (tmp_path / "orders.py").write_text(hooks)
    argv = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        str(tmp_path / "schemathesis.toml"),
        "run",
    ]
    argv += [
        f"{server.url}/openapi.json",
        "-H",
        f"Authorization: Bearer {key}",
        "--no-color",
        "--request-timeout=60",
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SCHEMATHESIS_HOOKS": "orders"}
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Tested: " in done.stdout
    assert "Traceback" not in server.output
    return done.stdout
