"""How a job store of any older schema becomes one of this, or goes back; all in one transaction.

The steps are Alembic scripts (`archer.store.revisions`). A fresh store is made from `schema` and stamped, and one that is up to
date is only looked at, so that a local run never imports Alembic (docs/adr: alembic). Tests hold that all ways give the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from archer.errors import StoreTooNew
from archer.store.database import Database
from archer.store.schema import SAID, SAYING, VERSION, counters, meta, metadata, revisions

LOCK = 0x63696E65
"""Key of the lock of PostgreSQL under which one process at a time makes or changes the tables."""
SCRIPTS = Path(__file__).with_name("revisions")


def prepare(database: Database) -> None:
    """Make the tables of a store, or bring them up to date; quick where there is nothing to do.

    Raises:
        StoreTooNew: a newer version of the program wrote them.
    """
    if database.read(lambda connection: _found(connection, database.place)) != VERSION:
        migrate(database, VERSION)


def migrate(database: Database, version: int) -> None:
    """Bring the tables of a store to a version, up or down; what a lower version has no place for is lost. 0: no tables.

    Raises:
        StoreTooNew: a newer version of the program wrote them.
    """
    database.write(lambda connection: _migrate(connection, database.place, version))


def _migrate(connection: sa.Connection, place: str, version: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    found = _found(connection, place)
    if found == version:
        return
    if found == 0 and version == VERSION:
        _make(connection)
        return
    if found and not sa.inspect(connection).has_table(revisions.name):  # of a version before we used Alembic
        revisions.create(connection)
        connection.execute(revisions.insert().values(version_num=_revision(found)))
    _run(connection, _revision(version) if version else "base", up=version > found)
    if version and not found:
        connection.execute(meta.insert().values(name="schema", value=str(version)))
    elif version:
        connection.execute(meta.update().where(meta.c.name == "schema").values(value=str(version)))


def _make(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":  # see `SAYING`
        SAYING.dialect_options["postgresql"]["where"] = SAID
    metadata.create_all(connection)
    connection.execute(meta.insert().values(name="schema", value=str(VERSION)))
    connection.execute(revisions.insert().values(version_num=_revision(VERSION)))
    connection.execute(sa.insert(counters), [{"name": name, "value": 0} for name in ("event", "token")])


def _run(connection: sa.Connection, target: str, *, up: bool) -> None:
    """Run the scripts between where the store stands and a revision, in the transaction that is open."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts: Any = ScriptDirectory(str(SCRIPTS), version_locations=[str(SCRIPTS)])
    steps = scripts._upgrade_revs if up else scripts._downgrade_revs  # as alembic.command does
    with EnvironmentContext(Config(), scripts, fn=lambda at, _context: steps(target, at)) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()


def _revision(version: int) -> str:
    return f"{version:04d}"


def _found(connection: sa.Connection, place: str) -> int:
    """The version of the tables; 0 where there are none."""
    if not sa.inspect(connection).has_table(meta.name):
        return 0
    query = sa.select(meta.c.value).where(meta.c.name == "schema")
    found = int(connection.execute(query).scalar() or VERSION)
    if found > VERSION:
        raise StoreTooNew(place, found, VERSION)
    return found
