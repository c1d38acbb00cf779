"""Tables of the job store. Portable SQL: SQLite now, PostgreSQL for several schedulers later.

`events` is the truth, in order; the other tables say where things stand. Times are milliseconds since 1970, for
people and cost history only: what the scheduler decides goes by its own clock.
"""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 1
"""Of this schema; kept in `meta`."""

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),  # running, done, failed, interrupted
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("begun_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
)

nodes = sa.Table(
    "nodes",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("stage", sa.String(100), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # waiting, running, done
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("weight", sa.BigInteger, nullable=False),
    sa.Column("outputs", sa.Text, nullable=False),
)

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(300), primary_key=True),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("phase", sa.String(8), nullable=False),
    sa.Column("label", sa.String(200), nullable=False),
    sa.Column("weight", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # pending, leased, retry, done, poisoned, cancelled
    sa.Column("token", sa.BigInteger, nullable=False),  # of the last lease; 0 before the first
    sa.Column("until_ms", sa.BigInteger, nullable=False),  # end of the lease, or when the next try is due
    sa.Column("outputs", sa.Text, nullable=False),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("token", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("job", sa.String(64), nullable=False),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # done, retry, poisoned, cancelled, lost
    sa.Column("ended_ms", sa.BigInteger, nullable=False),
    sa.Column("wall_ms", sa.BigInteger, nullable=False),
    sa.Column("cpu_ms", sa.BigInteger, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("log", sa.Text, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column(
        "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    ),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("job", sa.String(64), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("node", sa.String(64), nullable=False),
    sa.Column("item", sa.String(200), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("events_by_job", "job", "seq"),
)

memo = sa.Table(
    "memo",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("outputs", sa.Text, nullable=False),
)
