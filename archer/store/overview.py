"""How far a job is, and what it gave: one row per node."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from archer.artifact import Artifact
from archer.store.database import Database
from archer.store.schema import counters, events, memo, nodes, tallies
from archer.wire import outputs_from_json

KEYS_AT_ONCE = 500
# Made once: the state of a job is asked for again and again, and making a statement takes longer than running it.
NODES = sa.select(nodes).where(nodes.c.job == sa.bindparam("of")).order_by(nodes.c.place)
COUNTS = (
    sa.select(tallies.c.node, tallies.c.state, sa.func.sum(tallies.c.number))
    .where(tallies.c.job == sa.bindparam("of"), tallies.c.counts == "task")
    .group_by(tallies.c.node, tallies.c.state)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """One node of a job.

    Attributes:
        node, stage, version, state: what it is, and `waiting`, `running` or `done`.
        items: how many tasks map it, as far as known; 0 before.
        tasks: state -> number of its tasks, of all phases.
        outputs: what it gave, once it is done.
    """

    node: str
    stage: str
    version: int
    state: str
    items: int
    tasks: Mapping[str, int]
    outputs: Mapping[str, Artifact]


def nodes_of(database: Database, job: str) -> list[NodeRow]:
    """The nodes of a job in the order of its plan; none before its first run."""

    def work(connection: sa.Connection) -> list[NodeRow]:
        found = connection.execute(NODES, {"of": job}).all()
        counts = _counts(connection, job) if found else {}
        return [
            NodeRow(
                node=row.node,
                stage=row.stage,
                version=row.version,
                state=row.state,
                items=row.items,
                tasks=counts.get(row.node, {}),
                outputs=outputs_from_json(json.loads(row.outputs)),
            )
            for row in found
        ]

    return database.read(work)


def last_failures(database: Database, job: str) -> list[str]:
    """Why a job ended as it did, as its last event says; empty where nothing failed."""
    query = sa.select(events.c.payload).where(events.c.job == job, events.c.node == "")
    query = query.order_by(events.c.seq.desc()).limit(1)
    found = database.read(lambda connection: connection.execute(query).scalar())
    failures = json.loads(found).get("failures", []) if found else []
    return [str(failure) for failure in failures]


def last_event(database: Database) -> int:
    """Place of the last event of all jobs; 0 where there is none."""
    query = sa.select(counters.c.value).where(counters.c.name == "event")
    return int(database.read(lambda connection: connection.execute(query).scalar()) or 0)


def recalled(database: Database, keys: Sequence[str]) -> dict[str, dict[str, Artifact]]:
    """Outputs of finished tasks by memo key, for those of `keys` that are known; as `JobStore.recall`, without its lock."""
    found: dict[str, dict[str, Artifact]] = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        query = sa.select(memo).where(memo.c.key.in_(list(keys[start : start + KEYS_AT_ONCE])))
        for row in database.read(partial(_all, query)):
            found[row.key] = outputs_from_json(json.loads(row.outputs))
    return found


def _all(query: sa.Select[Any], connection: sa.Connection) -> Sequence[Any]:
    return connection.execute(query).all()


def _counts(connection: sa.Connection, job: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for node, state, count in connection.execute(COUNTS, {"of": job}):
        if count:
            found.setdefault(str(node), {})[str(state)] = int(count)
    return found
