"""Queues: how much waits and runs, and how much may."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from archer.api.auth import Caller, needs
from archer.api.keys import ALL_JOBS
from archer.api.models import Taken, Whole
from archer.api.problems import Problem, documented
from archer.api.services import Parts

router = APIRouter(prefix="/v1/queues", tags=["queues"])
Reader, Writer = needs("jobs:read"), needs("jobs:write")
QueueName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class QueueLimits(Taken):
    """What a queue may do."""

    most: Annotated[int, Field(ge=1, le=100000), Whole] | None = Field(
        default=None, description="Jobs of it that run at once; null for any number."
    )
    paused: bool = Field(default=False, description="Begin none of it; what runs goes on.")


class QueueView(BaseModel):
    """A queue."""

    name: str
    most: int | None
    paused: bool
    jobs: dict[str, int] = Field(description="Number of its jobs by state.")


@router.get("", responses=documented())
def queues(parts: Parts, caller: Caller = Reader) -> list[QueueView]:
    """Queues that have jobs or limits, by name, with the numbers of the jobs that you reach."""
    return _views(parts, caller)


@router.put("/{name:word}", responses=documented(404, 413, 415))
def limit(name: QueueName, limits: QueueLimits, parts: Parts, caller: Caller = Writer) -> QueueView:
    """Say how many jobs of a queue run at once, and whether any are begun. They are everybody's: it needs `jobs:all` too."""
    if not caller.may(ALL_JOBS):
        raise Problem("wrong-scope", f"it needs the scope {ALL_JOBS} too: the queue has jobs of others")
    parts.queue.set_queue(name, most=limits.most, paused=limits.paused)
    return next(view for view in _views(parts, caller) if view.name == name)


def _views(parts: Parts, caller: Caller) -> list[QueueView]:
    limits = {row.name: row for row in parts.queue.queues()}
    counts: dict[str, dict[str, int]] = {name: {} for name in limits}
    for (name, state), number in parts.queue.counts(caller.reach).items():
        counts.setdefault(name, {})[state] = number
    return [
        QueueView(
            name=name,
            most=limits[name].most if name in limits else None,
            paused=name in limits and limits[name].paused,
            jobs=counts[name],
        )
        for name in sorted(counts)
    ]
