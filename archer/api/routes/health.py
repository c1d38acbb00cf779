"""Is it alive, is it of use, what does it count."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from archer.api.auth import Caller, needs
from archer.api.problems import Problem, documented
from archer.api.services import Parts

router = APIRouter()
Reader = needs("metrics:read")


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


@router.get("/healthz", tags=["server"], responses=documented())
async def health() -> Health:
    """The process lives. Asks nothing of the database, and needs no key."""
    return Health()


@router.get("/readyz", tags=["server"], responses=documented())
def ready(parts: Parts) -> Health:
    """The database answers, so requests can be served. Needs no key."""
    try:
        parts.database.read(lambda connection: connection.execute(sa.text("SELECT 1")).scalar())
    except Exception as error:
        raise Problem("busy", "the database does not answer", headers={"Retry-After": "5"}) from error
    return Health()


@router.get(
    "/metrics",
    tags=["server"],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
)
def metrics(parts: Parts, _: Caller = Reader) -> Response:
    """Counters in the text format of Prometheus."""
    parts.metrics.jobs.clear()
    for (_queue, state), number in parts.queue.counts().items():
        parts.metrics.jobs.labels(state).inc(number)
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)
