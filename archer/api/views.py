"""Rows of the store as documents of the API."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from archer.api.models import JobSummary, JobView, NodeView, iso
from archer.api.services import Services
from archer.store.history import JobRow
from archer.store.overview import NodeRow, last_failures, nodes_of
from archer.store.transitions import OVER

SETTLED = ("done", "poisoned", "cancelled")


def summary(row: JobRow) -> dict[str, Any]:
    """Fields of a job in a list."""
    tags = json.loads(row.notes).get("tags", {})
    found = JobSummary(
        id=row.id,
        state=row.state,  # type: ignore[arg-type]  # checked by the model
        wanted=row.wanted,
        queue=row.queue,
        priority=row.priority,
        deadline=iso(row.deadline_ms),
        owner=row.owner,
        tags={str(name): str(value) for name, value in tags.items()},
        submitted=iso(row.submitted_ms),
        started=iso(row.begun_ms),
        ended=iso(row.ended_ms),
        runs=row.runs,
    )
    return found.model_dump()


def view(parts: Services, row: JobRow) -> JobView:
    """A job with its nodes."""
    rows = nodes_of(parts.database, row.id)
    failed = row.state in ("failed", "partial")
    return JobView(
        **summary(row),
        request=json.loads(row.request or "{}"),
        done=1.0 if row.state in ("done", "partial") else share(rows),
        nodes=[_node(node) for node in rows],
        failures=last_failures(parts.database, row.id) if failed else [],
    )


def share(rows: Sequence[NodeRow]) -> float:
    """Share of a job that is done: each node counts the same, and in it each known task. Rounded to four decimals."""
    if not rows:
        return 0.0
    return round(sum(map(_share, rows)) / len(rows), 4)


def is_over(row: JobRow) -> bool:
    """Nothing of the job runs or waits to run."""
    return row.state in OVER


def _share(row: NodeRow) -> float:
    if row.state == "done":
        return 1.0
    total = sum(row.tasks.values())
    settled = sum(row.tasks.get(state, 0) for state in SETTLED)
    return min(settled / max(total, row.items, 1), 0.99)


def _node(row: NodeRow) -> NodeView:
    return NodeView(
        node=row.node,
        stage=row.stage,
        version=row.version,
        state=row.state,  # type: ignore[arg-type]  # checked by the model
        items=row.items,
        tasks=dict(row.tasks),
    )
