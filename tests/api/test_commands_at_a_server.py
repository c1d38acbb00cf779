"""Commands that ask a server, as their users meet them: each with `--server` against a real one."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.cli.main import _run

Cinemill = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cinemill(
    served: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Cinemill:
    """Run a command in an empty folder; the server is in the environment."""
    monkeypatch.setenv("CINEMILL_SERVER", served.url)
    monkeypatch.delenv("CINEMILL_KEY", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run([*words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def done(served: Any) -> str:
    """A job that has run."""
    job = httpx.post(f"{served.url}/v1/jobs", json={"job": "shots", "input": "title.mp4"}, timeout=60).json()[
        "id"
    ]
    return ended(served, job)


@pytest.fixture(scope="module")
def failed(served: Any, media: Path) -> str:
    """A job that found no film in its input."""
    (media / "no-film.mp4").write_bytes(b"this is no film")
    job = httpx.post(
        f"{served.url}/v1/jobs", json={"job": "shots", "input": "no-film.mp4"}, timeout=60
    ).json()["id"]
    return ended(served, job)


def ended(served: Any, job: str) -> str:
    until = time.monotonic() + 60
    while httpx.get(f"{served.url}/v1/jobs/{job}", timeout=60).json()["ended"] is None:
        assert time.monotonic() < until
        time.sleep(0.1)
    return job


def test_submit_watch_and_bring_home(cinemill: Cinemill, media: Path, tmp_path: Path) -> None:
    title = str(media / "title.mp4")
    code, out, _ = cinemill("submit", "shots", title, "--dry-run")
    assert (code, out.splitlines()[0].split()[:2]) == (0, ["node", "stage"])
    code, out, err = cinemill("submit", "shots", title, "--tag", "show=7", "--watch", "-q")
    assert code == 0, err
    code, out, err = cinemill("submit", "shots", title, "--idempotency-key", "by-hand")
    job = out.strip()
    assert (code, len(job)) == (0, 32)
    assert cinemill("submit", "shots", title, "--idempotency-key", "by-hand")[1].strip() == job
    code, out, _ = cinemill("watch", job[:20], "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, lines[0]["type"], lines[-1]["type"]) == (0, "job-submitted", "result")
    code, out, _ = cinemill("results", job)
    assert [line.split()[0] for line in out.splitlines()] == ["ingest.media", "shots.shots"]
    code, out, _ = cinemill("results", job, "shots.shots", "-o", "s.json")
    assert (code, out.strip()) == (0, "s.json")
    assert json.loads((tmp_path / "s.json").read_text())["schema"].startswith("shots")


def test_several_inputs_are_given_by_name(cinemill: Cinemill, media: Path) -> None:
    title = str(media / "title.mp4")
    code, out, _ = cinemill(
        "submit", "score", "-i", f"reference={title}", "-i", f"distorted={title}", "--dry-run"
    )
    assert code == 0
    assert "score-files" in out
    assert cinemill("submit", "score", title, "-i", f"reference={title}")[0] == 2


def test_jobs_logs_and_cost(cinemill: Cinemill, done: str, failed: str) -> None:
    code, out, _ = cinemill("jobs")
    assert code == 0
    assert {done, failed} <= {line.split()[0] for line in out.splitlines()}
    assert {done, failed} <= {json.loads(line)["id"] for line in cinemill("jobs", "--json")[1].splitlines()}
    code, out, _ = cinemill("logs", failed)
    assert code == 0
    assert "ingest/map/all try 1: poisoned on " in out
    assert "no-film.mp4" in out
    tries = [json.loads(line) for line in cinemill("logs", failed, "--json")[1].splitlines()]
    assert tries[0]["worker"]
    assert "poisoned on " in cinemill("logs", failed, "--task", "ingest/map/all")[1].splitlines()[0]
    events = [json.loads(line) for line in cinemill("logs", done, "--events")[1].splitlines()]
    assert events[-1]["type"] == "job-done"
    code, out, _ = cinemill("cost", done)
    assert [line.split()[0] for line in out.splitlines()] == ["node", "ingest", "shots", "together"]
    assert json.loads(cinemill("cost", done, "--json")[1])["currency"] == "USD"


def test_cancel_pause_resume_and_retry(cinemill: Cinemill, served: Any, failed: str) -> None:
    httpx.put(f"{served.url}/v1/queues/slow", json={"paused": True}, timeout=60)
    order = {"job": "shots", "input": "title.mp4", "queue": "slow"}
    job = httpx.post(f"{served.url}/v1/jobs", json=order, timeout=60).json()["id"]
    assert cinemill("cancel", job, "--pause")[:2] == (0, f"job {job} is paused\n")
    assert cinemill("cancel", job, "--continue")[:2] == (0, f"job {job} is queued\n")
    assert cinemill("cancel", job)[:2] == (0, f"job {job} is cancelled\n")
    assert cinemill("resume", job)[0] == 0
    assert cinemill("cancel", job)[0] == 0
    code, _, err = cinemill("retry", failed)
    assert code in (0, 1), err
    assert httpx.get(f"{served.url}/v1/jobs/{ended(served, failed)}", timeout=60).json()["runs"] == 2


def test_a_task_that_failed_is_made_again_here(cinemill: Cinemill, failed: str, done: str) -> None:
    code, _, err = cinemill("debug", failed, "ingest/map/all", "--no-pdb")
    assert code == 1
    assert "Traceback" in err
    assert "no-film.mp4" in err.splitlines()[-1]
    code, out, err = cinemill("debug", done, "ingest/map/all", "--no-pdb")
    assert (code, out.split(":")[0]) == (0, "media"), err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("watch", "ffffffffffff"), "no job 'ffffffffffff'"),
        (("results", "0" * 32), "job-not-found"),
        (("cost", "0" * 32), "job-not-found"),
        (("submit", "nothing", "title.mp4"), "invalid-job"),
        (("submit", "shots", "/etc/passwd"), "--allow-input"),
        (("submit", "shots", "title.mp4", "-p", "nonsense=1"), "no such setting"),
        (("jobs", "--server", "http://127.0.0.1:9"), "cinemill serve"),
        (("jobs", "--server", "ftp://x"), "wanted an address as http://"),
        (("jobs", "--server", "127.0.0.1:8080"), "wanted an address as http://"),
        (("jobs", "--server", "http://name.invalid"), "name.invalid"),
    ],
)
def test_what_does_not_work_is_said_in_a_line(cinemill: Cinemill, words: tuple[str, ...], says: str) -> None:
    code, out, err = cinemill(*words)
    assert (code, out) == (1, "")
    assert says in err
    assert len(err.strip().splitlines()) == 1, err


@pytest.fixture
def web_page() -> Iterator[str]:
    """A web server that answers everything with a page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>Hello.</p>")

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_of_something_else(cinemill: Cinemill, web_page: str) -> None:
    code, out, err = cinemill("jobs", "--server", web_page)
    assert (code, out) == (1, "")
    assert "cinemill serve" in err
    assert len(err.splitlines()) == 1


def test_a_key_that_is_wrong_or_missing(
    cinemill: Cinemill, locked: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, key = locked
    monkeypatch.setenv("CINEMILL_SERVER", server.url)
    code, _, err = cinemill("jobs")
    assert code == 1
    assert "no-key" in err
    assert "CINEMILL_KEY" in err
    code, _, err = cinemill("jobs", "--key", "cmk_wrong")
    assert code == 1
    assert "bad-key" in err
    monkeypatch.setenv("CINEMILL_KEY", key)
    assert cinemill("jobs")[0] == 0


def test_whoever_leaves_while_watching_is_told_how_to_come_back(served: Any, media: Path) -> None:
    httpx.put(f"{served.url}/v1/queues/never", json={"paused": True}, timeout=60)
    argv = [sys.executable, "-m", "pipelines.cli.main", "submit", "shots", str(media / "title.mp4")]
    argv += ["--queue", "never", "--watch", "--server", served.url]
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # shells have their jobs ignore it
    environment = {**os.environ, "CINEMILL_KEY": ""}
    with subprocess.Popen(
        argv, stderr=subprocess.PIPE, text=True, env=environment, preexec_fn=listening
    ) as left:
        assert left.stderr
        job = left.stderr.readline().split()[1]
        left.send_signal(signal.SIGINT)
        said = left.stderr.read()
    assert left.returncode == 130
    assert f"cinemill watch {job} --server {served.url}" in said
    assert httpx.get(f"{served.url}/v1/jobs/{job}", timeout=60).json()["state"] == "queued"
    httpx.post(f"{served.url}/v1/jobs/{job}:cancel", timeout=60)
