"""How a job store of any older schema becomes one of this: numbered steps, all in one transaction.

A step is a list of statements in SQL that SQLite and PostgreSQL share. It is written once and never changed; a fresh store
is made from `schema` directly, and a test holds that both ways give the same tables (docs/adr: store-migrations).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from archer.errors import StoreTooNew
from archer.store.schema import VERSION, meta, metadata

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
}
"""Schema version -> what makes it of the one before."""


def migrate(connection: Any, folder: str) -> None:
    """Make the tables, or bring them up to date; within the caller's transaction.

    Raises:
        StoreTooNew: a newer version of the program wrote them.
    """
    if not sa.inspect(connection).has_table(meta.name):
        metadata.create_all(connection)
        connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
        return
    query = sa.select(meta.c.value).where(meta.c.name == "schema")
    found = int(connection.execute(query).scalar() or VERSION)
    if found > VERSION:
        raise StoreTooNew(folder, found, VERSION)
    for version in range(found + 1, VERSION + 1):
        for statement in STEPS[version]:
            connection.execute(sa.text(statement))
    connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(VERSION)))
