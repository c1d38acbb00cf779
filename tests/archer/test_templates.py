"""What is submitted names a kind of job or its nodes; whatever does not fit is refused by its field, before anything is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archer.errors import SpecError
from archer.registry import JOBS, installed
from archer.schema import json_schema
from archer.templates import read_order, template_named
from cinemill_native.errors import CinemillError


@pytest.mark.parametrize("name", sorted(installed(JOBS)))
def test_every_kind_of_job_has_a_schema_and_refuses_what_it_does_not_know(name: str) -> None:
    template = template_named(name)
    assert template.name == name
    assert template.summary.endswith(".")
    assert json_schema(template.params)["properties"]
    where: Any = {side: f"s3://in/{side}.mov" for side in template.inputs}
    where = where if len(where) > 1 else next(iter(where.values()))
    order = read_order({"job": name, "input": where, "limits": {"budget_cpu_s": 60}})
    assert set(order.urls) == set(template.inputs)
    assert order.limits.budget_cpu_s == 60
    with pytest.raises(SpecError, match="no such setting"):
        read_order({"job": name, "input": where, "params": {"nonsense": 1}})


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("[]", "document"),
        ("{", "document"),
        ('{"nodes": {}}', "nodes"),
        ({"job": "nothing", "input": "x"}, "job"),
        ({"job": "os:system", "input": "x"}, "job"),
        ({"job": 7, "input": "x"}, "job"),
        ({"job": "shots"}, "input"),
        ({"job": "shots", "input": {"other": "x"}}, "input"),
        ({"job": "score", "input": "s3://x/y"}, "input"),
        ({"job": "score", "input": {"reference": "a", "distorted": 3}}, "input.distorted"),
        ({"job": "shots", "input": "x", "more": 1}, "more"),
        ({"job": "shots", "input": "x", "params": []}, "params"),
        ({"nodes": {"a": {"stage": "os:system"}}}, "nodes.a.stage"),
        ({"nodes": {"a": {"stage": "nothing"}}}, "nodes.a.stage"),
        ({"nodes": {"a": []}}, "nodes.a.stage"),
        ({"nodes": {"a": {"stage": "ingest", "inputs": 3}}}, "nodes.a.inputs"),
        ({"nodes": {"a": {"stage": "ingest"}}, "job_": 1}, "job_"),
    ],
)
def test_what_does_not_fit_is_named(document: Any, field: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_order(document)
    assert caught.value.field == field


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(SpecError, match="not JSON"):
        read_order("[" * 100_000)


def test_the_urls_of_all_assets_are_known_before_they_are_read() -> None:
    """Whoever takes documents from others looks at these; nothing else of a document is opened."""
    nodes = {
        "one": {"stage": "ingest", "inputs": {"asset": "s3://in/a.mov"}},
        "two": {"stage": "ingest", "inputs": {"asset": "etc/passwd"}},
        "three": {"stage": "ingest", "inputs": {"asset": {"asset": "file:///etc/passwd"}}},
        "four": {
            "stage": "ingest",
            "inputs": {"asset": {"asset": {"url": "/x", "identity": "y", "size": 1}}},
        },
        "five": {"stage": "shots", "inputs": {"asset": "plain", "media": "one.media"}},
    }
    assert read_order(json.dumps({"nodes": nodes})).urls == {
        "one.asset": "s3://in/a.mov",
        "two.asset": "/etc/passwd",
        "three.asset": "file:///etc/passwd",
        "four.asset": "/x",
        "five.asset": "/plain",
    }


def test_numbers_are_taken_where_settings_are_decimal_text() -> None:
    order = read_order({"job": "encode", "input": "x.mov", "params": {"crf": 24.5, "gop_s": 2, "threads": 2}})
    assert (order.params.crf, order.params.gop_s, order.params.threads) == ("24.5", "2", 2)
    with pytest.raises(CinemillError, match="contradicts"):
        read_order({"job": "encode", "input": "x.mov", "params": {"crf": 24, "target_vmaf": 95}})
