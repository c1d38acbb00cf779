"""Numbers that only grow, given under a lock: places of events and fencing tokens.

PostgreSQL's sequences are quick, but a number of theirs may become visible after a greater one, and who reads events behind
the last one seen would miss it. A row of `counters` is locked from when a number is taken until the end of the transaction:
numbers become visible in their order, without a gap. So events are the last thing that a transaction writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from archer.store.schema import counters, events

TICKETS = 1 << 24
"""Fencing tokens that one run of a job may give to its tries."""

_TAKE = "UPDATE counters SET value = value + {count} WHERE name = '{name}' RETURNING value"


def take(connection: sa.Connection, name: str, count: int) -> int:
    """The first of `count` fresh numbers; nobody else takes any until the transaction ends."""
    statement = _TAKE.format(count=int(count), name=name)
    return int(connection.exec_driver_sql(statement).scalar_one()) - count + 1


def hold(connection: sa.Connection, name: str) -> None:
    """Let nobody else take numbers until the transaction ends."""
    connection.execute(sa.select(counters.c.value).where(counters.c.name == name).with_for_update())


def add_events(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Append events, given without their place; returns the place of the first."""
    first = take(connection, "event", len(rows))
    connection.execute(sa.insert(events), [{**row, "seq": first + place} for place, row in enumerate(rows)])
    return first
