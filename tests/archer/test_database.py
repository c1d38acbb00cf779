"""Connections to job state: what is lost for a while is waited for, what is refused is said at once, never with a password."""

from __future__ import annotations

import logging
import pickle
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from archer.errors import StateUnusable, StoreUnreachable
from archer.store import History, JobQueue, JobStore
from archer.store.database import Database
from archer.store.garbage import collect_garbage


def one(connection: sa.Connection) -> int:
    return int(connection.execute(sa.text("SELECT 1")).scalar_one())


@pytest.mark.parametrize(
    "url", ["postgresql://anna:s3cret@127.0.0.1:1/x", "postgresql://127.0.0.1:1/x?user=anna&password=s3cret"]
)
def test_a_server_that_is_not_there_is_named_without_the_password(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("psycopg")
    database = Database(url, patience_s=1.5)
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(StoreUnreachable, match=r"127\.0\.0\.1:1/x: cannot be reached") as caught,
    ):
        database.read(one)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  our own
    said = [
        str(again),
        repr(again),
        *traceback.format_exception(caught.value),
        caplog.text,
        repr(database.engine),
    ]
    assert "s3cret" not in "".join(said)
    assert "trying again" in caplog.text


def test_what_is_refused_is_not_tried_again(postgres: Any) -> None:
    database, began = Database(postgres.url("nowhere", "s3cret")), time.monotonic()
    with pytest.raises(StateUnusable, match='"nowhere" does not exist') as caught:
        JobQueue(database)
    assert time.monotonic() - began < 5
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql+pg8000://x/y", "://", "sqlite+aiosqlite:///x"])
def test_other_databases_are_refused_by_name(url: str) -> None:
    with pytest.raises(StateUnusable, match="wanted"):
        Database(url)


def test_a_server_that_comes_back_is_waited_for(postgres: Any) -> None:
    """It is stopped with all connections, and starts again while somebody asks."""
    database = Database(postgres.create())
    queue = JobQueue(database)
    row, _ = queue.submit("{}", key="before")
    postgres.stop()
    starter = threading.Timer(0.5, postgres.start)
    starter.start()
    assert queue.get(row.id) == row
    starter.join()
    assert queue.submit("{}", key="before") == (row, False)
    database.close()


def test_a_transaction_that_waits_in_a_circle_is_done_again(postgres: Any) -> None:
    database = Database(postgres.create())
    database.write(
        lambda connection: connection.execute(sa.text("CREATE TABLE t (id int primary key, n int)"))
    )
    database.write(lambda connection: connection.execute(sa.text("INSERT INTO t VALUES (1, 0), (2, 0)")))
    meeting, tries = threading.Barrier(2, timeout=10), [0, 0]

    def work(place: int) -> None:
        def change(connection: sa.Connection) -> None:
            tries[place] += 1
            for step, row in enumerate((1, 2) if place else (2, 1)):
                connection.execute(sa.text("UPDATE t SET n = n + 1 WHERE id = :row"), {"row": row})
                if step == 0 and tries[place] == 1:
                    meeting.wait()

        database.write(change)

    threads = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(tries) == [1, 2]
    total = database.read(lambda connection: connection.execute(sa.text("SELECT SUM(n) FROM t")).scalar_one())
    assert total == 4
    database.close()


def test_a_folder_of_a_database_is_not_taken_for_a_store(postgres: Any, tmp_path: Path) -> None:
    """Else `cinemill gc` without --store would take everything in it for garbage."""
    database = Database(postgres.create())
    JobStore(tmp_path, database)
    (tmp_path / "objects" / "ab").mkdir(parents=True)
    (tmp_path / "objects" / "ab" / "cd.json").write_text("{}")
    with pytest.raises(StateUnusable, match="its jobs are in postgresql://"):
        collect_garbage(tmp_path)
    assert collect_garbage(tmp_path, database=database, dry_run=True).blobs == 1
    assert (tmp_path / "objects" / "ab" / "cd.json").exists()
    assert collect_garbage(tmp_path, database=database).blobs == 1
    with History(database) as history:
        assert history.jobs() == []
    database.close()
