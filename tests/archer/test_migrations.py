"""A store of every older schema opens, keeps what it holds, and looks like a fresh one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from archer.store import History, JobStore
from archer.store.migrations import STEPS
from archer.store.schema import VERSION

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


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Table or index -> its columns: name, type, not null, default, place in the key."""
    with sqlite3.connect(path) as connection:
        names = connection.execute(
            "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        found = {}
        for kind, name in names:
            rows = connection.execute(
                f"PRAGMA {'table' if kind == 'table' else 'index'}_info({name})"
            ).fetchall()
            found[name] = sorted(tuple(row[1:]) if kind == "table" else (row[0], row[2]) for row in rows)
    return found


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
    assert shape(tmp_path / "old" / "archer.db") == shape(tmp_path / "new" / "archer.db")
    JobStore(tmp_path / "old").close()


def test_a_step_that_fails_leaves_the_old_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(tmp_path / "archer.db") as connection:
        connection.executescript(FIRST)
    before = shape(tmp_path / "archer.db")
    monkeypatch.setitem(STEPS, 2, (*STEPS[2], "ALTER TABLE nowhere ADD COLUMN x INTEGER"))
    with pytest.raises(Exception, match="nowhere"):
        JobStore(tmp_path)
    assert shape(tmp_path / "archer.db") == before
    monkeypatch.undo()
    JobStore(tmp_path).close()


def test_every_version_has_its_step() -> None:
    assert sorted(STEPS) == list(range(2, VERSION + 1))
