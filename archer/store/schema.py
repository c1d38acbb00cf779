"""Tables of the job store, in SQL that SQLite and PostgreSQL share.

`events` is the truth, in order; the other tables say where things stand. Times are milliseconds since 1970, for
people and cost history only: what the scheduler decides goes by its own clock. How an older file becomes one of this
schema is in `migrations`.
"""

from __future__ import annotations

import sqlalchemy as sa

VERSION = 7
"""Of this schema; kept in `meta`."""

metadata = sa.MetaData()

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.String(200), nullable=False),
)

# Alembic's own; see `archer.store.migrations`.
revisions = sa.Table(
    "alembic_version",
    metadata,
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    # queued, running, paused, done, partial, failed, interrupted, cancelled
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("begun_ms", sa.BigInteger, nullable=False),  # 0 before the first run
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("spec", sa.Text, nullable=False, server_default=""),  # canonical JSON; see archer.spec
    # What follows is for submitted jobs; those of `cinemill run` keep the defaults.
    sa.Column("submitted_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("request", sa.Text, nullable=False, server_default=""),  # the document that was submitted
    sa.Column("notes", sa.Text, nullable=False, server_default="{}"),  # JSON of whoever submitted it
    sa.Column("owner", sa.String(200), nullable=False, server_default=""),
    sa.Column("submit_key", sa.String(200)),  # idempotency key, of its owner
    sa.Column("body", sa.String(64), nullable=False, server_default=""),  # digest of what came with the key
    sa.Column("queue", sa.String(64), nullable=False, server_default="default"),
    sa.Column("priority", sa.Integer, nullable=False, server_default=sa.text("0")),  # greater goes first
    sa.Column("deadline_ms", sa.BigInteger),
    sa.Column("holder", sa.String(200), nullable=False, server_default=""),  # scheduler that has it
    sa.Column("token", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # fences its holders
    sa.Column(
        "until_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),  # end of the holder's lease
    sa.Column(
        "wanted", sa.String(16), nullable=False, server_default=""
    ),  # cancel, pause, resume: asked of the holder
    sa.Column("commits", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # of its present holder
    sa.Index("jobs_by_key", "owner", "submit_key", unique=True),
    sa.Index("jobs_by_state", "state", "id"),
    sa.Index("jobs_by_owner", "owner", "id"),
)

queues = sa.Table(
    "queues",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("most", sa.Integer),  # jobs of it that run at once; NULL for any number
    sa.Column("paused", sa.Integer, nullable=False, server_default=sa.text("0")),  # 1: nothing of it is begun
)

# Greatest number given so far: `event` (events.seq), `token` (fencing tokens). Whoever takes some holds the row until the end
# of the transaction, so that numbers become visible in their order, and none is missing.
counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
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
    sa.Column("identity", sa.String(64), nullable=False, server_default=""),  # of stage, settings and tools
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
    sa.Column(
        "copy_token", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),  # of a second try beside the first
    sa.Column(
        "worker", sa.String(100), nullable=False, server_default=""
    ),  # where it runs, once it does so for long
    sa.Index("tasks_by_state", "job", "state", "name"),
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
    sa.Column(
        "worker", sa.String(100), nullable=False, server_default=""
    ),  # host/pid; empty where nobody knows
    sa.Index("attempts_by_task", "job", "name"),
)

SAID: sa.ColumnElement[bool] = sa.or_(
    attempts.c.log != sa.literal_column("''"), attempts.c.error != sa.literal_column("''")
)
"""A try that has something to say: the condition of an index, so queries must have exactly this one."""

SAYING = sa.Index("attempts_that_say", attempts.c.job, attempts.c.token, sqlite_where=SAID)
"""Naming PostgreSQL's index here would import its dialect at every start: `migrations` adds the condition where it is used."""

# What `tasks` (counts = task: how many in which state) and `attempts` (counts = try: how many ended how, what they took)
# add up to.
tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("counts", sa.String(8), primary_key=True),
    sa.Column("node", sa.String(64), primary_key=True),
    sa.Column("phase", sa.String(8), primary_key=True),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("wall_ms", sa.BigInteger, nullable=False),
    sa.Column("cpu_ms", sa.BigInteger, nullable=False),
    sa.Column("weight", sa.BigInteger, nullable=False),  # of the tasks that were tried
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
    sa.Column("used_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")),  # made, or last found
)

cards = sa.Table(
    "cards",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("task", sa.String(300), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("artifact", sa.Text, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),  # SHA-256 of the secret
    sa.Column("scopes", sa.Text, nullable=False),  # JSON list
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),  # 0 for never
    sa.Column("revoked_ms", sa.BigInteger, nullable=False),  # 0 for not
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),  # JSON list
    sa.Column("secret", sa.String(100), nullable=False),  # as it is: it signs
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.BigInteger, nullable=False),  # last event that was looked at for it
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("hook", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),  # the event; 0 for a test
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # pending, delivered, given-up
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_ms", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),  # of the last answer; 0 for none
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    sa.Index("deliveries_by_time", "state", "next_ms"),
    sa.Index("deliveries_by_hook", "hook", "id"),
)

# Kept parts of orders: job templates and presets.
recipes = sa.Table(
    "recipes",
    metadata,
    sa.Column("owner", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),  # JobTemplate, Preset
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("category", sa.String(200), nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
)
