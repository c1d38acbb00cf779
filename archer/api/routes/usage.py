"""What a job used, by stage, and what that costs."""

from __future__ import annotations

from decimal import Decimal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from archer.api.auth import Caller, needs
from archer.api.owners import job_of
from archer.api.paths import JobId
from archer.api.problems import documented
from archer.api.services import Parts
from archer.api.settings import Settings
from archer.store.overview import nodes_of

router = APIRouter(prefix="/v1/jobs/{job:job}", tags=["usage"])
Reader = needs("jobs:read")


class NodeUsage(BaseModel):
    """What one node used."""

    node: str
    stage: str
    tries: int
    core_s: float = Field(description="Processor seconds of tries that counted.")
    wall_s: float
    wasted_tries: int = Field(description="Tries that failed, were lost, or were dropped.")
    wasted_wall_s: float
    output_bytes: int
    cost: str = Field(description="Decimal, of the currency of the whole.")


class Usage(BaseModel):
    """What a job used. Results that were known already cost nothing."""

    nodes: list[NodeUsage]
    core_s: float
    output_bytes: int
    cost: str
    currency: str
    price_core_h: str
    price_gb: str


@router.get("/usage", responses=documented(404))
def usage(job: JobId, parts: Parts, caller: Caller = Reader) -> Usage:
    """Core seconds, bytes and cost of a job so far, by node, at the prices of this server."""
    job_of(parts, caller, job)
    sizes = {
        row.node: sum(artifact.size for artifact in row.outputs.values())
        for row in nodes_of(parts.database, job)
    }
    settings = parts.settings
    rows = [
        NodeUsage(
            node=row.node,
            stage=row.stage,
            tries=row.tries,
            core_s=row.cpu_ms / 1000,
            wall_s=row.wall_ms / 1000,
            wasted_tries=row.wasted,
            wasted_wall_s=row.wasted_ms / 1000,
            output_bytes=sizes.get(row.node, 0),
            cost=str(cost(row.cpu_ms, sizes.get(row.node, 0), settings)),
        )
        for row in parts.history.costs(job)
    ]
    return Usage(
        nodes=rows,
        core_s=round(sum(row.core_s for row in rows), 3),
        output_bytes=sum(row.output_bytes for row in rows),
        cost=str(sum((Decimal(row.cost) for row in rows), Decimal())),
        currency=settings.currency,
        price_core_h=str(settings.price_core_h),
        price_gb=str(settings.price_gb),
    )


def cost(cpu_ms: int, size: int, settings: Settings) -> Decimal:
    """Price of processor time and bytes, to a millionth of the currency."""
    found = settings.price_core_h * cpu_ms / 3_600_000 + settings.price_gb * size / 10**9
    return found.quantize(Decimal("0.000001"))
