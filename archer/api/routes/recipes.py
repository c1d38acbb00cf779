"""Job templates and presets as AWS MediaConvert has them: kept under a name, used by CreateJob. Each person has their own.

What is in them is looked at when a job uses them. Not part of OpenAPI: botocore has its schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from archer.api import cursor
from archer.api.auth import Caller
from archer.api.aws import answered
from archer.api.problems import Problem
from archer.api.services import Parts, Services
from archer.store.recipes import Recipe

router = APIRouter(prefix="/2017-08-29", include_in_schema=False)
NAME = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
MOST = 20
FIELDS = {
    "JobTemplate": (
        "Description",
        "Settings",
        "Queue",
        "Priority",
        "AccelerationSettings",
        "StatusUpdateInterval",
        "Tags",
    ),
    "Preset": ("Description", "Settings", "Tags"),
}
"""What is kept of a request, beside its name and category."""
WORDS = {"JobTemplate": "jobTemplates", "Preset": "presets"}


def _add_routes(kind: str, word: str) -> None:
    """Create, get, list, update and delete of one kind."""

    async def create(request: Request, parts: Parts) -> Response:
        return await answered(
            request, "jobs:write", lambda *given: (201, {kind: _create(parts, kind, *given)})
        )

    async def get(request: Request, parts: Parts, name: str) -> Response:
        return await answered(
            request, "jobs:read", lambda caller, _: (200, {kind: _view(_found(parts, caller, kind, name))})
        )

    async def change(request: Request, parts: Parts, name: str) -> Response:
        return await answered(
            request, "jobs:write", lambda *given: (200, {kind: _change(parts, kind, name, *given)})
        )

    async def remove(request: Request, parts: Parts, name: str) -> Response:
        def work(caller: Caller, _: Any) -> tuple[int, dict[str, Any]]:
            _found(parts, caller, kind, name)
            if not parts.recipes.remove(caller.owner, kind, name):
                raise _missing(kind, name)
            return 202, {}

        return await answered(request, "jobs:write", work)

    async def page(request: Request, parts: Parts) -> Response:
        return await answered(
            request, "jobs:read", lambda caller, _: (200, _page(parts, caller, kind, request.query_params))
        )

    router.add_api_route(f"/{word}", create, methods=["POST"])
    router.add_api_route(f"/{word}", page, methods=["GET"])
    router.add_api_route(f"/{word}/{{name}}", get, methods=["GET"])
    router.add_api_route(f"/{word}/{{name}}", change, methods=["PUT"])
    router.add_api_route(f"/{word}/{{name}}", remove, methods=["DELETE"])


for _kind, _word in WORDS.items():
    _add_routes(_kind, _word)


def _create(parts: Services, kind: str, caller: Caller, body: Any) -> dict[str, Any]:
    given = _checked(kind, body)
    name = given.get("Name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Problem("invalid-request", "Name: wanted 1 to 200 characters, no / and no control characters")
    if not isinstance(given.get("Settings"), Mapping):
        raise Problem("invalid-request", "Settings: wanted an object")
    if not parts.recipes.add(caller.owner, kind, name, _category(given, ""), _body(kind, given)):
        raise Problem("name-taken", f"Name: there is a {kind} {name!r} already")
    return _view(_found(parts, caller, kind, name))


def _change(parts: Services, kind: str, name: str, caller: Caller, body: Any) -> dict[str, Any]:
    """What is given replaces what was kept of that field."""
    given, before = _checked(kind, body), _found(parts, caller, kind, name)
    category = _category(given, before.category)
    parts.recipes.change(caller.owner, kind, name, category, {**before.body, **_body(kind, given)})
    return _view(_found(parts, caller, kind, name))


def _category(given: Mapping[str, Any], before: str) -> str:
    value = given.get("Category", before)
    if not isinstance(value, str) or (value and not NAME.fullmatch(value)):
        raise Problem(
            "invalid-request", "Category: wanted up to 200 characters, no / and no control characters"
        )
    return value


def _checked(kind: str, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise Problem("invalid-request", "wanted an object")
    for name in body:
        if name not in ("Name", "Category", *FIELDS[kind]):
            raise Problem("invalid-request", f"{name}: is not kept here; leave it out")
    return body


def _body(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in FIELDS[kind] if name in given}


def _found(parts: Services, caller: Caller, kind: str, name: str) -> Recipe:
    found = parts.recipes.get(caller.owner, kind, name) if NAME.fullmatch(name) else None
    if found is None:
        raise _missing(kind, name)
    return found


def _missing(kind: str, name: str) -> Problem:
    return Problem("not-found", f"there is no {kind} {name[:100]!r}")


def _page(parts: Services, caller: Caller, kind: str, query: Mapping[str, str]) -> dict[str, Any]:
    """In the order of names, which is AWS's default; `listBy` of another order gives the same."""
    category = query.get("category")
    if query.get("listBy") == "SYSTEM" or (category and not NAME.fullmatch(category)):
        return {f"{kind}s": []}  # we bring none along, and keep none in what is no category
    most = query.get("maxResults", "")
    count = min(max(int(most), 1), MOST) if most.isdigit() else MOST
    after, down = cursor.text_after(kind, query.get("nextToken")), query.get("order") == "DESCENDING"
    rows = parts.recipes.page(caller.owner, kind, after, count + 1, category=category, down=down)
    further = {"NextToken": cursor.encode(kind, rows[count - 1].name)} if len(rows) > count else {}
    return {f"{kind}s": [_view(row) for row in rows[:count]], **further}


def _view(row: Recipe) -> dict[str, Any]:
    return {
        "Arn": f"arn:cinemill:mediaconvert:::{WORDS[row.kind]}/{row.name}",
        "Name": row.name,
        "Type": "CUSTOM",
        **({"Category": row.category} if row.category else {}),
        "CreatedAt": row.made_ms / 1000,
        "LastUpdated": row.changed_ms / 1000,
        **row.body,
    }
