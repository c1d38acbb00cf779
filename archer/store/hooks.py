"""Webhooks and their deliveries as rows: what is to be told to whom survives any restart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from archer.store.database import Database
from archer.store.history import PAGE
from archer.store.schema import deliveries, webhooks

HELD_MS = 30_000
"""How long one server keeps a delivery to itself while it tries; longer than any try takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRow:
    """Somebody who is to be told. `seen` is the last event that was looked at for it."""

    id: str
    owner: str
    url: str
    events: tuple[str, ...]
    secret: str
    made_ms: int
    seen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One message: `pending` until it is `delivered` or `given-up`; `status` 0 where no answer came."""

    id: str
    hook: str
    seq: int
    type: str
    body: str
    state: str
    tries: int
    next_ms: int
    status: int
    error: str
    made_ms: int


class HookRows:
    """Webhooks of one store; any number of servers share it.

    Args:
        database: the store, whose tables are prepared.
    """

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, row: HookRow) -> None:
        """Keep a webhook."""
        values = {name: getattr(row, name) for name in ("id", "owner", "url", "secret", "made_ms", "seen")}
        values |= {"events": json.dumps(list(row.events))}
        self._db.write(lambda connection: connection.execute(sa.insert(webhooks).values(values)))

    def get(self, identity: str) -> HookRow | None:
        """One webhook; None where there is none."""
        found = self._hooks(sa.select(webhooks).where(webhooks.c.id == identity))
        return found[0] if found else None

    def page(
        self, after: str = "", limit: int = PAGE, *, reach: Sequence[str] | None = None
    ) -> list[HookRow]:
        """Webhooks by id, behind `after`, of some owners or of all."""
        query = sa.select(webhooks).where(webhooks.c.id > after)
        query = query if reach is None else query.where(webhooks.c.owner.in_(list(reach)))
        return self._hooks(query.order_by(webhooks.c.id).limit(limit))

    def remove(self, identity: str) -> bool:
        """Forget a webhook and what was to be told to it; False where there is none."""

        def work(connection: sa.Connection) -> bool:
            connection.execute(sa.delete(deliveries).where(deliveries.c.hook == identity))
            return bool(connection.execute(sa.delete(webhooks).where(webhooks.c.id == identity)).rowcount)

        return self._db.write(work)

    def enqueue(self, hook: HookRow, seen: int, rows: Sequence[DeliveryRow]) -> bool:
        """Keep what is to be told, and that the events up to `seen` were looked at; False where another server did it."""

        def work(connection: sa.Connection) -> bool:
            mine = (webhooks.c.id == hook.id) & (webhooks.c.seen == hook.seen)
            if not connection.execute(sa.update(webhooks).where(mine).values(seen=seen)).rowcount:
                return False
            if rows:
                names = [column.name for column in deliveries.columns]
                values = [{name: getattr(row, name) for name in names} for row in rows]
                connection.execute(sa.insert(deliveries), values)
            return True

        return self._db.write(work)

    def put(self, row: DeliveryRow) -> None:
        """Keep one more message."""
        names = [column.name for column in deliveries.columns]
        values = {name: getattr(row, name) for name in names}
        self._db.write(lambda connection: connection.execute(sa.insert(deliveries).values(values)))

    def take_due(self, now_ms: int, limit: int) -> list[DeliveryRow]:
        """Deliveries whose time has come, for this server alone for a while."""

        def work(connection: sa.Connection) -> list[DeliveryRow]:
            due = (deliveries.c.state == "pending") & (deliveries.c.next_ms <= now_ms)
            query = sa.select(deliveries).where(due).order_by(deliveries.c.next_ms, deliveries.c.id)
            rows = connection.execute(query.limit(limit).with_for_update(skip_locked=True)).all()
            for row in rows:
                change = sa.update(deliveries).where(deliveries.c.id == row.id)
                connection.execute(change.values(next_ms=now_ms + HELD_MS))
            return [DeliveryRow(**row._mapping) for row in rows]

        if not self._db.read(lambda connection: _any_due(connection, now_ms)):
            return []
        return self._db.write(work)

    def settle(self, delivery: str, **values: Any) -> None:
        """Keep how a try ended: `state`, `tries`, `next_ms`, `status`, `error`."""
        change = sa.update(deliveries).where(deliveries.c.id == delivery).values(values)
        self._db.write(lambda connection: connection.execute(change))

    def deliveries(self, hook: str, *, after: str = "", limit: int = PAGE) -> list[DeliveryRow]:
        """Deliveries of a webhook, the latest first, behind the id `after`."""
        query = sa.select(deliveries).where(deliveries.c.hook == hook)
        query = query.where(deliveries.c.id < after) if after else query
        query = query.order_by(deliveries.c.id.desc()).limit(limit)
        rows = self._db.read(lambda connection: connection.execute(query).all())
        return [DeliveryRow(**row._mapping) for row in rows]

    def _hooks(self, query: Any) -> list[HookRow]:
        rows = self._db.read(lambda connection: connection.execute(query).all())
        return [HookRow(**{**row._mapping, "events": tuple(json.loads(row.events))}) for row in rows]


def _any_due(connection: sa.Connection, now_ms: int) -> bool:
    due = (deliveries.c.state == "pending") & (deliveries.c.next_ms <= now_ms)
    return connection.execute(sa.select(deliveries.c.id).where(due).limit(1)).first() is not None
