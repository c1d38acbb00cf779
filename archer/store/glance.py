"""Many jobs at a glance: how far each is, who works at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from archer.store.database import Database
from archer.store.overview import NodeRow
from archer.store.schema import jobs, nodes, tallies, tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A scheduler that has jobs: which, how many of their tasks run, and until when its leases run without a sign of life.

    `late` is True where that is over: others may take its jobs.
    """

    name: str
    jobs: tuple[str, ...]
    running: int
    until_ms: int
    late: bool


def nodes_by_job(database: Database, wanted: Sequence[str]) -> dict[str, list[NodeRow]]:
    """Job -> its nodes in the order of the plan, without what they gave; none for jobs that never ran."""
    query = sa.select(nodes).where(nodes.c.job.in_(list(wanted))).order_by(nodes.c.place)
    rows = database.read(lambda connection: connection.execute(query).all())
    counts = _counts(database, wanted)
    found: dict[str, list[NodeRow]] = {job: [] for job in wanted}
    for row in rows:
        plain = {name: getattr(row, name) for name in ("node", "stage", "version", "state")}
        number = row._mapping["items"]
        tallied = counts.get((row.job, row.node), {})
        found[row.job].append(NodeRow(**plain, items=number, tasks=tallied, outputs={}))
    return found


def holders(database: Database, wanted: Sequence[str] | None = None) -> list[Holder]:
    """Schedulers that have jobs, by name; of some jobs only where those are given. One that has none leaves no trace here."""
    query = sa.select(jobs.c.id, jobs.c.holder, jobs.c.until_ms).where(jobs.c.holder != "")
    query = query if wanted is None else query.where(jobs.c.id.in_(list(wanted)))
    rows = database.read(lambda connection: connection.execute(query.order_by(jobs.c.id)).all())
    busy = _leased(database, [row.id for row in rows])
    now = database.read(database.now_ms)
    found = []
    for name in sorted({str(row.holder) for row in rows}):
        own = [row for row in rows if row.holder == name]
        until = min(row.until_ms for row in own)
        running = sum(busy.get(row.id, 0) for row in own)
        ids = tuple(row.id for row in own)
        found.append(Holder(name=name, jobs=ids, running=running, until_ms=until, late=until < now))
    return found


def _leased(database: Database, wanted: Sequence[str]) -> dict[str, int]:
    query = sa.select(tasks.c.job, sa.func.count()).where(
        tasks.c.job.in_(list(wanted)), tasks.c.state == "leased"
    )
    rows = database.read(lambda connection: connection.execute(query.group_by(tasks.c.job)).all())
    return {str(job): int(number) for job, number in rows}


def _counts(database: Database, wanted: Sequence[str]) -> dict[tuple[str, str], dict[str, int]]:
    keys = (tallies.c.job, tallies.c.node, tallies.c.state)
    query = sa.select(*keys, sa.func.sum(tallies.c.number))
    query = query.where(tallies.c.job.in_(list(wanted)), tallies.c.counts == "task").group_by(*keys)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for job, node, state, number in database.read(lambda connection: connection.execute(query).all()):
        if number:
            found.setdefault((str(job), str(node)), {})[str(state)] = int(number)
    return found
