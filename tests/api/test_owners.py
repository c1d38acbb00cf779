"""Jobs belong to whom their key is named after: others do not even learn that they exist, unless their key says `jobs:all`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from archer.api.app import create_app
from archer.api.auth import reach_of
from archer.api.hooks import Hooks, new_hook
from archer.api.keys import mint
from archer.api.metrics import Metrics
from archer.api.settings import Settings
from archer.places import Places
from archer.store import History, JobQueue
from archer.store.database import Database
from archer.store.hooks import HookRows
from archer.store.keys import KeyRows

OWN = ("jobs:read", "jobs:write", "results:read", "webhooks:write")
SHOTS = {"job": "shots", "input": "title.mp4"}


@pytest.fixture
def people(locked: tuple[Any, str], new_key: Callable[..., str]) -> Iterator[dict[str, httpx.Client]]:
    """Anna with two keys, Bert, and Carla, who sees after everything."""
    scopes = {"anna": OWN, "anna again": OWN, "bert": OWN, "carla": (*OWN, "jobs:all")}
    with ExitStack() as stack:
        yield {
            who: stack.enter_context(
                httpx.Client(
                    base_url=locked[0].url,
                    headers={"Authorization": f"Bearer {new_key(*wanted, name=who.split()[0])}"},
                    timeout=30,
                )
            )
            for who, wanted in scopes.items()
        }


@pytest.fixture
def job(people: dict[str, httpx.Client]) -> str:
    """A job of Anna's."""
    made = people["anna"].post("/v1/jobs", json={**SHOTS, "queue": "annas"}, headers={"Idempotency-Key": "o"})
    return str(made.json()["id"])


@pytest.mark.parametrize(
    "place", ["", "/tasks", "/attempts?task=x", "/logs", "/events", "/results", "/results/a.b", "/usage"]
)
def test_a_job_of_somebody_else_is_not_there(people: dict[str, httpx.Client], job: str, place: str) -> None:
    answer = people["bert"].get(f"/v1/jobs/{job}{place}")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/job-not-found")
    nobodys = people["bert"].get(f"/v1/jobs/{'0' * 32}{place}").json()
    assert answer.json()["detail"].replace(job, "0" * 32) == nobodys["detail"]


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry"])
def test_nothing_can_be_asked_of_it(people: dict[str, httpx.Client], job: str, action: str) -> None:
    assert people["bert"].post(f"/v1/jobs/{job}:{action}").status_code == 404
    assert people["anna"].get(f"/v1/jobs/{job}").json()["state"] == "queued"


def test_lists_queues_and_streams_hold_ones_own(people: dict[str, httpx.Client], job: str) -> None:
    def seen(who: str) -> tuple[bool, bool, bool]:
        client = people[who]
        listed = job in {row["id"] for row in client.get("/v1/jobs?limit=1000").json()["items"]}
        counted = any(row["jobs"] for row in client.get("/v1/queues").json() if row["name"] == "annas")
        return listed, counted, job in client.get("/v1/events?follow=false").text

    assert seen("anna") == seen("anna again") == seen("carla") == (True, True, True)
    assert seen("bert") == (False, False, False)
    owner = people["anna"].get(f"/v1/jobs/{job}").json()["owner"]
    assert people["bert"].get(f"/v1/jobs?owner={owner}").json()["items"] == []


def test_a_key_that_is_replaced_leaves_everything_where_it_was(
    people: dict[str, httpx.Client], job: str
) -> None:
    again = people["anna again"].post(
        "/v1/jobs", json={**SHOTS, "queue": "annas"}, headers={"Idempotency-Key": "o"}
    )
    assert (again.status_code, again.json()["id"]) == (200, job)
    other = people["bert"].post("/v1/jobs", json=SHOTS, headers={"Idempotency-Key": "o"})
    assert other.status_code == 201


def test_queues_are_everybodys(people: dict[str, httpx.Client]) -> None:
    answer = people["bert"].put("/v1/queues/annas", json={"paused": True})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/wrong-scope")
    assert "jobs:all" in answer.json()["detail"]
    assert people["carla"].put("/v1/queues/annas", json={"paused": False}).status_code == 200


def test_pages_and_dialects_hold_to_it_too(
    locked: tuple[Any, str], people: dict[str, httpx.Client], job: str
) -> None:
    bert = people["bert"].headers["Authorization"].removeprefix("Bearer ")
    token = {"X-Amz-Security-Token": bert}
    with httpx.Client(base_url=locked[0].url, timeout=60) as client:
        assert client.get(f"/2017-08-29/jobs/{job}", headers=token).status_code == 404
        assert client.delete(f"/2017-08-29/jobs/{job}", headers=token).status_code == 404
        assert job not in client.get("/2017-08-29/jobs", headers=token).text
        client.headers["Origin"] = locked[0].url
        client.post("/login", data={"key": bert})
        assert job not in client.get("/").text
        assert "1</b> queued" not in client.get("/queues").text.partition(">annas<")[2].partition("</li>")[0]
        for place in ("", "/tasks", "/logs", "/task?name=x", "/results/a.b", "/events"):
            assert client.get(f"/jobs/{job}{place}").status_code == 404, place
        assert client.get(f"/jobs/new?like={job}").status_code == 404
        assert client.post(f"/jobs/{job}/cancel").status_code == 404
        assert client.post("/queues/annas", data={"paused": "yes"}).status_code == 403
    assert people["anna"].get(f"/v1/jobs/{job}").json()["state"] == "queued"


def test_webhooks_of_others_are_not_there(
    people: dict[str, httpx.Client], new_key: Callable[..., str]
) -> None:
    def listed(who: str) -> list[str]:
        return [row["id"] for row in people[who].get("/v1/webhooks?limit=1000").json()["items"]]

    made = people["anna"].post("/v1/webhooks", json={"url": "https://93.184.215.14/x"}).json()["id"]
    assert made in listed("anna again")
    assert made in listed("carla")
    assert made not in listed("bert")
    for place in ("", "/deliveries"):
        assert people["bert"].get(f"/v1/webhooks/{made}{place}").status_code == 404
    assert people["bert"].post(f"/v1/webhooks/{made}:test").status_code == 404
    assert people["bert"].delete(f"/v1/webhooks/{made}").status_code == 404
    assert people["anna"].delete(f"/v1/webhooks/{made}").status_code == 204


def test_a_stream_ends_some_time_so_that_the_key_is_looked_at_again(tmp_path: Path) -> None:
    """It is then asked for by its last place: a key that was revoked meanwhile gets nothing more."""
    app = create_app(Settings(work_dir=tmp_path, stream_s=0.3))
    parts = app.state.services
    parts.queue.submit("{}")

    async def all_of(path: str) -> str:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=20) as client:
            return (await client.get(path)).text

    told = asyncio.run(all_of("/v1/events"))
    assert told.count("event: job-submitted") == 1
    assert "event: end" not in told
    parts.database.close()


def test_a_webhook_is_told_of_jobs_that_its_owner_reaches_while_a_key_is_valid(tmp_path: Path) -> None:
    database = Database(tmp_path)
    queue, hooks, keys = JobQueue(database), HookRows(database), KeyRows(database)
    owners = {}
    for who, scopes in (("anna", OWN), ("bert", OWN), ("carla", ("*",)), ("dora", ("*",))):
        _, key = mint(who, scopes, now_ms=1)
        keys.add(asdict(key))
        owners[who] = key.id
    keys.revoke(owners["dora"], 2)
    made = {
        who: new_hook("https://a.example/", ["job-submitted"], owner=owners[who], seen=0) for who in owners
    }
    for hook in made.values():
        hooks.add(hook)
    jobs = {who: queue.submit(json.dumps({"of": who}), owner=owners[who])[0].id for who in ("anna", "bert")}
    told = Hooks(
        hooks,
        History(database),
        reach=lambda owner: reach_of(keys, owner),
        owners=queue.owners,
        places=Places(["https://"]),
        waits_s=(),
        metrics=Metrics(),
    )
    told.collect()
    found = {
        who: {json.loads(row.body)["data"]["job"] for row in hooks.deliveries(hook.id)}
        for who, hook in made.items()
    }
    assert found == {"anna": {jobs["anna"]}, "bert": {jobs["bert"]}, "carla": {*jobs.values()}, "dora": set()}
    database.close()
