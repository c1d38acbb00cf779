"""Jobs over HTTP as a user has them, with a real server and scheduler: submitted once, watched without a gap, fetched whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from archer import AsyncClient, Client, JobSpec, Node
from archer.client import Job
from archer.errors import JobFailed, ServerRefused
from archer.media.asset import Asset

SHOTS = {"job": "shots", "input": "title.mp4"}


@pytest.fixture(scope="module")
def client(served: Any) -> Iterator[Client]:
    with Client(served.url, key="") as made:
        yield made


@pytest.fixture(scope="module")
def asking(served: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def done(client: Client) -> Job:
    """A job that has run."""
    job = client.submit(SHOTS, tags={"for": "tests"})
    job.result()
    return job


def test_a_job_from_submit_to_its_bytes(client: Client, done: Job, tmp_path: Path) -> None:
    assert done.state == "done"
    assert done.document["done"] == 1
    assert done.document["tags"] == {"for": "tests"}
    outputs = done.result()
    place = done.fetch("shots.shots", tmp_path / "shots.json")
    assert f"sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}" == outputs["shots.shots"].hash
    assert json.loads(place.read_text())["schema"].startswith("shots")


def test_events_tell_all_of_it_in_order_and_end(done: Job) -> None:
    events = list(done.watch())
    types = [event.type for event in events]
    assert types[0] == "job-submitted"
    assert types[-1] == "job-done"
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    assert {event.node for event in events} == {"", "ingest", "shots"}
    middle = events[len(events) // 2].seq
    assert list(done.watch(after=middle)) == [event for event in events if event.seq > middle]


def test_a_stream_that_has_told_all_is_not_to_be_asked_again(asking: httpx.Client, done: Job) -> None:
    last = list(done.watch())[-1].seq
    answer = asking.get(f"/v1/jobs/{done.id}/events", headers={"Last-Event-ID": str(last)})
    assert answer.status_code == 204


class Breaking:
    """A proxy that breaks every connection after so many bytes of answer, as a network would: with a reset."""

    def __init__(self, port: int, after: int) -> None:
        self._port, self._after, self.broken = port, after, 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            with suppress(OSError):
                near, _ = self._socket.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._port)) as far, suppress(OSError):
            far.sendall(near.recv(65536))
            left = self._after
            while left > 0 and (data := far.recv(left)):
                near.sendall(data)
                left -= len(data)
            if left == 0:
                self.broken += 1
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_connection_that_breaks_again_and_again_loses_no_event(served: Any, done: Job) -> None:
    proxy = Breaking(served.port, after=1200)
    with Client(proxy.url, key="") as client:
        assert list(Job(client, done.document).watch()) == list(done.watch())
    assert proxy.broken > 2


def test_a_download_over_such_a_network_is_whole(served: Any, done: Job, tmp_path: Path) -> None:
    output = done.result()["ingest.media"]
    proxy = Breaking(served.port, after=1400)
    with Client(proxy.url, key="") as client:
        place = Job(client, done.document).fetch(output, tmp_path / "media.json")
    assert place.stat().st_size == output.size
    assert output.size < 1400 or proxy.broken > 0


def test_the_same_key_is_the_same_job(asking: httpx.Client) -> None:
    headers = {"Idempotency-Key": "order-17"}
    first = asking.post("/v1/jobs", json=SHOTS, headers=headers)
    again = asking.post("/v1/jobs", json=SHOTS, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/v1/jobs/{first.json()['id']}"
    other = asking.post("/v1/jobs", json={**SHOTS, "priority": 3}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-reused")


def test_a_dry_run_knows_what_is_known_and_keeps_nothing(client: Client, done: Job) -> None:
    before = len(client.jobs())
    found = client.preview(SHOTS)
    assert len(client.jobs()) == before
    assert found["missing"] == 0
    assert all(node["known"] > 0 and node["whole"] and node["core_s"] == 0 for node in found["nodes"])
    other = client.preview({**SHOTS, "params": {"shortest_s": "0.7"}})
    shots = next(node for node in other["nodes"] if node["node"] == "shots")
    assert shots["missing"] > 0
    assert shots["core_s"] > 0
    assert shots["basis"].startswith("same stage")
    assert float(other["cost"]) == pytest.approx(other["core_s"] * 0.001, abs=1e-5)  # 3.6 per core hour


def test_usage_and_cost_of_each_stage(done: Job) -> None:
    usage = done.usage()
    assert [node["node"] for node in usage["nodes"]] == ["ingest", "shots"]
    assert usage["core_s"] > 0
    size = sum(output.size for output in done.result().outputs.values())
    assert usage["output_bytes"] == size
    assert float(usage["cost"]) == pytest.approx(usage["core_s"] * 0.001 + size / 1e9, abs=1e-5)


def test_lists_are_paged_and_stay_where_they_are(asking: httpx.Client, client: Client) -> None:
    made = [client.submit({**SHOTS, "queue": "parked"}, priority=-5).id for _ in range(5)]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        query = {"queue": "parked", "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = asking.get("/v1/jobs", params=query).json()
        found += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if len(found) == 2:
            client.submit({**SHOTS, "queue": "parked"})
    assert found == made[::-1]
    assert asking.get("/v1/jobs", params={"cursor": "x"}).json()["type"] == "/problems/invalid-request"


def test_tasks_attempts_and_logs(asking: httpx.Client, done: Job) -> None:
    tasks = done.tasks()
    assert {task["state"] for task in tasks} == {"done"}
    tries = done.attempts(tasks[0]["name"])
    assert isinstance(done.logs(), list)
    assert all(each["state"] == "done" for each in tries)
    assert asking.get(f"/v1/jobs/{done.id}/attempts").json()["errors"][0]["pointer"] == "task"


def test_parts_of_results_by_range(asking: httpx.Client, done: Job) -> None:
    href = done.result()["shots.shots"].href
    whole = asking.get(href)
    assert whole.headers["accept-ranges"] == "bytes"
    part = asking.get(href, headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, whole.content[5:15])
    assert part.headers["content-range"] == f"bytes 5-14/{len(whole.content)}"
    assert asking.get(href, headers={"Range": "bytes=-4"}).content == whole.content[-4:]
    assert asking.get(href, headers={"Range": "bytes=999999-"}).status_code == 416
    assert asking.get(href, headers={"Range": "bananas"}).content == whole.content
    assert asking.get(href, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert "sandbox" in whole.headers["content-security-policy"]
    missing = asking.get(f"/v1/jobs/{done.id}/results/shots.nothing")
    assert missing.json()["type"] == "/problems/not-found"


def test_a_job_that_fails_says_why_and_is_tried_again(client: Client, media: Any) -> None:
    (media / "broken.mp4").write_bytes(b"this is no film")
    job = client.submit({"job": "shots", "input": "broken.mp4"})
    with pytest.raises(JobFailed, match=r"broken\.mp4"):
        job.result()
    assert job.refresh().document["failures"]
    assert job.logs()[0]["error"]
    assert job.retry().state == "queued"
    with pytest.raises(JobFailed):
        job.result()
    with pytest.raises(ServerRefused, match="wrong-state"):
        job.pause()


def test_pause_resume_and_cancel(client: Client, asking: httpx.Client) -> None:
    asking.put("/v1/queues/still", json={"paused": True})
    job = client.submit(SHOTS, queue="still")
    assert job.pause().state == "paused"
    assert job.resume().state == "queued"
    assert job.cancel().state == "cancelled"
    with pytest.raises(JobFailed):
        job.result()
    queues = {queue["name"]: queue for queue in asking.get("/v1/queues").json()}
    assert queues["still"]["paused"]
    asking.put("/v1/queues/still", json={"paused": False})
    assert job.resume().result().state == "done"


def test_a_spec_made_in_python(client: Client, media: Any, done: Job) -> None:
    asset = Asset(url=str(media / "title.mp4"), identity="", size=0)
    spec = JobSpec(nodes=[Node(id="look", stage="ingest", inputs={"asset": asset})])
    assert list(client.submit(spec).result().outputs) == ["look.media"]


def published(url: str) -> dict[str, Any]:
    return {
        "nodes": {
            "ingest": {"stage": "ingest", "inputs": {"asset": "title.mp4"}},
            "shots": {"stage": "shots", "inputs": {"asset": "title.mp4", "media": "ingest.media"}},
            "publish": {"stage": "publish", "inputs": {"shots": "shots.shots"}, "params": {"url": url}},
        }
    }


def test_results_go_where_they_are_allowed_to_for_each_order_anew(
    served: Any, client: Client, done: Job
) -> None:
    out = Path(served.options[served.options.index("--allow-output") + 1]) / "title"
    assert client.submit(published(str(out))).result().state == "done"
    manifest = json.loads((out / "manifest.json").read_text())
    kept = (out / "shots.json").read_bytes()
    assert manifest["files"]["shots.json"]["sha256"] == hashlib.sha256(kept).hexdigest()
    (out / "shots.json").unlink()
    (out / "manifest.json").unlink()
    out.rmdir()
    assert client.submit(published(str(out)), key="again").result().state == "done"
    assert (out / "shots.json").read_bytes() == kept


@pytest.mark.parametrize(
    "url", ["/etc/cron.d", "{out}/../x", "file:///tmp/x", "s3://bucket/x", "http://127.0.0.1/x", "x"]
)
def test_and_nowhere_else(served: Any, client: Client, url: str) -> None:
    with pytest.raises(ServerRefused, match="output-refused"):
        client.submit(published(url))
    with pytest.raises(ServerRefused, match="output-refused"):
        client.submit({"job": "encode", "input": "title.mp4", "params": {"output": url}})


def test_the_same_asynchronously(served: Any, tmp_path: Path) -> None:
    async def go() -> None:
        async with AsyncClient(served.url, key="") as client:
            jobs = await asyncio.gather(*(client.submit(SHOTS) for _ in range(3)))
            outputs = await asyncio.gather(*(job.result() for job in jobs))
            assert {found.state for found in outputs} == {"done"}
            events = [event async for event in jobs[0].watch()]
            assert events[-1].type == "job-done"
            await jobs[0].fetch("shots.shots", tmp_path / "x.json")
            assert len(await client.jobs(state="done")) >= 3

    asyncio.run(go())
    assert (tmp_path / "x.json").is_file()


def test_what_is_installed(asking: httpx.Client) -> None:
    stages = {stage["name"]: stage for stage in asking.get("/v1/stages").json()}
    assert stages["shots"]["allowed"]
    assert not stages["command"]["allowed"]
    schema = asking.get("/v1/stages/shots").json()["params"]
    assert "shortest_s" in schema["properties"]
    names = {template["name"] for template in asking.get("/v1/templates").json()}
    assert {"encode", "shots"} <= names
    assert asking.get("/v1/templates/encode").json()["params"]["properties"]["codec"]


def test_metrics_and_health(asking: httpx.Client, done: Job) -> None:
    assert asking.get("/healthz").json() == {"status": "ok"}
    assert asking.get("/readyz").status_code == 200
    text = asking.get("/metrics").text
    assert 'cinemill_jobs{state="done"}' in text
    assert 'route="/v1/jobs/{job}"' in text
    assert done.id not in text
