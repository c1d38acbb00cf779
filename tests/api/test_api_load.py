"""Many at once, and servers that are killed: what was accepted is one job each, and each is done once."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from archer import Client
from archer.store.database import Database
from archer.store.schema import attempts, events
from archer.store.schema import jobs as job_rows

SHOTS = {"job": "shots", "input": "title.mp4"}


def test_500_submits_at_once_with_repeated_keys_are_exactly_the_distinct_jobs(
    locked: tuple[Any, str],
) -> None:
    server, key = locked
    headers = {"Authorization": f"Bearer {key}"}

    def one_of_them() -> httpx.AsyncClient:
        """Of five: the work of a pool of connections grows with the square of what waits for it."""
        limits = httpx.Limits(max_connections=20)
        return httpx.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=120)

    async def go() -> list[tuple[str, int, str]]:
        async with AsyncExitStack() as open_ones:
            clients = [await open_ones.enter_async_context(one_of_them()) for _ in range(5)]

            async def submit(number: int) -> tuple[str, int, str]:
                name = f"same-{number % 60}"
                order = {**SHOTS, "queue": "crowd", "priority": number % 60}
                client = clients[number // 100]  # so that equal keys come by several
                answer = await client.post("/v1/jobs", json=order, headers={"Idempotency-Key": name})
                return name, answer.status_code, answer.json()["id"]

            return list(await asyncio.gather(*map(submit, range(500))))

    answers = asyncio.run(go())
    assert Counter(status for _, status, _ in answers) == {201: 60, 200: 440}
    assert len({(name, job) for name, _, job in answers}) == 60
    with Client(server.url, key=key) as client:
        assert len(client.jobs(queue="crowd")) == 60


class Crowd:
    """Clients that go on submitting, whatever becomes of servers; they and their keys are all that connects those."""

    def __init__(self, url: str) -> None:
        self.ids: dict[str, set[str]] = {}
        self.failed: list[Exception] = []
        self._url = url
        self._threads = [threading.Thread(target=self._submit, args=(part,)) for part in range(4)]
        for thread in self._threads:
            thread.start()

    def _submit(self, part: int) -> None:
        with Client(self._url, key="", patience_s=180) as client:
            for number in range(15):
                name = f"{part}-{number}"
                params = {"chunk_frames": 20 + (part + number) % 5}
                try:
                    job = client.submit({**SHOTS, "params": params}, key=name)
                    self.ids.setdefault(name, set()).add(job.id)
                except Exception as error:  # noqa: BLE001  told at the end
                    self.failed.append(error)

    def jobs(self) -> set[str]:
        """The jobs, once all are submitted: one of each name, and each done."""
        for thread in self._threads:
            thread.join()
        assert not self.failed
        assert len(self.ids) == 60
        assert all(len(found) == 1 for found in self.ids.values())
        found = {job for jobs in self.ids.values() for job in jobs}
        with Client(self._url, key="", patience_s=60) as client:
            for job in found:
                assert client.job(job).wait().state == "done"
        return found


@pytest.mark.slow
def test_a_server_killed_under_load_loses_no_job_and_does_none_twice(
    tmp_path: Path, media: Path, start: Any
) -> None:
    """On SQLite, where its scheduler dies with it."""
    options = ("--allow-input", str(media), "--workers", "2", "--rate", "")
    server = start(tmp_path / "work", *options)
    crowd = Crowd(server.url)
    for _ in range(3):
        time.sleep(1.5)
        server.kill()
        server = start(tmp_path / "work", *options, port=server.port)
    found = crowd.jobs()
    server.stop()
    _each_done_once(Database(tmp_path / "work"), found)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Start schedulers of a database that end with the test."""
    made: list[subprocess.Popen[bytes]] = []

    def scheduler(store: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "pipelines.cli.main", "scheduler", "-w", str(tmp_path / "work")]
        argv += ["--store", store, "--workers", "1", "--lease-s", "2", "-q"]
        made.append(subprocess.Popen(argv))
        return made[-1]

    yield scheduler
    for each in made:
        each.kill()
        each.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_servers_and_schedulers_killed_under_load_on_postgresql(
    tmp_path: Path, media: Path, start: Any, postgres: Any, begin: Any
) -> None:
    """Three schedulers share the jobs, two servers' worth of lives take them; at any time some of them is being killed."""
    store = postgres.create()
    options = ("--allow-input", str(media), "--store", store, "--no-scheduler", "--rate", "")
    server = start(tmp_path / "work", *options)
    schedulers = [begin(store) for _ in range(3)]
    crowd = Crowd(server.url)
    dice, kept = random.Random(10), Database(store)
    for turn in range(6):
        time.sleep(dice.uniform(0.5, 2.5))
        if turn % 2:
            server.kill()
            server = start(tmp_path / "work", *options, port=server.port)
        victim = _busy_one(kept, schedulers)
        if victim is None:  # a fast machine has done it all
            break
        schedulers.remove(victim)
        victim.kill()
        victim.wait()
        schedulers.append(begin(store))
    found = crowd.jobs()
    server.stop()
    with kept.engine.connect() as connection:
        claimed = Counter(
            connection.execute(sa.select(events.c.job).where(events.c.type == "job-claimed")).scalars()
        )
    assert max(claimed.values()) > 1, "nobody was killed in the middle of anything"
    _each_done_once(kept, found)


def _busy_one(
    database: Database, schedulers: list[subprocess.Popen[bytes]]
) -> subprocess.Popen[bytes] | None:
    """A scheduler that holds a job now, None where none takes any more; their names end with their process ids."""
    query = sa.select(job_rows.c.holder).where(job_rows.c.holder != "")
    for _ in range(600):
        with database.engine.connect() as connection:
            holders = {str(name).rpartition("/")[2] for name in connection.execute(query).scalars()}
        if found := [each for each in schedulers if str(each.pid) in holders]:
            return found[0]
        time.sleep(0.05)
    return None


def _each_done_once(database: Database, ids: set[str]) -> None:
    with database.engine.connect() as connection:
        kept = {row.id for row in connection.execute(sa.select(job_rows.c.id))}
        ends = Counter(
            connection.execute(sa.select(events.c.job).where(events.c.type == "job-done")).scalars()
        )
        done = sa.select(attempts.c.job, attempts.c.name).where(attempts.c.state == "done")
        tries = Counter((row.job, row.name) for row in connection.execute(done))
    database.close()
    assert kept == ids
    assert set(ends) == ids
    assert set(ends.values()) == {1}
    assert set(tries.values()) <= {1}
