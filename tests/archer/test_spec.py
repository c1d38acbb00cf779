"""Specs as people write them: errors point at the field, and what a folder keeps reads back as what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path

import pytest

from archer import JobSpec, Limits, Node, Terms, run
from archer.errors import SpecError
from archer.plan import make_plan
from archer.schema import json_schema
from archer.spec import read_spec, spec_from_plain, spec_from_text, spec_to_text
from archer.store import History


def test_a_yaml_spec_is_read_with_its_terms_and_limits(toys: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(
        f"""
nodes:
  sum:
    stage: "{toys}:Sum"
    params: {{n: 4, quality: "0.5"}}
    terms: {{deadline: 2026-12-01T06:00:00Z, queue: q, exclusive: device-1, min_success: 9/10}}
  bag: {{stage: "{toys}:Bag", inputs: {{total: sum.total}}}}
limits: {{queues: {{q: 2}}, budget_cpu_s: 60}}
"""
    )
    spec = read_spec(tmp_path / "job.yaml")
    assert spec.nodes[0].terms == Terms(
        deadline_s=1796104800, queue="q", exclusive=("device-1",), min_success=Fraction(9, 10)
    )
    assert spec.limits == Limits(queues={"q": 2}, budget_cpu_s=60)
    assert run(spec, work_dir=tmp_path / "w", executor="inline").state == "done"


def test_titles_are_found_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "title.bin").write_bytes(b"x")
    spec = spec_from_plain({"nodes": {"i": {"stage": "ingest", "inputs": {"asset": "title.bin"}}}}, tmp_path)
    assert spec.nodes[0].inputs["asset"].size == 1  # type: ignore[union-attr]


def test_a_kept_spec_is_the_same_job(toys: str, tmp_path: Path) -> None:
    nodes = [
        Node(
            id="sum", stage=f"{toys}:Sum", params={"n": 3, "quality": Decimal("0.25")}, terms=Terms(queue="x")
        ),
        Node(id="bag", stage=f"{toys}:Bag", inputs={"total": "sum.total"}),
    ]
    spec = JobSpec(nodes=nodes, limits=Limits(budget_cpu_s=9))
    again = spec_from_text(spec_to_text(spec))
    assert make_plan(again).job == make_plan(spec).job
    assert spec_to_text(again) == spec_to_text(spec)
    result = run(spec, work_dir=tmp_path, executor="inline")
    with History(tmp_path) as history:
        assert make_plan(spec_from_text(history.job().spec)).job == result.job


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        ([], "spec", "wanted a mapping, got list"),
        ({"nodes": {}}, "nodes", "at least one"),
        ({"node": {}}, "spec.node", "no such field; known: nodes"),
        ({"nodes": {"a": {"inputs": {}}}}, "nodes.a.stage", "name of a stage"),
        ({"nodes": {"a": {"stage": "nonsense"}}}, "nodes.a.stage", "unknown 'nonsense'"),
        ({"nodes": {"a": {"stage": "ingest", "input": {}}}}, "nodes.a.input", "no such field"),
        ({"nodes": {"a": {"stage": "ingest", "inputs": {"asset": 3}}}}, "nodes.a.inputs.asset", "got int"),
        ({"nodes": {"a": {"stage": "ingest", "terms": {"min_success": "most"}}}}, "nodes.a.terms", "9/10"),
        ({"nodes": {"a": {"stage": "ingest"}}, "limits": {"budget": 1}}, "limits.budget", "no such setting"),
    ],
)  # fmt: skip
def test_errors_point_at_the_field(value: object, field: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        spec_from_plain(value, tmp_path)
    assert caught.value.field == field
    assert words in caught.value.problem


def test_what_is_no_yaml_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("nodes: [")
    with pytest.raises(SpecError, match="not YAML") as caught:
        read_spec(tmp_path / "job.yaml")
    assert "\n" not in str(caught.value)


def test_a_cycle_is_named(toys: str) -> None:
    nodes = [
        Node(id="b", stage=f"{toys}:Round", inputs={"thing": "c.thing"}),
        Node(id="c", stage=f"{toys}:Round", inputs={"thing": "b.thing"}),
    ]
    with pytest.raises(SpecError, match="a cycle: b, c wait for each other"):
        make_plan(JobSpec(nodes=nodes))


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True, kw_only=True)
class Inner:
    a: int = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    name: str
    bins: int = 4
    ratio: Fraction = Fraction(1, 2)
    speed: Speed = Speed.FAST
    sizes: tuple[int, ...] = ()
    pair: tuple[int, str] = (1, "x")
    inner: Inner | None = None


def test_the_schema_of_settings_says_types_defaults_and_what_is_needed() -> None:
    schema = json_schema(Settings)
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    found = schema["properties"]
    assert found["bins"] == {"type": "integer", "default": 4}
    assert found["ratio"]["default"] == "1/2"
    assert found["speed"]["enum"] == ["slow", "fast"]
    assert found["sizes"]["items"] == {"type": "integer"}
    assert found["pair"]["prefixItems"] == [{"type": "integer"}, {"type": "string"}]
    assert found["inner"]["anyOf"][0]["properties"]["a"] == {"type": "integer", "default": 1}

    @dataclass(frozen=True)
    class Bad:
        x: float = 0.5

    with pytest.raises(TypeError, match=r"Bad\.x"):
        json_schema(Bad)
