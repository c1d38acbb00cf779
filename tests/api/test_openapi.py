"""The API does what its OpenAPI says, whatever is sent to it: schemathesis against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 8
"""Random requests per operation; the ones that schemathesis thinks of by itself (borders, wrong methods) come on top."""
ENDLESS = {"/v1/events"}
"""A stream that ends with its client only."""


def test_every_address_is_described(locked: tuple[Any, str]) -> None:
    """An operation without description or example of a refusal is one that nobody can use."""
    document = httpx.get(f"{locked[0].url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    names = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"], (path, method)
            assert "500" in operation["responses"], (path, method)
            names.add(operation["operationId"])
    assert len(names) == sum(map(len, document["paths"].values()))
