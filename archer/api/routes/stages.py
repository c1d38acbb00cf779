"""Stages that jobs can be made of, with schemas of their settings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from archer.api.auth import Caller, needs
from archer.api.problems import Problem, documented
from archer.api.services import Parts
from archer.api.settings import RUNS_ANYTHING
from archer.errors import SpecError
from archer.registry import STAGES, distribution_of, installed, load_stage
from archer.schema import json_schema

router = APIRouter(prefix="/v1/stages", tags=["stages"])
Reader = needs("jobs:read")


class StageSummary(BaseModel):
    """A stage that is installed."""

    name: str
    distribution: str = Field(description="Who brought it, with its version.")
    allowed: bool = Field(description="False for what runs any program; this server must allow it by name.")


class StageView(StageSummary):
    """A stage: what it takes, what it gives, its settings."""

    version: int
    inputs: dict[str, str] = Field(description="Name -> kind; `?` at its end where it may be left out.")
    outputs: dict[str, str]
    params: dict[str, Any] = Field(description="JSON schema of its settings.")


@router.get("", responses=documented())
def stages(parts: Parts, _: Caller = Reader) -> list[StageSummary]:
    """All stages that are installed, by name."""
    return [_summary(parts, name) for name in sorted(installed(STAGES))]


@router.get("/{name:word}", responses=documented(404))
def stage(
    name: Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_.-]+$")], parts: Parts, _: Caller = Reader
) -> StageView:
    """One stage, with the JSON schema of its settings."""
    if name not in installed(STAGES):
        raise Problem("not-found", f"no stage {name[:100]!r} is installed")
    try:
        found = load_stage(name)
    except SpecError as error:
        raise Problem("not-found", str(error)) from error
    return StageView(
        **_summary(parts, name).model_dump(),
        version=found.version,
        inputs=dict(found.inputs),
        outputs=dict(found.outputs),
        params=json_schema(found.params),
    )


def _summary(parts: Parts, name: str) -> StageSummary:
    allowed = name not in RUNS_ANYTHING or name in parts.settings.stages
    return StageSummary(name=name, distribution=distribution_of(STAGES, name), allowed=allowed)
