"""What happens in a job, as a stream that people watch and programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        seq: place in the stored order; 0 for events that are not stored (`task-progress`).
        job: identity of the job.
        type: `job-started`, `node-planned`, `task-started`, `task-progress`, `task-done`, `chunk-done` (a mapped item is
            committed), `memo-hit`, `task-retry`, `task-failed`, `node-done`, `job-done`, `job-failed`.
        node: the node of the plan; empty for the job itself.
        item: label of the item; empty for the node itself.
        attempt: 1 for the first try.
        payload: further facts as JSON values.
    """

    seq: int = 0
    job: str
    type: str
    node: str = ""
    item: str = ""
    attempt: int = 0
    payload: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line of NDJSON."""
        head = {"seq": self.seq, "job": self.job, "type": self.type, "node": self.node, "item": self.item}
        return json.dumps({**head, "attempt": self.attempt, **self.payload}, ensure_ascii=False)
