"""What a run cost, for the report: written beside it, since the same work never costs the same twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archer.store.history import History

FILE = "cost.js"
VARIABLE = "cinemillCost"
PAGE = 1000


def cost_of(root: Path, job: str) -> dict[str, Any]:
    """Processor seconds, tries and reused results of each node of a job, in the order of its plan.

    Args:
        root: the work folder.
        job: identity of the job.
    """
    from archer.store.history import History  # with it comes SQLAlchemy, half a second that no refusal needs

    with History(root) as history:
        reused = _reused(history, job)
        costs = list(history.costs(job))
        nodes = [
            {
                "node": cost.node,
                "stage": cost.stage,
                "cpu_s": cost.cpu_ms / 1000,
                "wall_s": cost.wall_ms / 1000,
                "tries": int(cost.tries),
                "wasted": int(cost.wasted),
                "reused": reused[cost.node],
            }
            for cost in costs
        ]
    return {"nodes": nodes, "cpu_s": sum(cost.cpu_ms for cost in costs) / 1000}


def cost_script(cost: dict[str, Any]) -> bytes:
    """The file that the report reads: a script, since a page from disk may not read anything else."""
    return f"globalThis.{VARIABLE} = {json.dumps(cost)};\n".encode()


def read_cost(folder: Path) -> dict[str, Any]:
    """What a package says of its cost; empty where it says nothing."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
        found = json.loads(text.removeprefix(f"globalThis.{VARIABLE} = ").rstrip().removesuffix(";"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _reused(history: History, job: str) -> Counter[str]:
    """Results that were there already, by node."""
    found: Counter[str] = Counter()
    after = 0
    while page := history.events(job, after=after, limit=PAGE):
        found.update(event.node for event in page if event.type == "memo-hit")
        after = page[-1].seq
    return found
