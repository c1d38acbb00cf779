"""Webhooks: signed so that the library of the standard takes them, tried again until taken, also by a server that was killed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from archer.api.hooks import Hooks, new_hook, trial_delivery
from archer.api.metrics import Metrics
from archer.places import Places
from archer.store import History, JobQueue
from archer.store.database import Database
from archer.store.hooks import HookRows


class Receiver:
    """An HTTP server that notes what comes, and refuses as often as it is told to."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.refuse = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                outer.refuse -= 1
                self.send_response(500 if outer.refuse >= 0 else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int, limit_s: float = 60) -> None:
        until = time.monotonic() + limit_s
        while len(self.taken) < count:
            assert time.monotonic() < until, f"{len(self.taken)} of {count} came"
            time.sleep(0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_job_is_told_signed_and_again_where_it_was_not_taken(
    tmp_path: Path, receiver: Receiver, start: Any
) -> None:
    """The server is killed between the failed try and the next one."""
    options = ("--allow-private", "--no-scheduler")
    server = start(tmp_path / "work", *options)
    made = httpx.post(
        f"{server.url}/v1/webhooks", json={"url": receiver.url, "events": ["job-cancelled"]}, timeout=60
    )
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert "secret" not in httpx.get(f"{server.url}/v1/webhooks", timeout=60).json()["items"][0]
    receiver.refuse = 1
    nodes = {"look": {"stage": "ingest", "inputs": {"asset": "http://127.0.0.1:9/x.mp4"}}}
    job = httpx.post(f"{server.url}/v1/jobs", json={"nodes": nodes}, timeout=60).json()["id"]
    httpx.post(f"{server.url}/v1/jobs/{job}:cancel", timeout=60)
    receiver.wait(1)
    hook = made.json()["id"]
    _told(server.url, hook, tries=1)
    server.kill()
    server = start(tmp_path / "work", *options)
    receiver.wait(2)
    (first, body), (second, again) = receiver.taken[:2]
    assert first["webhook-id"] == second["webhook-id"]
    assert body == again
    told = Webhook(secret).verify(again, second)
    assert told["type"] == "job-cancelled"
    assert told["data"]["job"] == job
    deliveries = _told(server.url, hook, tries=2)
    assert [(each["state"], each["status"]) for each in deliveries] == [("delivered", 204)]
    assert httpx.post(f"{server.url}/v1/webhooks/{hook}:test", timeout=60).status_code == 202
    receiver.wait(3)
    assert httpx.delete(f"{server.url}/v1/webhooks/{hook}", timeout=60).status_code == 204
    assert httpx.get(f"{server.url}/v1/webhooks/{hook}", timeout=60).status_code == 404


def _told(url: str, hook: str, *, tries: int) -> list[dict[str, Any]]:
    """What a webhook was told, once the last message was tried so often."""
    until = time.monotonic() + 30
    while True:
        found: list[dict[str, Any]] = httpx.get(f"{url}/v1/webhooks/{hook}/deliveries", timeout=60).json()[
            "items"
        ]
        if found[0]["tries"] >= tries:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.05)


def test_an_address_of_the_own_network_is_not_called(locked: tuple[Any, str]) -> None:
    server, key = locked
    for url in (
        "http://127.0.0.1:9/x",
        "https://169.254.169.254/",
        "file:///etc/passwd",
        "https://localhost/",
    ):
        answer = httpx.post(
            f"{server.url}/v1/webhooks",
            json={"url": url},
            headers={"Authorization": f"Bearer {key}"},
            timeout=60,
        )
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/url-refused")


def test_two_servers_make_one_message_of_one_event(tmp_path: Path) -> None:
    database = Database(tmp_path)
    queue = JobQueue(database)
    rows, history = HookRows(database), History(database)
    hook = new_hook("https://a.example/", ["job-submitted"], owner="", seen=0)
    rows.add(hook)
    places = Places(["https://"])
    parts: Any = {"reach": lambda _: None, "owners": queue.owners, "places": places, "metrics": Metrics()}
    servers = [Hooks(rows, history, waits_s=(), **parts) for _ in range(2)]
    for number in range(5):
        queue.submit(json.dumps({"number": number}))
    threads = [threading.Thread(target=server.collect) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = rows.deliveries(hook.id)
    assert len(made) == 5
    now = time.time_ns() // 1_000_000 + 1000
    taken = [rows.take_due(now, 3), rows.take_due(now, 3), rows.take_due(now, 3)]
    assert [len(each) for each in taken] == [3, 2, 0]
    rows.put(trial_delivery(hook))
    assert [each.type for each in rows.take_due(now, 9)] == ["test"]
    database.close()
