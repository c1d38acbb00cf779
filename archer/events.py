"""What happens in a job, as a stream that people watch and programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    | type | when | payload |
    |---|---|---|
    | `job-started` | a run of the job begins | `run` (1 for the first), `nodes` |
    | `node-planned` | items of a node are known | `items`, `weight` (their sum), `round`, `unit` |
    | `memo-hit` | a result was there already | `phase`, `weight` |
    | `task-started` | a try is given to a worker | `phase`, `weight` |
    | `task-progress` | now and then, not stored | `done`, `total`, `weight` |
    | `chunk-done` | an item is committed, in the same transaction | `phase`, `weight`, `outputs`, `wall_ms`, `cpu_ms` |
    | `task-done` | the same for a split or collect | as above |
    | `task-retry` | a try failed, another follows | `phase`, `kind`, `category`, `error`, `wait_ms` |
    | `task-failed` | a task failed for good | `phase`, `kind`, `category`, `error`, `traceback` |
    | `task-copied` | a second try is started beside a slow one | `phase`, `weight` |
    | `task-dropped` | one of two tries ended, the other counts | `phase`, `weight` |
    | `node-done` | outputs of a node are there | `outputs` (name -> hash) |
    | `job-paused`, `job-continued` | nothing more is started; it goes on | |
    | `job-done`, `job-partial`, `job-failed`, `job-cancelled`, `job-interrupted` | the run ends | `failures` |

    Attributes:
        seq: place in the stored order; 0 for events that are not stored.
        job: identity of the job.
        type: see above.
        node: the node of the plan; empty for the job itself.
        item: label of the item; empty for the node itself, its split and its collect.
        attempt: 1 for the first try of a task.
        payload: further facts as JSON values; weights in the stage's unit.
    """

    seq: int = 0
    job: str
    type: str
    node: str = ""
    item: str = ""
    attempt: int = 0
    payload: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> str:
        """One line of NDJSON."""
        head = {"seq": self.seq, "job": self.job, "type": self.type, "node": self.node, "item": self.item}
        return json.dumps({**head, "attempt": self.attempt, **self.payload}, ensure_ascii=False)
