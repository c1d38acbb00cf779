"""What a server refuses, each with a problem that says why, and no word of a secret in its log."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

LIMIT_S = 20.0


@pytest.fixture(scope="module")
def asking(locked: tuple[Any, str]) -> Iterator[httpx.Client]:
    server, key = locked
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=LIMIT_S
    ) as client:
        yield client


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["type"], found["status"]) == (status, f"/problems/{kind}", status), (
        found
    )
    assert found["title"]
    assert "Traceback" not in answer.text
    return found


def shots(source: str) -> dict[str, Any]:
    return {"job": "shots", "input": source}


# Keys.


@pytest.mark.parametrize(
    ("authorization", "kind"),
    [
        ("", "no-key"),
        ("Bearer nonsense", "bad-key"),
        ("Bearer cmk_aaaaaaaaaa_" + "A" * 43, "bad-key"),
        ("Basic bmFtZTp3b3Jk", "bad-key"),
        ("Bearer {changed}", "bad-key"),
        ("Bearer {expired}", "expired-key"),
        ("Bearer {revoked}", "expired-key"),
    ],
)
def test_without_a_valid_key_nothing_is_answered(
    locked: tuple[Any, str], new_key: Callable[..., str], authorization: str, kind: str
) -> None:
    server, key = locked
    made = {"changed": key[:-1] + ("A" if key[-1] != "A" else "B")}
    if "{expired}" in authorization:
        made["expired"] = new_key(ends_ms=1)
    if "{revoked}" in authorization:
        made["revoked"] = new_key()
        words = ["serve", "-w", str(server.work), "keys", "revoke", made["revoked"]]
        subprocess.run([sys.executable, "-m", "pipelines.cli.main", *words], check=True, capture_output=True)
    headers = {"Authorization": authorization.format(**made)} if authorization else {}
    answer = httpx.get(f"{server.url}/v1/jobs", headers=headers, timeout=60)
    problem(answer, 401, kind)
    assert "Bearer" in answer.headers["www-authenticate"]


def test_a_key_does_what_its_scopes_say_and_nothing_else(
    locked: tuple[Any, str], new_key: Callable[..., str]
) -> None:
    server, _ = locked
    headers = {"Authorization": f"Bearer {new_key('jobs:read')}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as reader:
        assert reader.get("/v1/jobs").status_code == 200
        assert (
            "jobs:write"
            in problem(reader.post("/v1/jobs", json=shots("title.mp4")), 403, "wrong-scope")["detail"]
        )
        problem(reader.get(f"/v1/jobs/{'0' * 32}/results/a.b"), 403, "wrong-scope")
        problem(reader.get("/v1/webhooks"), 403, "wrong-scope")
        problem(reader.get("/metrics"), 403, "wrong-scope")


def test_a_key_is_kept_as_a_hash(locked: tuple[Any, str]) -> None:
    server, key = locked
    secret = key.split("_", 2)[2].encode()
    kept = b"".join(path.read_bytes() for path in server.work.glob("archer.db*"))
    assert key[4:14].encode() in kept
    assert secret not in kept


def test_a_server_for_everybody_needs_a_key_first(tmp_path: Path) -> None:
    words = ["serve", "-w", str(tmp_path), "--host", "::", "--port", "0", "--no-scheduler"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "serve keys add" in done.stderr


def test_an_address_that_is_taken_is_told_in_a_line(locked: tuple[Any, str], tmp_path: Path) -> None:
    words = ["serve", "-w", str(tmp_path), "--port", str(locked[0].port), "--no-scheduler"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli.main", *words], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "choose another --port" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# Inputs.


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "../../etc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8080/v1/jobs",
        "http://0x7f000001/",
        "http://localhost/x.mp4",
        "http://[::ffff:169.254.169.254]/",
        "s3://somebody/else.mp4",
        "memory://x",
        "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)
def test_inputs_that_may_not_be_read(asking: httpx.Client, source: str) -> None:
    assert (
        problem(asking.post("/v1/jobs", json=shots(source)), 422, "input-refused")["errors"][0]["pointer"]
        == "/input"
    )
    nodes = {"ingest": {"stage": "ingest", "inputs": {"asset": source}}}
    found = problem(asking.post("/v1/jobs", json={"nodes": nodes}), 422, "input-refused")
    assert found["errors"][0]["pointer"] == "/nodes/ingest/inputs/asset"


@pytest.mark.parametrize(
    "node",
    [
        {"stage": "os:system", "inputs": {}},
        {"stage": "archer.command:Command", "params": {"argv": ["sh", "-c", "id > {out}"]}},
        {"stage": "command", "params": {"argv": ["sh", "-c", "id > {out}"]}},
        {"stage": "ingest", "inputs": {"asset": {"asset": "/etc/passwd"}}},
        {
            "stage": "ingest",
            "inputs": {"asset": {"asset": {"url": "/etc/passwd", "identity": "x", "size": 1}}},
        },
        {
            "stage": "shots",
            "inputs": {"media": {"artifact": {"kind": "media@1", "hash": "sha256:../../x", "size": 1}}},
        },
        {"stage": "ingest", "inputs": [1]},
        {"stage": 7},
        "ingest",
    ],
)
def test_nodes_that_would_do_more_than_jobs_may(asking: httpx.Client, node: Any) -> None:
    problem(asking.post("/v1/jobs", json={"nodes": {"a": node}}), 422, "invalid-job")


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "{work}/there.json", "{work}/nowhere.json", "../x.json", "x.json"]
)
def test_models_are_no_files_of_the_server(locked: tuple[Any, str], asking: httpx.Client, place: str) -> None:
    """Nor can anybody find out which files are there: both are refused in the same words."""
    (locked[0].work / "there.json").write_text("{}")
    model = place.format(work=locked[0].work)
    params = {"model": model}
    inputs = {"reference": "title.mp4", "distorted": "title.mp4"}
    other = {"job": "encode", "input": "title.mp4", "params": {"model": "/nowhere.json"}}
    for order in (
        {"job": "encode", "input": "title.mp4", "params": params},
        {"job": "score", "input": inputs, "params": params},
    ):
        found = problem(asking.post("/v1/jobs", json=order), 422, "input-refused")
        assert found["errors"][0]["pointer"] == "/params/model"
        if model.startswith("/"):
            elsewhere = problem(asking.post("/v1/jobs", json=other), 422, "input-refused")["detail"]
            assert found["detail"].replace(model, "it") == elsewhere.replace("/nowhere.json", "it")
    node = {"stage": "score-files", "inputs": {"asset": "title.mp4"}, "params": params}
    found = problem(asking.post("/v1/jobs?dry_run=true", json={"nodes": {"a": node}}), 422, "input-refused")
    assert found["errors"][0]["pointer"] == "/nodes/a/params/model"


def test_encoder_options_name_no_files(asking: httpx.Client) -> None:
    params = {"encoder_params": "dump-yuv=/tmp/x"}
    answer = asking.post("/v1/jobs", json={"job": "encode", "input": "title.mp4", "params": params})
    problem(answer, 422, "invalid-job")


@pytest.mark.parametrize(
    "path", ["..%2f..%2farcher.db", "../../../archer.db", "%2e%2e/archer.db", "x%00y", ".."]
)
def test_paths_in_addresses_lead_nowhere(locked: tuple[Any, str], asking: httpx.Client, path: str) -> None:
    """Sent as they are: a client library would tidy them up."""
    server, key = locked
    job = asking.post("/v1/jobs", json=shots("title.mp4")).json()["id"]
    for place in (
        f"/v1/jobs/{job}/results/a.b/{path}",
        f"/v1/jobs/{job}/results/{path}",
        f"/v1/stages/{path}",
    ):
        head, body = talk(
            server.port,
            f"GET {place} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n",
        )
        assert b"SQLite" not in body
        assert int(head.split()[1]) in (400, 404, 409), head


# Bodies.


def test_a_body_that_is_too_large(asking: httpx.Client) -> None:
    for size in (100_000, 4_000_000):
        large = {**shots("title.mp4"), "tags": {"x": "y" * size}}
        problem(asking.post("/v1/jobs", json=large), 413, "body-too-large")

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            yield b'{"a": "' + b"x" * 10_000

    answer = asking.post("/v1/jobs", content=pieces(), headers={"Content-Type": "application/json"})
    problem(answer, 413, "body-too-large")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "malformed-body", 400),
        (b"\xff\xfe", "malformed-body", 400),
        (b'{"job": NaN}', "malformed-body", 400),
        (b'{"job": "a\\u0000b"}', "malformed-body", 400),
        (b'{"tags": {"a": "\\ud800"}}', "malformed-body", 400),
        (b"[" * 20_000, "malformed-body", 400),
        (b"1" * 5000, "malformed-body", 400),
        (b"[]", "invalid-request", 422),
        (b"null", "invalid-request", 422),
        (b'{"job": "shots", "input": "title.mp4", "surprise": 1}', "invalid-request", 422),
        (b'{"job": "shots", "input": "title.mp4", "priority": "1"}', "invalid-request", 422),
        (b'{"job": "shots", "input": "title.mp4", "deadline": "tomorrow"}', "invalid-request", 422),
        (b'{"job": "nothing", "input": "title.mp4"}', "invalid-job", 422),
        (b'{"job": "encode", "input": "title.mp4", "params": {"codec": "x999"}}', "invalid-job", 422),
        (b'{"job": "encode", "input": "title.mp4", "params": {"nonsense": 1}}', "invalid-job", 422),
        (b'{"nodes": {}}', "invalid-job", 422),
        (b"{}", "invalid-request", 422),
    ],
)
def test_bodies_that_say_nothing_sensible(asking: httpx.Client, body: bytes, kind: str, status: int) -> None:
    answer = asking.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    problem(answer, status, kind)


def test_a_body_must_be_declared_as_json(asking: httpx.Client) -> None:
    """A form of another site could send anything else without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind} if kind else {}
        problem(asking.post("/v1/jobs", content=b"{}", headers=headers), 415, "not-json")


# Browsers, methods, addresses.


def test_pages_of_other_sites_are_refused(asking: httpx.Client) -> None:
    problem(asking.get("/v1/jobs", headers={"Origin": "https://evil.example"}), 403, "cross-origin")
    problem(asking.get("/v1/jobs", headers={"Host": "evil.example"}), 421, "wrong-host")
    problem(asking.post("/v1/jobs", headers={"Sec-Fetch-Site": "cross-site"}, json={}), 403, "cross-origin")


def test_what_is_not_there_is_a_problem_too(asking: httpx.Client) -> None:
    problem(asking.get("/v2"), 404, "not-found")
    problem(asking.get(f"/v1/jobs/{'0' * 32}"), 404, "job-not-found")
    answer = asking.put("/v1/jobs", json={})
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]
    page = asking.get(problem(asking.get("/v1/jobs?limit=0"), 422, "invalid-request")["type"])
    assert page.json()["remedy"]


# Slow clients.


def talk(port: int, text: str, *, wait_s: float = 10.0) -> tuple[str, bytes]:
    """Status line and the rest of the answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        connection.sendall(text.encode("latin-1"))
        answer = b""
        with suppress(TimeoutError, ConnectionResetError):
            while data := connection.recv(65536):
                answer += data
        head, _, body = answer.partition(b"\r\n")
        return head.decode(), body


def test_what_is_not_http_is_refused_in_json(locked: tuple[Any, str]) -> None:
    head, body = talk(locked[0].port, "NONSENSE\r\n\r\n")
    assert " 400 " in head
    assert json.loads(body.partition(b"\r\n\r\n")[2])["type"] == "/problems/bad-request"


def test_headers_without_end_are_refused(locked: tuple[Any, str]) -> None:
    head, _ = talk(locked[0].port, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a" * 100_000)
    assert " 400 " in head


def test_a_key_does_not_show_in_the_log(locked: tuple[Any, str], asking: httpx.Client) -> None:
    server, key = locked
    asking.get("/v1/jobs?cursor=topsecretcursor", headers={"X-Other": key})
    asking.post("/v1/jobs", json=shots("https://name:hunter2@media.example/x?token=topsecret"))
    for _ in range(600):
        if server.output.count("/v1/jobs") > 2:
            break
        time.sleep(0.1)
    assert "/v1/jobs" in server.output
    for secret in (key, key.split("_", 2)[2], "hunter2", "topsecret"):
        assert secret not in server.output
