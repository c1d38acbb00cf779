"""A store of every older schema opens, keeps what it holds, and looks like a fresh one."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from archer.errors import StateUnusable
from archer.store import History, JobQueue, JobStore, migrations
from archer.store.database import Database
from archer.store.migrations import migrate, prepare
from archer.store.schema import VERSION, jobs

FIRST = """
CREATE TABLE meta (name VARCHAR(32) NOT NULL, value VARCHAR(200) NOT NULL, PRIMARY KEY (name));
CREATE TABLE jobs (id VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, runs INTEGER NOT NULL, begun_ms BIGINT NOT NULL,
    ended_ms BIGINT, PRIMARY KEY (id));
CREATE TABLE nodes (job VARCHAR(64) NOT NULL, node VARCHAR(64) NOT NULL, place INTEGER NOT NULL,
    stage VARCHAR(100) NOT NULL, version INTEGER NOT NULL, state VARCHAR(16) NOT NULL, items INTEGER NOT NULL,
    weight BIGINT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (job, node));
CREATE TABLE tasks (job VARCHAR(64) NOT NULL, name VARCHAR(300) NOT NULL, node VARCHAR(64) NOT NULL,
    phase VARCHAR(8) NOT NULL, label VARCHAR(200) NOT NULL, weight BIGINT NOT NULL, state VARCHAR(16) NOT NULL,
    token BIGINT NOT NULL, until_ms BIGINT NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (job, name));
CREATE TABLE attempts (token BIGINT NOT NULL, job VARCHAR(64) NOT NULL, name VARCHAR(300) NOT NULL, number INTEGER NOT NULL,
    state VARCHAR(16) NOT NULL, ended_ms BIGINT NOT NULL, wall_ms BIGINT NOT NULL, cpu_ms BIGINT NOT NULL,
    error TEXT NOT NULL, log TEXT NOT NULL, PRIMARY KEY (token));
CREATE TABLE events (seq INTEGER NOT NULL, at_ms BIGINT NOT NULL, job VARCHAR(64) NOT NULL, type VARCHAR(32) NOT NULL,
    node VARCHAR(64) NOT NULL, item VARCHAR(200) NOT NULL, attempt INTEGER NOT NULL, payload TEXT NOT NULL,
    PRIMARY KEY (seq));
CREATE INDEX events_by_job ON events (job, seq);
CREATE TABLE memo ("key" VARCHAR(64) NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY ("key"));
INSERT INTO meta VALUES ('schema', '1');
INSERT INTO jobs VALUES ('j1', 'done', 1, 5, 6);
INSERT INTO tasks VALUES ('j1', 'n/map/all', 'n', 'map', 'all', 1, 'done', 9, 0, '{}');
INSERT INTO nodes VALUES ('j1', 'n', 0, 'toy', 1, 'done', 1, 1, '{}');
INSERT INTO attempts VALUES (9, 'j1', 'n/map/all', 2, 'done', 6, 30, 20, '', '');
INSERT INTO attempts VALUES (8, 'j1', 'n/map/all', 1, 'retry', 5, 4, 3, 'it fell', '');
INSERT INTO memo VALUES ('k', '{"x":{"kind":"a@1","hash":"sha256:0","size":1,"suffix":""}}');
"""
"""What version 1 made, as SQLite's own dump had it."""


def shape(database: Database) -> dict[str, object]:
    """Table -> its columns, key and indexes, as the database itself tells."""

    def look(connection: sa.Connection) -> dict[str, object]:
        found: dict[str, object] = {}
        inspector = sa.inspect(connection)
        for table in inspector.get_table_names():
            columns = [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            ]
            indexes = [
                (
                    index["name"],
                    index["column_names"],
                    bool(index["unique"]),
                    {name: str(value) for name, value in index["dialect_options"].items()},
                )
                for index in inspector.get_indexes(table)
            ]
            key = inspector.get_pk_constraint(table)["constrained_columns"]
            found[table] = (sorted(columns), key, sorted(indexes, key=str))
        return found

    return database.read(look)


def test_a_migrated_store_is_shaped_like_a_fresh_one_and_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with sqlite3.connect(tmp_path / "old" / "archer.db") as connection:
        connection.executescript(FIRST)
    store = JobStore(tmp_path / "old")
    assert store.next_token == 10
    assert store.job_state("j1") == "done"
    assert store.recall(["k"])["k"]["x"].hash == "sha256:0"
    store.close()
    with History(tmp_path / "old") as history:
        assert history.counts("j1") == {"done": 1}
        (cost,) = history.costs("j1")
        assert (cost.tries, cost.wall_ms, cost.cpu_ms, cost.wasted, cost.wasted_ms) == (2, 30, 20, 1, 4)
        assert [row.error for row in history.logs("j1")] == ["it fell"]
    JobStore(tmp_path / "new").close()
    assert shape(Database(tmp_path / "old")) == shape(Database(tmp_path / "new"))
    JobStore(tmp_path / "old").close()


def test_every_version_up_and_down_and_the_same_as_a_fresh_one(database: Database, tmp_path: Path) -> None:
    """Made by scripts from nothing, taken down to nothing and up again: always the tables that `schema` says."""
    prepare(database)
    fresh, shapes = shape(database), {VERSION: shape(database)}
    for version in range(VERSION - 1, -1, -1):
        migrate(database, version)
        shapes[version] = shape(database)
    assert shapes[0].keys() <= {"alembic_version"}
    for version in range(1, VERSION + 1):
        migrate(database, version)
        assert shape(database) == shapes[version], f"version {version}"
    assert shape(database) == fresh
    prepare(database)
    row, created = JobQueue(database).submit("{}")
    assert created
    assert History(database).events(row.id)[0].seq == 1


def test_jobs_that_ran_survive_the_way_down_and_up(database: Database) -> None:
    queue = JobQueue(database)
    queue.submit("{}")
    with_events = len(History(database).events())
    database.write(
        lambda connection: connection.execute(
            sa.insert(jobs).values(id="old", state="done", runs=1, begun_ms=1)
        )
    )
    migrate(database, 3)
    migrate(database, VERSION)
    assert [row.id for row in History(database).jobs()] == ["old"]
    row, _ = JobQueue(database).submit("{}")
    assert History(database).events(row.id)[0].seq == with_events + 1, "numbers go on"


def test_a_script_that_fails_leaves_the_old_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "archer.db") as connection:
        connection.executescript(FIRST)
    before = shape(Database(tmp_path))
    shutil.copytree(migrations.SCRIPTS, tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    script = tmp_path / "scripts" / "v0003_tallies.py"
    script.write_text(
        script.read_text().replace("op.execute(TRIES)", "op.execute('INSERT INTO nowhere VALUES (1)')")
    )
    monkeypatch.setattr(migrations, "SCRIPTS", tmp_path / "scripts")
    with pytest.raises(StateUnusable, match="nowhere"):
        JobStore(tmp_path)
    assert shape(Database(tmp_path)) == before
    monkeypatch.undo()
    JobStore(tmp_path).close()
    assert "tallies" in shape(Database(tmp_path))


def test_several_processes_may_make_the_tables_at_once(database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: prepare(database), range(4)))
    assert JobQueue(database).counts() == {}


def test_a_local_run_never_imports_alembic(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from archer.store import JobStore
for _ in range(2):
    JobStore(Path({str(tmp_path)!r})).close()
print([name for name in ("alembic", "psycopg", "sqlalchemy.dialects.postgresql") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_version_has_its_script() -> None:
    names = sorted(path.name[:5] for path in migrations.SCRIPTS.glob("v*.py"))
    assert names == [f"v{version:04d}" for version in range(1, VERSION + 1)]
