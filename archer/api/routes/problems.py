"""The pages behind the `type` of a problem."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from archer.api.problems import KINDS, PAGES, Problem, documented

router = APIRouter(prefix=PAGES, tags=["problems"])


class KindView(BaseModel):
    """One kind of problem and what helps."""

    type: str
    title: str
    status: int
    remedy: str


@router.get("", responses=documented())
async def kinds() -> list[KindView]:
    """All kinds of problems that this server tells of."""
    return [_view(name) for name in KINDS]


@router.get("/{name:word}", responses=documented(404))
async def kind(name: Annotated[str, Path(pattern=r"^[a-z-]{1,40}$")]) -> KindView:
    """One kind of problem, and what helps."""
    if name not in KINDS:
        raise Problem("not-found", f"there is no kind {name}")
    return _view(name)


def _view(name: str) -> KindView:
    found = KINDS[name]
    return KindView(type=f"{PAGES}/{name}", title=found.title, status=found.status, remedy=found.remedy)
