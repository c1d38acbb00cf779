"""Submitting by hand: a form made of the settings of a kind of job; what does not fit is said beside its field."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from archer.api.auth import Caller
from archer.api.dashboard import fields
from archer.api.dashboard.fields import NotRead
from archer.api.dashboard.forms import form_of
from archer.api.dashboard.page import page
from archer.api.dashboard.route import go, router
from archer.api.dashboard.session import viewer
from archer.api.errors import problem_of
from archer.api.models import Order
from archer.api.orders import Preview, accepted, preview
from archer.api.owners import job_of
from archer.api.problems import Problem
from archer.api.routes.templates import TemplateView, templates
from archer.api.services import Parts, Services
from archer.errors import SpecError
from cinemill_native.errors import CinemillError

pages = router()
Writer = viewer("jobs:write")
NODES = TemplateView(
    name="nodes", summary="Stages joined by hand, as JSON.", inputs=[], params={"properties": {}}
)
FIRST = 6
"""Settings that are shown at once; the others are behind a summary."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """What was typed, and what is wrong with it: by field, and as a whole."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    plan: Preview | None = None


@pages.get("/jobs/new")
def blank(
    request: Request,
    parts: Parts,
    kind: Annotated[str, Query(alias="job", max_length=64)] = "",
    like: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    caller: Caller = Writer,
) -> Response:
    """An empty form, or one that is filled as an earlier job was."""
    known = kinds(caller)
    if like:
        order = json.loads(job_of(parts, caller, like).request or "{}")
        chosen = _chosen(known, order.get("job", "nodes"))
        return _form(request, known, chosen, Draft(values=_typed(chosen, order)))
    return _form(request, known, _chosen(known, kind), Draft(values={}))


@pages.post("/jobs/new")
async def sent(request: Request, parts: Parts, caller: Caller = Writer) -> Response:
    """Submit what was typed, or only look ahead."""
    form = await form_of(request)
    return await run_in_threadpool(_sent, request, parts, form, caller)


def kinds(caller: Caller) -> dict[str, TemplateView]:
    """Kinds of jobs by name: all templates, and nodes by hand."""
    return {**{each.name: each for each in templates(caller)}, NODES.name: NODES}


def _sent(request: Request, parts: Services, form: dict[str, str], caller: Caller) -> Response:
    known = kinds(caller)
    chosen = _chosen(known, form.get("job", ""))
    draft = Draft(values=form)
    try:
        order = Order.model_validate(document(chosen, form))
        if form.get("do") != "plan":
            row, _ = accepted(parts, order, key=form.get("key") or None, owner=caller.owner)
            return go(f"/jobs/{row.id}")
        draft.plan = preview(parts, order)
    except (NotRead, ValidationError, Problem, CinemillError) as error:
        _note(draft, error, _names(chosen))
    return _form(request, known, chosen, draft, status=422 if draft.errors or draft.general else 200)


def document(chosen: TemplateView, form: Mapping[str, str]) -> dict[str, Any]:
    """The order that was typed. Raises NotRead."""
    found: dict[str, Any] = {"queue": form.get("queue") or "default"}
    if form.get("deadline"):
        found["deadline"] = form["deadline"]
    wrong = fields.Gathered()
    with wrong:
        found["priority"] = _priority(form)
    for name in ("tags", "limits"):
        with wrong:
            value = fields.json_object(form, name)
            found |= {name: value} if value else {}
    with wrong:
        found |= _work(chosen, form)
    wrong.settle()
    return found


def _work(chosen: TemplateView, form: Mapping[str, str]) -> dict[str, Any]:
    """What is to be done: nodes, or a template with its inputs and settings."""
    if chosen is NODES:
        return {"nodes": fields.json_object(form, "nodes")}
    wrong = fields.Gathered()
    inputs = {name: form.get(fields.INPUT + name, "") for name in chosen.inputs}
    with wrong:
        missing = [fields.INPUT + name for name, url in inputs.items() if not url]
        if missing:
            raise NotRead(dict.fromkeys(missing, "wanted the address of a title"))
    params: dict[str, Any] = {}
    with wrong:
        params = fields.read(chosen.params, form)
    more: dict[str, Any] = {}
    with wrong:
        more = fields.json_object(form, fields.MORE) if chosen.more else {}
    wrong.settle()
    given = {**more, **inputs}
    only = next(iter(given.values())) if len(given) == 1 else given
    return {"job": chosen.name, "input": only, "params": params}


def _form(
    request: Request, known: dict[str, TemplateView], chosen: TemplateView, draft: Draft, *, status: int = 200
) -> Response:
    draft.values.setdefault("key", secrets.token_hex(16))
    rows = fields.fields_of(chosen.params)
    return page(
        request,
        "new.html",
        status=status,
        title="New job",
        kinds=known,
        chosen=chosen,
        first=rows[:FIRST],
        others=rows[FIRST:],
        opened=[row.name for row in rows if fields.PREFIX + row.name in {*draft.errors, *_filled(draft)}],
        draft=draft,
    )


def _filled(draft: Draft) -> list[str]:
    return [name for name, value in draft.values.items() if value]


def _chosen(known: dict[str, TemplateView], name: str) -> TemplateView:
    usual = "encode" if "encode" in known else next(iter(known))
    return known.get(name) or known[usual]


def _names(chosen: TemplateView) -> list[str]:
    inputs = [*(fields.INPUT + name for name in chosen.inputs), *([fields.MORE] if chosen.more else [])]
    settings = [fields.PREFIX + name for name in chosen.params["properties"]]
    return [*inputs, *settings, *fields.TERMS, fields.FURTHER]


def _note(draft: Draft, error: Exception, names: list[str]) -> None:
    """Put what is wrong beside its field, or above all of them."""
    for pointer, text in _said(error):
        name = pointer if pointer in names else fields.field_at(pointer, names)
        if name:
            draft.errors.setdefault(name, text)
        else:
            draft.general.append(text)


def _said(error: Exception) -> list[tuple[str, str]]:
    """(where, what) of all that is wrong."""
    match error:
        case NotRead():
            return list(error.problems.items())
        case ValidationError():
            return [("/".join(map(str, each["loc"])), str(each["msg"])) for each in error.errors()]
        case Problem() if error.errors:
            return [(each.pointer, each.detail) for each in error.errors]
        case Problem():
            return [("", error.detail)]
        case SpecError():
            return [(error.field, error.problem if _in_form(error.field) else str(error))]
        case CinemillError():
            if problem_of(error) is None:
                raise error
            return [(str(getattr(error, "setting", "")), str(error))]
    raise error


def _in_form(place: str) -> bool:
    return place.startswith(("params.", "input"))


def _priority(form: Mapping[str, str]) -> int:
    text = form.get("priority") or "0"
    try:
        return int(text)
    except ValueError as error:
        raise NotRead({"priority": "wanted a whole number, -1000 to 1000"}) from error


def _typed(chosen: TemplateView, order: Mapping[str, Any]) -> dict[str, str]:
    """An order as it would be typed."""
    inputs = order.get("input") or {}
    if isinstance(inputs, str):
        inputs = {chosen.inputs[0]: inputs} if chosen.inputs else {}
    found = {fields.INPUT + name: str(url) for name, url in inputs.items() if name in chosen.inputs}
    more = {name: url for name, url in inputs.items() if name not in chosen.inputs}
    found |= {fields.MORE: json.dumps(more, indent=2, ensure_ascii=False)} if more else {}
    found |= fields.written(chosen.params, order.get("params") or {})
    for name in ("nodes", "limits"):
        if order.get(name):
            found[name] = json.dumps(order[name], indent=2, ensure_ascii=False)
    return found
