"""What a job would do, without doing it: which results are known, which tasks are not, what they cost before.

The real scheduler is asked; questions about the memo are answered, and nothing is ever launched. So what it finds known is what
a run would find known, and what it would launch first is what is missing. What depends on missing results cannot be known before.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.errors import BlobDamaged
from archer.ledger import split_cards
from archer.memo import memo_keys
from archer.plan import Plan
from archer.scheduler import (
    Begin,
    Capacity,
    Happening,
    Looked,
    LookUp,
    PartsStored,
    Planned,
    Result,
    Scheduler,
    StoreParts,
)
from archer.stage import Part
from archer.store import ArtifactStore
from archer.store.artifacts import json_bytes
from archer.store.database import Database
from archer.store.overview import recalled
from archer.store.schema import jobs, nodes, tallies
from archer.task import ITEMS, PARTS
from archer.wire import part_to_json

JOBS = 20
"""Earlier jobs that a forecast goes by, at most."""
Recall = Callable[[Sequence[str]], Mapping[str, Mapping[str, Artifact]]]


@dataclass(slots=True, kw_only=True)
class Foreseen:
    """What is known of one node before it runs.

    Attributes:
        node, stage: which.
        known: tasks whose results are there. missing: tasks that must run.
        whole: every task of the node is among these; else more appear when earlier ones have run.
    """

    node: str
    stage: str
    known: int = 0
    missing: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Processor seconds that a node may take; `jobs` is how many earlier ones say so, 0 where nothing is known.

    `same` is True where they had the same settings, False where only the stage is the same.
    """

    cpu_s: float = 0.0
    jobs: int = 0
    same: bool = False


@dataclass(slots=True)
class _Walk:
    plan: Plan
    recall: Recall
    artifacts: ArtifactStore
    found: dict[str, Foreseen] = field(default_factory=dict)

    def run(self) -> None:
        scheduler = Scheduler(self.plan, capacity=Capacity(cpu=1, memory_mb=1 << 20))
        waiting: deque[Happening] = deque([Begin()])
        while waiting:
            for action in scheduler.handle(waiting.popleft(), 0.0):
                match action:
                    case LookUp():
                        waiting.append(self._look_up(action))
                    case StoreParts():
                        waiting.append(PartsStored(node=action.node, artifact=_parts(action.parts)))
                    case Planned() if action.round == 0:
                        self.found[action.node].whole = True
                    case _:
                        pass

    def _look_up(self, action: LookUp) -> Looked:
        keys = memo_keys(self.plan, action)
        known = self.recall(list(keys.values()))
        hits = {
            name: result
            for name, key in keys.items()
            if key in known and (result := self._result(known[key]))
        }
        seen = self.found[action.tasks[0].node]
        seen.known += len(hits)
        seen.missing += len(action.tasks) - len(hits)
        return Looked(asked=action.tasks, hits=hits)

    def _result(self, remembered: Mapping[str, Artifact]) -> Result | None:
        outputs, _ = split_cards(remembered)
        if not all(map(self.artifacts.has, outputs.values())):
            return None
        listing = outputs.get("items")
        if listing is None or listing.kind != ITEMS:
            return Result(outputs=outputs)
        try:
            return Result(outputs=outputs, items=self.artifacts.read_items(listing, self.plan.assets))
        except BlobDamaged:
            return None


def foresee(plan: Plan, recall: Recall, artifacts: ArtifactStore) -> list[Foreseen]:
    """What a run of the plan would find known, by node in the order of the plan; changes nothing.

    Args:
        plan: the job.
        recall: memo keys -> outputs of those that are known.
        artifacts: where outputs are; a result whose bytes are gone is no result.
    """
    walk = _Walk(plan, recall, artifacts)
    walk.found = {node.id: Foreseen(node=node.id, stage=node.stage.name) for node in plan.nodes}
    walk.run()
    return list(walk.found.values())


def costs(database: Database, plan: Plan, seen: Sequence[Foreseen]) -> dict[str, Cost]:
    """Node -> what it may cost, by what it cost in earlier jobs per byte that they read; what is known costs nothing."""
    size = sum(asset.size for asset in plan.assets)
    found = {}
    for each in seen:
        node = plan.by_id[each.node]
        same = _earlier(database, nodes.c.identity == node.identity)
        rows = same or _earlier(database, nodes.c.stage == node.stage.name)
        read = sum(row[1] for row in rows)
        per_byte = sum(row[0] for row in rows) / read if read else 0.0
        total = each.known + each.missing
        left = (each.missing / total if total else 1.0) if each.whole else 1.0
        found[each.node] = Cost(
            cpu_s=round(per_byte * size * left / 1000, 3), jobs=len(rows), same=bool(same)
        )
    return found


def remembering(database: Database) -> Recall:
    """The memo of a store."""
    return lambda keys: recalled(database, keys)


def _earlier(database: Database, wanted: Any) -> list[tuple[int, int]]:
    """(processor milliseconds, bytes read) of the last jobs that computed such a node."""
    spent = sa.func.sum(tallies.c.cpu_ms)
    same = (tallies.c.job == nodes.c.job) & (tallies.c.node == nodes.c.node) & (tallies.c.counts == "try")
    query = (
        sa.select(spent, jobs.c.spec)
        .select_from(nodes)
        .join(tallies, same)
        .join(jobs, jobs.c.id == nodes.c.job)
    )
    query = query.where(wanted, nodes.c.state == "done", tallies.c.state == "done").group_by(
        jobs.c.id, jobs.c.spec
    )
    query = query.having(spent > 0).order_by(jobs.c.id.desc()).limit(JOBS)
    rows = database.read(lambda connection: connection.execute(query).all())
    return [(int(cpu_ms), size) for cpu_ms, spec in rows if (size := _read(spec))]


def _read(spec: str) -> int:
    """Bytes of all assets of a kept spec."""
    value = json.loads(spec or "{}")
    found = {}
    for node in value.get("nodes", {}).values():
        for source in node.get("inputs", {}).values():
            asset = source.get("asset") if isinstance(source, dict) else None
            if isinstance(asset, dict):
                found[asset["identity"]] = int(asset["size"])
    return sum(found.values())


def _parts(parts: Sequence[Part]) -> Artifact:
    """The artifact that these parts would be, unwritten."""
    content = json_bytes([part_to_json(part) for part in parts])
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(kind=PARTS, hash=f"sha256:{digest}", size=len(content), suffix=".json")
