"""Many at once, and servers that are killed: what was accepted is one job each, and each is done once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
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

    async def go() -> list[tuple[str, int, str]]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(
            base_url=server.url, headers=headers, limits=limits, timeout=120
        ) as client:

            async def submit(number: int) -> tuple[str, int, str]:
                name = f"same-{number % 60}"
                order = {**SHOTS, "queue": "crowd", "priority": number % 60}
                answer = await client.post("/v1/jobs", json=order, headers={"Idempotency-Key": name})
                return name, answer.status_code, answer.json()["id"]

            return list(await asyncio.gather(*map(submit, range(500))))

    answers = asyncio.run(go())
    assert Counter(status for _, status, _ in answers) == {201: 60, 200: 440}
    assert len({(name, job) for name, _, job in answers}) == 60
    with Client(server.url, key=key) as client:
        assert len(client.jobs(queue="crowd")) == 60


@pytest.mark.slow
def test_a_server_killed_under_load_loses_no_job_and_does_none_twice(
    tmp_path: Path, media: Path, start: Any
) -> None:
    """Clients go on meanwhile; they and their keys are all that connects the servers."""
    options = ("--allow-input", str(media), "--workers", "2", "--rate", "")
    server = start(tmp_path / "work", *options)
    over, ids, failed = threading.Event(), dict[str, set[str]](), []

    def submit(part: int) -> None:
        with Client(server.url, key="", patience_s=120) as client:
            for number in range(15):
                name = f"{part}-{number}"
                params = {"chunk_frames": 20 + (part + number) % 5}
                try:
                    job = client.submit({**SHOTS, "params": params}, key=name)
                    ids.setdefault(name, set()).add(job.id)
                except Exception as error:  # noqa: BLE001  told at the end
                    failed.append(error)

    threads = [threading.Thread(target=submit, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(1.5)
        server.kill()
        server = start(tmp_path / "work", *options, port=server.port)
    for thread in threads:
        thread.join()
    over.set()
    assert not failed
    with Client(server.url, key="") as client:
        for found in ids.values():
            assert client.job(next(iter(found))).wait().state == "done"
    assert len(ids) == 60
    assert all(len(found) == 1 for found in ids.values())
    server.stop()
    _each_done_once(tmp_path / "work", {job for found in ids.values() for job in found})


def _each_done_once(work: Path, ids: set[str]) -> None:
    database = Database(work)
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
