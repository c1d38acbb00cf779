"""When what ran in a job: tries and memo hits, as rows where they are few, added up in the database where they are many."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from archer.store.database import Database
from archer.store.schema import attempts, events, tasks

STARTS = ("task-started", "task-copied")
LOOKED_AT = 5000
"""Latest starts among which those of what runs now are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One try: which, how it ended (`leased` while it runs), and when. Times in milliseconds since 1970.

    `began_ms` is 0 where nobody knows; `ended_ms` is 0 while it runs; `worker` is empty where nobody knows.
    """

    name: str
    node: str
    state: str
    number: int
    began_ms: int
    ended_ms: int
    error: str = ""
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """Tries of one node that began in the slot `first`, ended in the slot `last`, in one way; or memo hits (`memo`) of a slot.

    `wall_ms` is what they took together.
    """

    node: str
    state: str
    first: int
    last: int
    number: int
    wall_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to a job as a whole."""

    at_ms: int
    type: str
    payload: Mapping[str, Any]


def tries_of(database: Database, job: str, *, since_ms: int, limit: int) -> list[Try]:
    """Tries of a job that ended at `since_ms` or later, in no order; at most `limit`, and no more is looked at."""
    began = (attempts.c.ended_ms - attempts.c.wall_ms).label("began_ms")
    query = sa.select(
        *(attempts.c[name] for name in ("name", "state", "number", "ended_ms", "error", "worker")),
        tasks.c.node,
        began,
    )
    query = query.join_from(attempts, tasks, _same_task()).where(*_since(job, since_ms))
    return [Try(**row._mapping) for row in _rows(database, query.limit(limit))]


def heaps_of(
    database: Database, job: str, *, since_ms: int, slot_ms: int, by_worker: bool = False
) -> list[Heap]:
    """The same tries, however many, added up by slots of `slot_ms` from `since_ms` on; `by_worker`: `node` is where they ran."""
    first = (attempts.c.ended_ms - attempts.c.wall_ms - since_ms) // slot_ms
    last = (attempts.c.ended_ms - since_ms) // slot_ms
    row = (attempts.c.worker if by_worker else tasks.c.node).label("node")
    each = sa.select(row, attempts.c.state, first.label("first"), last.label("last"), attempts.c.wall_ms)
    # Grouped outside: PostgreSQL does not know an expression again that has parameters.
    slots = each.join_from(attempts, tasks, _same_task()).where(*_since(job, since_ms)).subquery()
    keys = (slots.c.node, slots.c.state, slots.c.first, slots.c.last)
    query = sa.select(*keys, sa.func.count(), sa.func.sum(slots.c.wall_ms)).group_by(*keys)
    return [
        Heap(
            node=node,
            state=state,
            first=max(0, int(begun)),
            last=int(ended),
            number=int(number),
            wall_ms=int(wall_ms),
        )
        for node, state, begun, ended, number, wall_ms in _rows(database, query)
    ]


def memo_of(database: Database, job: str, *, since_ms: int, slot_ms: int) -> list[Heap]:
    """Memo hits of a job by slots."""
    each = sa.select(events.c.node, ((events.c.at_ms - since_ms) // slot_ms).label("slot"))
    hits = each.where(events.c.job == job, events.c.type == "memo-hit", events.c.at_ms >= since_ms).subquery()
    keys = (hits.c.node, hits.c.slot)
    return [
        Heap(node=node, state="memo", first=int(slot), last=int(slot), number=int(number))
        for node, slot, number in _rows(database, sa.select(*keys, sa.func.count()).group_by(*keys))
    ]


def running_of(database: Database, job: str, *, limit: int) -> list[Try]:
    """Tasks of a job that somebody works at; since when goes by their last start."""
    query = sa.select(tasks.c.name, tasks.c.node, tasks.c.phase, tasks.c.label, tasks.c.worker)
    leased = query.where(tasks.c.job == job, tasks.c.state == "leased").order_by(tasks.c.name).limit(limit)
    found = _rows(database, leased)
    began = _starts(database, job) if found else {}
    return [
        Try(
            name=row.name,
            node=row.node,
            state="leased",
            number=number,
            began_ms=at_ms,
            ended_ms=0,
            worker=row.worker,
        )
        for row in found
        for at_ms, number in [began.get((row.node, row.label, row.phase), (0, 1))]
    ]


def moments_of(database: Database, job: str, *, limit: int) -> list[Moment]:
    """What happened to a job as a whole, the latest `limit`, in order."""
    query = sa.select(events.c.at_ms, events.c.type, events.c.payload)
    query = query.where(events.c.job == job, events.c.node == "").order_by(events.c.seq.desc()).limit(limit)
    return [
        Moment(at_ms=row.at_ms, type=row.type, payload=json.loads(row.payload))
        for row in reversed(_rows(database, query))
    ]


def _starts(database: Database, job: str) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(node, item, phase) -> when its last try began, and which one that is."""
    query = sa.select(events.c.at_ms, events.c.node, events.c.item, events.c.attempt, events.c.payload)
    query = query.where(events.c.job == job, events.c.type.in_(STARTS))
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in _rows(database, query.order_by(events.c.seq.desc()).limit(LOOKED_AT)):
        key = (row.node, row.item, str(json.loads(row.payload).get("phase", "")))
        found.setdefault(key, (row.at_ms, row.attempt))
    return found


def _same_task() -> Any:
    return (tasks.c.job == attempts.c.job) & (tasks.c.name == attempts.c.name)


def _since(job: str, since_ms: int) -> tuple[Any, Any]:
    return attempts.c.job == job, attempts.c.ended_ms >= since_ms


def _rows(database: Database, query: Any) -> Sequence[Any]:
    return database.read(lambda connection: connection.execute(query).all())
