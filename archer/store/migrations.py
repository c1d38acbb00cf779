"""How a job store of any older schema becomes one of this: numbered steps, all in one transaction.

A step is a list of statements in SQL that SQLite and PostgreSQL share. It is written once and never changed; a fresh store
is made from `schema` directly, and a test holds that both ways give the same tables (docs/adr: store-migrations).
"""

from __future__ import annotations

import sqlalchemy as sa

from archer.errors import StoreTooNew
from archer.store.database import Database
from archer.store.schema import VERSION, counters, meta, metadata

STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE jobs ADD COLUMN spec TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE nodes ADD COLUMN identity VARCHAR(64) DEFAULT '' NOT NULL",
        "ALTER TABLE tasks ADD COLUMN copy_token BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE memo ADD COLUMN used_ms BIGINT DEFAULT 0 NOT NULL",
        """CREATE TABLE cards (
            job VARCHAR(64) NOT NULL, task VARCHAR(300) NOT NULL, name VARCHAR(64) NOT NULL, artifact TEXT NOT NULL,
            PRIMARY KEY (job, task, name)
        )""",
        "CREATE INDEX tasks_by_state ON tasks (job, state, name)",
        "CREATE INDEX attempts_by_task ON attempts (job, name)",
    ),
    3: (
        "CREATE INDEX attempts_that_say ON attempts (job, token) WHERE log != '' OR error != ''",
        """CREATE TABLE tallies (
            job VARCHAR(64) NOT NULL, counts VARCHAR(8) NOT NULL, node VARCHAR(64) NOT NULL, phase VARCHAR(8) NOT NULL,
            state VARCHAR(16) NOT NULL, number BIGINT NOT NULL, wall_ms BIGINT NOT NULL, cpu_ms BIGINT NOT NULL,
            weight BIGINT NOT NULL, PRIMARY KEY (job, counts, node, phase, state)
        )""",
        """INSERT INTO tallies SELECT job, 'task', node, phase, state, COUNT(*), 0, 0, 0
            FROM tasks GROUP BY job, node, phase, state""",
        """INSERT INTO tallies SELECT tasks.job, 'try', tasks.node, tasks.phase, attempts.state, COUNT(*),
            SUM(attempts.wall_ms), SUM(attempts.cpu_ms), SUM(tasks.weight)
            FROM attempts JOIN tasks ON tasks.job = attempts.job AND tasks.name = attempts.name
            GROUP BY tasks.job, tasks.node, tasks.phase, attempts.state""",
    ),
    4: (
        "ALTER TABLE jobs ADD COLUMN submitted_ms BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN request TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN notes TEXT DEFAULT '{}' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN owner VARCHAR(200) DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN submit_key VARCHAR(200)",
        "ALTER TABLE jobs ADD COLUMN body VARCHAR(64) DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN queue VARCHAR(64) DEFAULT 'default' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN priority INTEGER DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN deadline_ms BIGINT",
        "ALTER TABLE jobs ADD COLUMN holder VARCHAR(200) DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN token BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN until_ms BIGINT DEFAULT 0 NOT NULL",
        "ALTER TABLE jobs ADD COLUMN wanted VARCHAR(16) DEFAULT '' NOT NULL",
        "ALTER TABLE jobs ADD COLUMN commits BIGINT DEFAULT 0 NOT NULL",
        "CREATE UNIQUE INDEX jobs_by_key ON jobs (owner, submit_key)",
        "CREATE INDEX jobs_by_state ON jobs (state, id)",
        "CREATE INDEX jobs_by_owner ON jobs (owner, id)",
        "CREATE TABLE queues (name VARCHAR(64) NOT NULL, most INTEGER, paused INTEGER DEFAULT 0 NOT NULL, PRIMARY KEY (name))",
        "CREATE TABLE counters (name VARCHAR(16) NOT NULL, value BIGINT NOT NULL, PRIMARY KEY (name))",
        "INSERT INTO counters SELECT 'event', COALESCE(MAX(seq), 0) FROM events",
        """INSERT INTO counters SELECT 'token', MAX(found) FROM (SELECT COALESCE(MAX(token), 0) AS found FROM attempts
            UNION ALL SELECT COALESCE(MAX(token), 0) FROM tasks UNION ALL SELECT COALESCE(MAX(copy_token), 0) FROM tasks)""",
    ),
    5: (
        """CREATE TABLE api_keys (id VARCHAR(16) NOT NULL, name VARCHAR(200) NOT NULL, hash VARCHAR(64) NOT NULL,
            scopes TEXT NOT NULL, made_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL, revoked_ms BIGINT NOT NULL,
            PRIMARY KEY (id))""",
        """CREATE TABLE webhooks (id VARCHAR(32) NOT NULL, owner VARCHAR(200) NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL,
            secret VARCHAR(100) NOT NULL, made_ms BIGINT NOT NULL, seen BIGINT NOT NULL, PRIMARY KEY (id))""",
        """CREATE TABLE deliveries (id VARCHAR(64) NOT NULL, hook VARCHAR(32) NOT NULL, seq BIGINT NOT NULL,
            type VARCHAR(32) NOT NULL, body TEXT NOT NULL, state VARCHAR(16) NOT NULL, tries INTEGER NOT NULL,
            next_ms BIGINT NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL, made_ms BIGINT NOT NULL, PRIMARY KEY (id))""",
        "CREATE INDEX deliveries_by_time ON deliveries (state, next_ms)",
        "CREATE INDEX deliveries_by_hook ON deliveries (hook, id)",
    ),
}
"""Schema version -> what makes it of the one before."""


LOCK = 0x63696E65
"""Key of the lock of PostgreSQL under which one process at a time makes or changes the tables."""


def prepare(database: Database) -> None:
    """Make the tables of a store, or bring them up to date; quick where there is nothing to do.

    Raises:
        StoreTooNew: a newer version of the program wrote them.
    """
    if database.read(lambda connection: _found(connection, database.place)) != VERSION:
        database.write(lambda connection: migrate(connection, database.place))


def migrate(connection: sa.Connection, place: str) -> None:
    """The same within the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    found = _found(connection, place)
    if found == 0:
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
        connection.execute(sa.insert(counters), [{"name": name, "value": 0} for name in ("event", "token")])
        return
    for version in range(found + 1, VERSION + 1):
        for statement in STEPS[version]:
            connection.execute(sa.text(statement))
    connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(VERSION)))


def _found(connection: sa.Connection, place: str) -> int:
    """The version of the tables; 0 where there are none."""
    if not sa.inspect(connection).has_table(meta.name):
        return 0
    query = sa.select(meta.c.value).where(meta.c.name == "schema")
    found = int(connection.execute(query).scalar() or VERSION)
    if found > VERSION:
        raise StoreTooNew(place, found, VERSION)
    return found
