"""Templates: kinds of jobs that can be submitted by name, with schemas of their settings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from archer.api.auth import Caller, needs
from archer.api.problems import Problem, documented
from archer.errors import SpecError
from archer.registry import JOBS, installed
from archer.schema import json_schema
from archer.templates import template_named

router = APIRouter(prefix="/v1/templates", tags=["templates"])
Reader = needs("jobs:read")


class TemplateView(BaseModel):
    """A kind of job."""

    name: str
    summary: str
    inputs: list[str] = Field(description="Names of the titles that it reads; the only one is given as text.")
    more: list[str] = Field(
        default_factory=list,
        description="Names of further inputs, in any number, each with its number: `join1`, `join2`.",
    )
    params: dict[str, Any] = Field(description="JSON schema of its settings.")


@router.get("", responses=documented())
def templates(_: Caller = Reader) -> list[TemplateView]:
    """All kinds of jobs that are installed, by name."""
    return [_view(name) for name in sorted(installed(JOBS))]


@router.get("/{name:word}", responses=documented(404))
def template(
    name: Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")], _: Caller = Reader
) -> TemplateView:
    """One kind of job, with the JSON schema of its settings."""
    if name not in installed(JOBS):
        raise Problem("not-found", f"no template {name[:100]!r} is installed")
    return _view(name)


def _view(name: str) -> TemplateView:
    try:
        found = template_named(name)
    except SpecError as error:
        raise Problem("not-found", str(error)) from error
    return TemplateView(
        name=name,
        summary=found.summary,
        inputs=list(found.inputs),
        more=list(found.more),
        params=json_schema(found.params),
    )
