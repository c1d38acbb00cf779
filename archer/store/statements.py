"""The statements of the job store as text, compiled once.

SQLAlchemy's way from an expression to the driver, taken in each of many small transactions, costs more than the statement.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import sqlalchemy as sa

from archer.store.schema import attempts, cards, events, jobs, memo, nodes, tallies, tasks

BULK = 8
"""Rows from which on PostgreSQL is asked once for all."""
BIND = re.compile(r"%\((\w+)\)s::(\w+)")
VALUES = re.compile(r"VALUES \((%\(\w+\)s::\w+(, )?)+\)")
SIZES = (1, 20, 500)
"""Names in one question for states; in between, a name is asked for several times."""


class Statements:
    """SQL of one database; every one takes a list of rows, by names, through `many`.

    Attributes:
        plan: tasks that are (again) pending.
        settle: tasks whose state changes without a lease: found in the memo, refused.
        lease: tasks given to a worker, by a new token.
        copy: leased tasks given to a second worker beside the first, by a token of its own.
        close: leased tasks that end or wait for the next try; changes only rows that `old_token` still holds: tokens
            only grow, so those of the tries that run beside each other lie between the first's and the last's.
        renew: leases that run longer. place: where tasks run.
        fence: one more transaction of a claimed job, as long as it is claimed under `old_token`.
        attempt, event: rows that are only added.
        remember: results by memo key. touch: when they were found last.
        card: what tasks show of themselves.
        node, node_state: where nodes stand.
        tally: what is added to counts.
        states: name and state of tasks of one job, by how many are asked for.
    """

    def __init__(self, dialect: sa.Dialect) -> None:
        def text(statement: Any, columns: list[str] | None = None) -> str:
            return str(statement.compile(dialect=dialect, column_keys=columns))

        insert: Any = import_module(
            f"sqlalchemy.dialects.{dialect.name}"
        ).insert  # each costs a tenth of a second
        columns = [column.name for column in tasks.c if column.name != "copy_token"]
        key = ["job", "name"]
        self.plan = text(_upsert(insert(tasks), key, ["weight", "state", "until_ms"]), columns)
        self.settle = text(_upsert(insert(tasks), key, ["state", "outputs"]), columns)
        self.lease = text(_upsert(insert(tasks), key, ["state", "token", "until_ms", "worker"]), columns)
        one = (tasks.c.job == sa.bindparam("old_job"), tasks.c.name == sa.bindparam("old_name"))
        own: Any = sa.bindparam("old_token")
        place: Any = sa.bindparam("worker")
        self.place = text(sa.update(tasks).where(*one, tasks.c.token == own).values(worker=place))
        self.copy = text(sa.update(tasks).where(*one).values(copy_token=own))
        ends: dict[str, Any] = {name: sa.bindparam(name) for name in ("state", "until_ms", "outputs")}
        self.close = text(
            sa.update(tasks)
            .where(*one, tasks.c.state == sa.literal_column("'leased'"))
            .where(tasks.c.token <= own, (tasks.c.token == own) | (tasks.c.copy_token >= own))
            .values({**ends, "copy_token": sa.literal_column("0")})
        )
        until: Any = sa.bindparam("until_ms")
        self.renew = text(sa.update(tasks).where(*one, tasks.c.token == own).values(until_ms=until))
        self.fence = text(_fence())
        self.attempt = text(sa.insert(attempts))
        self.event = text(sa.insert(events))
        self.remember = text(_upsert(insert(memo), ["key"], ["outputs", "used_ms"]))
        self.card = text(_upsert(insert(cards), ["job", "task", "name"], ["artifact"]))
        used: Any = sa.bindparam("used_ms")
        self.touch = text(sa.update(memo).where(memo.c.key == sa.bindparam("old_key")).values(used_ms=used))
        kept = ["place", "state", "items", "weight", "outputs", "identity"]
        self.node = text(_upsert(insert(nodes), ["job", "node"], kept))
        self.states = {size: text(_states(size)) for size in SIZES}
        self.tally = text(_added(insert(tallies), ["job", "counts", "node", "phase", "state"]))
        self.node_state = text(_node_state())
        self._bulk = self._bulks() if dialect.name == "postgresql" else {}
        self._plain = dialect.name == "sqlite"

    def many(self, connection: sa.Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement for each row; returns how many rows of its table it changed."""
        if not rows:
            return 0
        bulk = self._bulk.get(statement) if len(rows) >= BULK else None
        if bulk is None:
            return self._each(connection, statement, rows)
        text, names, key = bulk
        once = {tuple(row[name] for name in key): row for row in rows}.values() if key else rows
        columns = {name: [row[name] for row in once] for name in names}
        return int(connection.exec_driver_sql(text, columns).rowcount)

    def ask(self, connection: sa.Connection, statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
        """Rows that one statement gives."""
        if not self._plain:
            return connection.exec_driver_sql(statement, dict(values)).all()
        with _by_driver(connection, statement, values) as cursor:
            cursor.execute(statement, values)
            found: Sequence[Any] = cursor.fetchall()
            return found

    def _each(self, connection: sa.Connection, statement: str, rows: Sequence[Mapping[str, Any]]) -> int:
        if not self._plain:
            return int(connection.exec_driver_sql(statement, list(rows)).rowcount)
        with _by_driver(connection, statement, rows) as cursor:
            cursor.executemany(statement, rows)
            return int(cursor.rowcount)

    def _bulks(self) -> dict[str, tuple[str, list[str], tuple[str, ...]]]:
        """Statement -> the same for all rows at once, its columns, and the key of a row: the last one of a key counts."""
        task = ("job", "name")
        keys: dict[str, tuple[str, ...]] = {
            self.plan: task,
            self.settle: task,
            self.lease: task,
            self.remember: ("key",),
        }
        plain = (self.close, self.renew, self.place, self.touch, self.attempt, self.event)
        return {text: (*_at_once(text), keys.get(text, ())) for text in (*keys, *plain)}


@contextmanager
def _by_driver(connection: sa.Connection, statement: str, values: Any) -> Iterator[Any]:
    """SQLite's own cursor, with SQLAlchemy's errors: its results and their descriptions cost more than the statement."""
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError.instance(statement, values, error, sqlite3.Error) from error
    finally:
        cursor.close()


def _upsert(insert: Any, keys: list[str], changed: list[str]) -> Any:
    return insert.on_conflict_do_update(
        index_elements=keys, set_={name: insert.excluded[name] for name in changed}
    )


def _added(insert: Any, keys: list[str]) -> Any:
    sums = {
        column.name: column + insert.excluded[column.name]
        for column in insert.table.c
        if column.name not in keys
    }
    return insert.on_conflict_do_update(index_elements=keys, set_=sums)


def _fence() -> Any:
    seen: Any = sa.bindparam("old_commits")
    claimed = (jobs.c.id == sa.bindparam("old_job"), jobs.c.token == sa.bindparam("old_token"))
    return (
        sa.update(jobs)
        .where(*claimed, jobs.c.commits == seen)
        .values(commits=jobs.c.commits + sa.literal_column("1"))
    )


def _node_state() -> Any:
    return (
        sa.update(nodes)
        .where(nodes.c.job == sa.bindparam("old_job"), nodes.c.node == sa.bindparam("old_node"))
        .values(
            state=sa.bindparam("state"),
            items=nodes.c["items"] + sa.bindparam("more_items"),
            weight=nodes.c.weight + sa.bindparam("more_weight"),
            outputs=sa.bindparam("outputs"),
        )
    )


def _states(size: int) -> Any:
    names: list[Any] = [sa.bindparam(f"name_{place}") for place in range(size)]
    return sa.select(tasks.c.name, tasks.c.state).where(
        tasks.c.job == sa.bindparam("job"), tasks.c.name.in_(names)
    )


def _at_once(text: str) -> tuple[str, list[str]]:
    """A statement of PostgreSQL for one row as one for arrays of its columns, and their names.

    The driver sends a message per row otherwise, and the server plans and runs each.
    """
    kinds = dict(BIND.findall(text))
    arrays = ", ".join(f"%({name})s::{kind}[]" for name, kind in kinds.items())
    given = f"unnest({arrays}) AS given({', '.join(map(_quoted, kinds))})"
    if text.startswith("INSERT"):
        return VALUES.sub(f"SELECT * FROM {given}", text), [*kinds]  # noqa: S608  our own names
    changed, _, where = BIND.sub(lambda found: f"given.{_quoted(found[1])}", text).partition(" WHERE ")
    return f"{changed} FROM {given} WHERE {where}", [*kinds]


def _quoted(name: str) -> str:
    return f'"{name}"'
