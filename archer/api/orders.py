"""What is submitted: confined to what may be read, checked as a plan, then kept; or only looked ahead."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from pydantic import BaseModel, Field

from archer import templates
from archer.api.models import Order
from archer.api.problems import FieldProblem, Problem
from archer.api.services import Services
from archer.api.settings import RUNS_ANYTHING
from archer.errors import PlaceRefused
from archer.media.asset import Asset
from archer.params import build
from archer.plan import JobSpec, make_plan
from archer.preview import costs, foresee, remembering
from archer.registry import STAGES, installed, load_stage
from archer.room import check_room
from archer.spec import spec_from_plain
from archer.store.history import JobRow

NAME = re.compile(r"[A-Za-z0-9._+-]*")
"""What is known by its name, where a setting may also name a file."""


class NodePreview(BaseModel):
    """What is known of one stage before it runs."""

    node: str
    stage: str
    known: int = Field(description="Tasks whose results are there already (memo hits).")
    missing: int = Field(description="Tasks that must run.")
    whole: bool = Field(description="False where more tasks appear once earlier ones have run.")
    core_s: float = Field(description="Processor seconds that it may take, by earlier jobs.")
    basis: str = Field(
        description="What that goes by: `same settings, 3 jobs`; `none` where nothing is known."
    )


class Preview(BaseModel):
    """What a job would do, and what that may cost. Nothing was kept."""

    dry_run: bool = True
    nodes: list[NodePreview]
    known: int
    missing: int
    core_s: float
    cost: str = Field(description="Decimal, at the prices of this server; without bytes of results.")
    currency: str


def accepted(
    parts: Services, order: Order, *, key: str | None, owner: str, notes: Mapping[str, Any] | None = None
) -> tuple[JobRow, bool]:
    """Check an order and keep it, with notes beside it; returns the job, and False where the key stands for it already.

    Raises:
        Problem, SpecError, IdempotencyConflict: it is refused.
    """
    check_room(parts.settings.work_dir)
    request = _numbered(
        confined(parts, order), sha256(f"{owner}\0{key}".encode()).hexdigest() if key else token_hex(32)
    )
    spec = _unread(templates.read_order(request))
    _check_writes(parts, spec)
    make_plan(spec)
    deadline = datetime.fromisoformat(order.deadline) if order.deadline else None
    return parts.queue.submit(
        json.dumps(request, sort_keys=True, ensure_ascii=False),
        key=key,
        owner=owner,
        queue=order.queue,
        priority=order.priority,
        deadline_ms=round(1000 * deadline.timestamp()) if deadline else None,
        notes={**(notes or {}), **({"tags": order.tags} if order.tags else {})},
    )


def preview(parts: Services, order: Order) -> Preview:
    """What an order would do. Raises: as `accepted`, and where the input cannot be read."""
    read = templates.read_order(_numbered(confined(parts, order), "dry run"))
    _check_writes(parts, _unread(read))
    plan = make_plan(read.spec())
    seen = foresee(plan, remembering(parts.database), parts.artifacts)
    expected = costs(parts.database, plan, seen)
    rows = []
    for each in seen:
        cost = expected[each.node]
        basis = f"same {'settings' if cost.same else 'stage'}, {cost.jobs} jobs" if cost.jobs else "none"
        rows.append(NodePreview(**asdict(each), core_s=cost.cpu_s, basis=basis))
    core_s = sum(row.core_s for row in rows)
    price = parts.settings.price_core_h * Decimal(str(round(core_s, 3))) / 3600
    return Preview(
        nodes=rows,
        known=sum(row.known for row in rows),
        missing=sum(row.missing for row in rows),
        core_s=round(core_s, 3),
        cost=str(price.quantize(Decimal("0.000001"))),
        currency=parts.settings.currency,
    )


def confined(parts: Services, order: Order) -> dict[str, Any]:
    """An order as the document that the queue keeps: only what is allowed is named in it, by its real place.

    Raises:
        Problem: it names what may not be read or run; says which field.
    """
    if (order.job is None) == (order.nodes is None):
        raise _refused("invalid-request", "/job", "wanted either `job` with `input`, or `nodes`")
    limits = {} if order.limits is None else {"limits": order.limits}
    if order.job is not None:
        if order.input is None:
            raise _refused("invalid-request", "/input", "a template needs `input`")
        return {
            "job": order.job,
            "input": _inputs(parts, order.input),
            "params": _readable(
                parts, order.params or {}, templates.template_named(order.job).reads, "/params"
            ),
            **limits,
        }
    if order.input is not None or order.params is not None:
        raise _refused("invalid-request", "/nodes", "nodes have inputs and params of their own")
    return {"nodes": {name: _node(parts, name, node) for name, node in (order.nodes or {}).items()}, **limits}


def _inputs(parts: Services, given: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(given, str):
        return _place(parts, given, "/input")
    return {name: _place(parts, url, f"/input/{name[:100]}") for name, url in given.items()}


def _node(parts: Services, name: str, node: Any) -> dict[str, Any]:
    where = f"/nodes/{name[:100]}"
    if not isinstance(node, dict) or not isinstance(node.get("stage"), str):
        raise _refused("invalid-job", f"{where}/stage", "wanted the name of a stage; see /v1/stages")
    stage, inputs = node["stage"], node.get("inputs") or {}
    if stage not in installed(STAGES):
        raise _refused(
            "invalid-job", f"{where}/stage", f"no stage {stage[:100]!r} is installed; see /v1/stages"
        )
    if stage in RUNS_ANYTHING and stage not in parts.settings.stages:
        detail = f"{stage} runs any program; start the server with --allow-stage {stage}"
        raise _refused("invalid-job", f"{where}/stage", detail)
    if not isinstance(inputs, dict):
        raise _refused("invalid-job", f"{where}/inputs", "wanted names and sources")
    loaded = load_stage(stage)
    checked = {
        key: _input(parts, source, loaded.inputs.get(key, ""), f"{where}/inputs/{key[:100]}")
        for key, source in inputs.items()
    }
    params = node.get("params")
    settings = (
        {"params": _readable(parts, params, loaded.reads, f"{where}/params")}
        if isinstance(params, dict)
        else {}
    )
    return {**node, **settings, "inputs": checked}


def _readable(parts: Services, params: dict[str, Any], names: Sequence[str], where: str) -> dict[str, Any]:
    """Settings whose files, where they name any, may be read; before anything looks whether those are there."""
    found = dict(params)
    for name in names:
        value = found.get(name)
        if isinstance(value, str) and (value.endswith(".json") or not NAME.fullmatch(value)):
            found[name] = _place(parts, value, f"{where}/{name}")
    return found


def _input(parts: Services, source: Any, kind: str, where: str) -> str:
    """A source: only text, since an identity or a hash given by a stranger could poison results of others."""
    if not isinstance(source, str):
        raise _refused("invalid-job", where, "wanted a URL, or node.output")
    return _place(parts, source, where) if kind.removesuffix("?") == "asset" else source


def _place(parts: Services, url: str, where: str) -> str:
    try:
        return parts.inputs.checked(url)
    except PlaceRefused as error:
        remedy = "whoever runs the server allows more with --allow-input"
        raise _refused("input-refused", where, f"{error}; {remedy}") from error


def _check_writes(parts: Services, spec: JobSpec) -> None:
    """Refuse places outside of the store that may not be written; before anything looks there."""
    for node in spec.nodes:
        stage = load_stage(node.stage)
        params = build(stage.params, node.params, f"nodes.{node.id}.params") if stage.writes else None
        for name in stage.writes:
            url, where = getattr(params, name), f"/nodes/{node.id}/params/{name}"
            try:
                place = parts.outputs.checked(url, exists=False)
            except PlaceRefused as error:
                remedy = "whoever runs the server allows more with --allow-output"
                raise _refused("output-refused", where, f"{error}; {remedy}") from error
            if place != url:
                raise _refused("output-refused", where, f"wanted the whole path without links: {place}")


def _numbered(request: dict[str, Any], number: str) -> dict[str, Any]:
    """Name the order where something is written outside of the store: another order writes again. The same key names the same."""
    if "job" in request:
        params = request["params"]
        names = {field.name for field in fields(templates.template_named(request["job"]).params)}
        if {"order", "output"} <= names and params.get("output") and "order" not in params:
            return {**request, "params": {**params, "order": number[:32]}}
        return request
    nodes = {
        name: {**node, "params": {**(node.get("params") or {}), "order": number[:32]}}
        if load_stage(node["stage"]).writes
        else node
        for name, node in request["nodes"].items()
    }
    return {**request, "nodes": nodes}


def _refused(kind: str, where: str, detail: str) -> Problem:
    return Problem(kind, f"{where}: {detail}", errors=[FieldProblem(pointer=where, detail=detail)])


def _unread(order: templates.Order) -> JobSpec:
    """The job of an order whose inputs nobody has read: as good as the real one to find out whether it fits together."""
    if order.template is not None:
        assets = {name: _nameless(url) for name, url in order.urls.items()}
        return order.template.build(assets, order.params)
    nodes = {
        name: {**node, "inputs": dict(node.get("inputs") or {})}
        for name, node in order.plain["nodes"].items()
    }
    for place, url in order.urls.items():
        name, _, source = place.rpartition(".")
        nodes[name]["inputs"][source] = {"asset": asdict(_nameless(url))}
    return spec_from_plain({**order.plain, "nodes": nodes}, Path("/"))


def _nameless(url: str) -> Asset:
    return Asset(url=url, identity="", size=0)
