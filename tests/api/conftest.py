"""Real servers for the tests of the API: `cinemill serve` as a process of its own, on a free port."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the server's libraries: pip install 'cinemill[serve]'")


class Served:
    """One `cinemill serve`.

    Attributes:
        url: where it listens. work: its work folder. output: what it wrote so far, both streams. options: as given.
    """

    def __init__(self, work: Path, *options: str, port: int = 0) -> None:
        self.work, self.output, self.options = work, "", options
        argv = [
            sys.executable,
            "-m",
            "pipelines.cli.main",
            "serve",
            "-w",
            str(work),
            "--port",
            str(port),
            "-v",
        ]
        self.process = subprocess.Popen(
            [*argv, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
        )
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listening.wait(60), self.output
        found = re.search(r"listening on (\S+)", self.output)
        assert found, self.output
        self.url = found[1]
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self._reader.join()

    def kill(self) -> None:
        """As the kernel would for want of memory."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.output += line
                if line.startswith("listening on"):
                    self._listening.set()
        self._listening.set()


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CINEMILL_S")}


def make_key(work: Path, *options: str) -> str:
    argv = [
        sys.executable,
        "-m",
        "pipelines.cli.main",
        "serve",
        "-w",
        str(work),
        "keys",
        "add",
        "test",
        *options,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment())
    return done.stdout.strip()


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory, short: Path) -> Path:
    """The folder that the server may read: one small title."""
    folder = tmp_path_factory.mktemp("media")
    shutil.copyfile(short, folder / "title.mp4")
    return folder


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[Served]:
    """A server with a scheduler, without keys, for whoever is on this machine."""
    work = tmp_path_factory.mktemp("served")
    options = ("--allow-input", str(media), "--allow-input", "https://", "--workers", "2", "--rate", "")
    options += ("--allow-output", str(tmp_path_factory.mktemp("out")))
    server = Served(work, *options, "--price-core-hour", "3.6", "--price-gb", "1")
    yield server
    server.stop()
    assert "Traceback" not in server.output


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[tuple[Served, str]]:
    """A server that runs nothing, and wants a key; and one that may do everything."""
    work = tmp_path_factory.mktemp("locked")
    key = make_key(work)
    server = Served(work, "--allow-input", str(media), "--no-scheduler", "--rate", "", "--max-body", "65536")
    yield server, key
    server.stop()
    assert "Traceback" not in server.output


@pytest.fixture
def new_key(locked: tuple[Served, str]) -> Callable[..., str]:
    """Make a key of the locked server, as `cinemill serve keys add` does."""
    return partial(_keep_key, locked[0].work)


@pytest.fixture
def keep_key() -> Callable[..., str]:
    """The same of any work folder."""
    return _keep_key


@pytest.fixture
def gate_key(gate: Served) -> Callable[..., str]:
    """The same of the server that guards the dashboard."""
    return partial(_keep_key, gate.work)


def _keep_key(work: Path, *scopes: str, ends_ms: int = 0, name: str = "test") -> str:
    from dataclasses import asdict

    from archer.api.keys import mint
    from archer.store import JobQueue
    from archer.store.database import Database
    from archer.store.keys import KeyRows

    work.mkdir(parents=True, exist_ok=True)
    text, key = mint(name, scopes or ("*",), now_ms=1, expires_ms=ends_ms)
    database = Database(work)
    JobQueue(database)  # makes the tables
    KeyRows(database).add(asdict(key))
    database.close()
    return text


@pytest.fixture
def start() -> Iterator[Callable[..., Served]]:
    """Start servers that end with the test."""
    made: list[Served] = []

    def begin(work: Path, *options: str, port: int = 0) -> Served:
        made.append(Served(work, *options, port=port))
        return made[-1]

    yield begin
    for server in made:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def fresh(start: Callable[..., Served], media: Path, tmp_path: Path) -> tuple[Served, str]:
    """A server with a key at which nobody has guessed yet: the eleventh wrong key in a minute is answered otherwise."""
    key = make_key(tmp_path / "work")
    options = ("--allow-input", str(media), "--no-scheduler", "--rate", "", "--max-body", "65536")
    return start(tmp_path / "work", *options), key


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[Served]:
    """A server of the dashboard's own, which may run commands: so that jobs fail and last as its tests want."""
    shutil.copyfile(media / "title.mp4", media / "<b>bold.mp4")
    options = ("--allow-input", str(media), "--allow-stage", "command", "--workers", "2", "--rate", "")
    server = Served(tmp_path_factory.mktemp("house"), *options, "--price-core-hour", "3.6")
    yield server
    server.stop()
    assert "Traceback" not in server.output


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory, media: Path) -> Iterator[Served]:
    """A server that wants a key: of the dashboard's own, since wrong keys are counted, and those of others would be refused."""
    work = tmp_path_factory.mktemp("gate")
    _keep_key(work, "*")
    server = Served(work, "--allow-input", str(media), "--no-scheduler", "--rate", "")
    yield server
    server.stop()
    assert "Traceback" not in server.output
