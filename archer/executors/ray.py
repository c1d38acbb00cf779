"""Executor `ray`: tasks run on a Ray cluster; the only file that imports Ray.

    CINEMILL_RAY_ADDRESS=10.0.0.1:6379 cinemill run spec.yaml --executor ray    # all nodes see the work folder
    cinemill run spec.yaml --executor ray                                       # a cluster of this machine, ours alone

Ray places tasks, watches nodes and ships code. Everything else is ours: retries (Ray's are off, and its out-of-memory
retries are endless by default), results (in our store: Ray recomputes finished work when it loses a node), order, and
state. The Ray driver lives in a bridge, a process of its own, because Ray ends its driver when the head is gone for a
while; the scheduler takes that as the death of what ran, and starts another bridge.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from archer.errors import Category, TaskFailure, ToolMissing
from archer.executors.local import main_of
from archer.process import Limits, Peer
from archer.scheduler.policy import Capacity
from archer.task import Progress, Report, TaskCall, TaskDone

ADDRESS = "CINEMILL_RAY_ADDRESS"
BEAT_S = 5.0
PATIENCE_S = 60.0
"""How long a cluster may be out of reach before the tries that wait for it fail."""
OUTSTANDING = 2
"""Tasks per core that Ray has at once, so that none of them waits for our round trip."""
FAREWELL_S = 8.0
LOOK_S = 0.25
"""Between looks at nodes and progress."""
GRACE_S = 5.0
"""How long after a node was lost Ray may take to start elsewhere what waited there."""
PREFIX = "cinemill-ray-"
LOG, WORDS = "bridge.log", 20
"""What the bridge and Ray print goes there; so many lines of it are kept where the cluster is lost."""
SETTINGS = {
    "RAY_task_oom_retries": "0",
    "RAY_worker_niceness": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
HEALTH = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""A dead node is noticed after about 3 s; Ray's own settings take 15 s. Measured with Ray 2.60."""
UNSAID = "Ray does not say how"
log = logging.getLogger(__name__)


class RayExecutor:
    """The scheduler's side: keeps the bridge, and what is under way.

    Args:
        workers: cores of our own cluster; None for those this process may use. A given cluster has what it has.
        address: of a cluster that runs already; None for `$CINEMILL_RAY_ADDRESS`, or else one of our own.

    Raises:
        ToolMissing: Ray is not installed.
    """

    name: ClassVar[str] = "ray"

    def __init__(self, workers: int | None = None, *, address: str | None = None) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ToolMissing("ray", "pip install 'cinemill[ray]'")
        self._cores = workers or len(os.sched_getaffinity(0))
        self._address = address or os.environ.get(ADDRESS, "")
        self._capacity = Capacity(cpu=self._cores * OUTSTANDING)
        self._bridge: Peer | None = None
        self._folder: Path | None = None
        self._ready = False
        self._since = self._next_beat = 0.0
        self._waiting: deque[TaskCall] = deque()
        self._calls: dict[int, TaskCall] = {}

    def capacity(self) -> Capacity:
        """What the cluster's nodes that are alive have, times the tasks per core that it is given."""
        return self._capacity

    def submit(self, call: TaskCall) -> None:
        """Give a try to the bridge, or keep it until there is one."""
        main_of(call)  # refuses what no worker can import before one is asked
        self._calls[call.ticket] = call
        self._waiting.append(call)
        self._connect()
        self._hand_over()

    def poll(self, timeout_s: float) -> Sequence[Report]:
        """Reports from the bridge; where it died, everything that ran on it is dead."""
        reports = list(self._beats())
        if self._bridge is None:
            if self._calls:
                self._connect()
            return reports
        try:
            if self._bridge.connection.poll(min(timeout_s, BEAT_S)):
                while self._bridge.connection.poll():
                    reports.extend(self._heard(self._bridge.connection.recv()))
        except (EOFError, OSError):
            reports.extend(self._lost())
        return reports

    def cancel(self, ticket: int) -> None:
        """Stop a try: its worker is killed, and its children with it."""
        call = self._calls.pop(ticket, None)
        if call is not None and call in self._waiting:
            self._waiting.remove(call)
        elif call is not None:
            self._tell("cancel", ticket)

    def close(self) -> None:
        """Stop everything; a cluster of our own goes with its processes and its folder."""
        self._calls.clear()
        self._waiting.clear()
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            with suppress(OSError):
                bridge.connection.send(("close",))
                if bridge.connection.poll(FAREWELL_S):
                    bridge.connection.recv()
            bridge.kill()
        if self._folder is not None:
            _clean(self._folder)
            self._folder = None

    def _connect(self) -> None:
        """Start a bridge where there is none."""
        if self._bridge is not None:
            return
        _clean_after_the_dead()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        self._ready, self._since = False, self._since or time.monotonic()
        self._bridge = Peer.python("archer.executors.ray", limits=Limits(memory_mb=None))
        self._tell("begin", self._address, str(self._folder), self._cores)

    def _hand_over(self) -> None:
        while self._ready and self._waiting:
            call = self._waiting.popleft()
            main, need, is_copy = main_of(call), call.resources, call.copy_of != 0
            self._tell("run", call.ticket, main, pickle.dumps(call), need, is_copy)

    def _tell(self, *message: Any) -> None:
        if self._bridge is not None:
            with suppress(OSError):  # a dead bridge is noticed by `poll`
                self._bridge.connection.send(message)

    def _heard(self, message: Any) -> Iterator[Report]:
        match message:
            case Report() if message.ticket in self._calls:
                if not isinstance(message.what, Progress):
                    del self._calls[message.ticket]
                yield message
            case ("capacity", cpu, gpu, machines):
                self._capacity = Capacity(cpu=max(1, cpu) * OUTSTANDING, gpu=gpu, machines=max(1, machines))
                self._ready, self._since = True, 0.0
                self._hand_over()

    def _lost(self) -> Iterator[Report]:
        """The bridge is gone. What it had is dead; what waited goes on waiting, for a while."""
        if self._bridge is not None:
            self._bridge.kill()
            self._bridge = None
        words = ""
        if self._folder is not None:
            words = _last_words(self._folder)
            _clean(self._folder)
        waiting = {call.ticket for call in self._waiting}
        given_up = self._since and time.monotonic() - self._since > PATIENCE_S
        for ticket, call in list(self._calls.items()):
            if ticket not in waiting or given_up:
                del self._calls[ticket]
                why = f"the Ray cluster {self._address or 'of this machine'} is out of reach"
                yield Report(
                    ticket, TaskFailure(call.task.title, "ClusterLost", why, words, category="death")
                )
        if given_up:
            self._waiting.clear()
        self._since = self._since or time.monotonic()

    def _beats(self) -> Iterator[Report]:
        """The bridge tells of deaths, so what it has not told of is alive."""
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + BEAT_S
            yield from (Report(ticket, Progress()) for ticket in self._calls)


def _last_words(folder: Path) -> str:
    """What the bridge, and Ray in it, said at last."""
    try:
        return "\n".join((folder / LOG).read_text(errors="replace").splitlines()[-WORDS:])
    except OSError:
        return ""


def _clean(folder: Path) -> None:
    """Kill what still runs in a cluster's folder, and remove the folder.

    Ray's processes name it in their command lines; its agents hide theirs, but write their logs there.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) != os.getpid() and _belongs(entry, str(folder)):
            with suppress(OSError):
                os.kill(int(entry.name), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _belongs(process: Path, folder: str) -> bool:
    """True where a process, by its entry in /proc, names a folder, or is one of Ray's that has a file of it open.

    Others that have one open, as the scheduler while it reads the log, are left alone.
    """
    with suppress(OSError):
        words = (process / "cmdline").read_bytes()
        if folder.encode() in words:
            return True
        files = (process / "fd").iterdir() if words.startswith(b"ray::") else ()
        return any(folder in str(link.readlink()) for link in files)
    return False


def _clean_once_we_are_dead(folder: Path) -> None:
    """Fork a process that waits for the end of this one, however it comes, and then cleans the folder.

    The kernel kills this process with the scheduler, and Ray's daemons with this process, but Ray's agents stay.
    """
    reader, writer = os.pipe()  # the writer is never closed: the kernel does it
    if os.fork() != 0:
        os.close(reader)
        return
    os.setpgid(0, 0)
    os.dup2(reader, 0)
    os.closerange(3, max(writer, reader, 1024) + 1)
    os.read(0, 1)
    _clean(folder)
    os._exit(0)


def _clean_after_the_dead() -> None:
    """Clusters of schedulers that were killed: their folders say whose they were."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _clean(folder)


class Places:
    """Which node has which try, and what is lost with a node."""

    def __init__(self) -> None:
        self._nodes: dict[int, str] = {}
        self._gone: frozenset[str] = frozenset()
        self._stranded: list[tuple[float, list[int]]] = []

    def submitted(self, ticket: int) -> None:
        """Ray has a try; where, nobody knows."""
        self._nodes[ticket] = ""

    def started(self, ticket: int, node: str) -> None:
        """It runs there."""
        self._nodes[ticket] = node

    def ended(self, ticket: int) -> None:
        """It runs no more."""
        self._nodes.pop(ticket, None)

    def lost(self, gone: frozenset[str], now: float) -> Iterator[tuple[int, Category]]:
        """Tries to give up, and why: they ran on a node that is gone, or do not start though one went a while ago.

        Args:
            gone: all nodes that the cluster has lost, ever.
            now: seconds on a clock that never goes back.
        """
        if gone - self._gone:
            self._gone = gone
            self._stranded.append((now + GRACE_S, [each for each, node in self._nodes.items() if not node]))
        for ticket, node in list(self._nodes.items()):
            if node in gone:
                yield ticket, "death"
        while self._stranded and self._stranded[0][0] <= now:
            _, waited = self._stranded.pop(0)
            for ticket in waited:
                if self._nodes.get(ticket) == "":
                    yield ticket, "preempted"


class Bridge:
    """The Ray driver: submits what it is told to, and tells what comes of it.

    Args:
        connection: the scheduler's pipe.
        address: of the cluster; empty for one of our own.
        folder: for the files of our own cluster.
        cores: of our own cluster.
    """

    def __init__(self, connection: Connection, address: str, folder: str, cores: int) -> None:
        import ray

        self._ray, self._connection, self._own = ray, connection, not address
        common: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if address:
            ray.init(address=address, **common)
        else:
            ray.init(
                num_cpus=cores,
                include_dashboard=False,
                _temp_dir=folder,
                _system_config=HEALTH,
                **common,
            )
        self._board = _board(ray)
        self._taken: Any = None
        self._run = ray.remote(max_retries=0)(run_call)
        self._tickets: dict[Any, int] = {}
        self._refs: dict[int, Any] = {}
        self._places = Places()
        self._room: tuple[int, int, int] | None = None
        self._seen = time.monotonic()

    def serve(self) -> None:
        """Do as told until the scheduler is gone or the cluster is."""
        threading.Thread(target=self._watch, daemon=True).start()
        next_look = 0.0
        while True:
            while self._connection.poll(0 if self._tickets else 0.1):
                message = self._connection.recv()
                if message[0] == "close":
                    self._ray.shutdown()
                    self._connection.send(("closed",))
                    return
                self._obey(message)
            self._collect()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_S
                self._look_at_progress()
                self._look_at_nodes()

    def _obey(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("run", ticket, main, pickled, need, is_copy):
                options = self._run.options(
                    num_cpus=need.cpu,
                    num_gpus=need.gpu,
                    memory=need.memory_mb << 20,
                    scheduling_strategy="SPREAD" if is_copy else "DEFAULT",
                )
                ref = options.remote(self._board, ticket, main, _import_path(), pickled)
                self._tickets[ref], self._refs[ticket] = ticket, ref
                self._places.submitted(ticket)
            case ("cancel", ticket) if ticket in self._refs:
                self._drop(ticket)

    def _drop(self, ticket: int) -> None:
        ref = self._refs.pop(ticket)
        del self._tickets[ref]
        self._places.ended(ticket)
        with suppress(Exception):  # it may have ended, or its node may be dead
            self._ray.cancel(ref, force=True)

    def _collect(self) -> None:
        if not self._tickets:
            return
        done, _ = self._ray.wait(list(self._tickets), num_returns=len(self._tickets), timeout=0.05)
        for ref in done:
            ticket = self._tickets.pop(ref)
            del self._refs[ticket]
            self._places.ended(ticket)
            for what, where in self._result(ref):
                self._connection.send(Report(ticket, what, where))

    def _result(self, ref: Any) -> Iterator[tuple[Progress | TaskDone | TaskFailure, str]]:
        """How far it got, which the board may not have told yet, and how it ended; and where, as far as it could say."""
        try:
            result, done, total, where = self._ray.get(ref, timeout=BEAT_S)
        except Exception as error:  # noqa: BLE001  of Ray's: nothing that a stage raises comes this way
            yield TaskFailure("task", type(error).__name__, _words_of(error), category=_category(error)), ""
            return
        if total > 0:
            yield Progress(done=done, total=total), where
        yield result, where

    def _look_at_progress(self) -> None:
        """Hand on what the board has; it is asked again once it has answered, and never waited for."""
        if self._taken is not None:
            done, _ = self._ray.wait([self._taken], timeout=0)
            if not done:
                return
            with suppress(self._ray.exceptions.RayError):
                for ticket, done, total, started, (node, where) in self._ray.get(self._taken, timeout=BEAT_S):
                    if ticket in self._refs:
                        self._places.started(ticket, node)
                        progress = Progress(done=done, total=total, started=started)
                        self._connection.send(Report(ticket, progress, where))
        self._taken = self._board.take.remote()

    def _look_at_nodes(self) -> None:
        """Nodes that came or went. Ray leaves what ran on a node that is frozen, not dead, open for minutes."""
        nodes: Any = self._ray.nodes
        found = nodes()
        self._seen = time.monotonic()
        gone = frozenset(node["NodeID"] for node in found if not node["Alive"])
        for ticket, category in self._places.lost(gone, self._seen):
            why = (
                "the machine that it ran on is lost" if category == "death" else "it waited at a lost machine"
            )
            self._drop(ticket)
            failure = TaskFailure("task", "NodeLost", why, category=category)
            self._connection.send(Report(ticket, failure))
        alive = [node["Resources"] for node in found if node["Alive"]]
        room = tuple(int(sum(node.get(name, 0) for node in alive)) for name in ("CPU", "GPU"))
        size = (room[0], room[1], sum(node.get("CPU", 0) > 0 for node in alive))
        if size != self._room:
            self._room = size
            self._connection.send(("capacity", *size))

    def _watch(self) -> None:
        """End this process where the head no longer answers: Ray would wait a minute, and end it then."""
        while time.monotonic() - self._seen < 3 * BEAT_S:
            time.sleep(1.0)
        os._exit(1)


def _board(ray: Any) -> Any:
    """An actor where tasks leave their progress; it lives and dies with our own node, so that no other can hold us up."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    class Board:
        def __init__(self) -> None:
            self._latest: dict[int, tuple[int, int, bool, tuple[str, str]]] = {}

        def put(
            self,
            ticket: int,
            done: int,
            total: int,
            started: bool,  # noqa: FBT001  crosses as a tuple
            place: tuple[str, str],
        ) -> None:
            before = self._latest.get(ticket)
            self._latest[ticket] = (done, total, started or bool(before and before[2]), place)

        def take(self) -> list[tuple[int, int, int, bool, tuple[str, str]]]:
            taken, self._latest = self._latest, {}
            return [(ticket, *entry) for ticket, entry in taken.items()]

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(Board).remote()


def _import_path() -> list[str]:
    """Where this process finds modules, for workers that see the same folders."""
    return [entry for entry in sys.path if entry and "site-packages" not in entry]


def run_call(
    board: Any, ticket: int, main: str | None, path: Sequence[str], pickled: bytes
) -> tuple[TaskDone | TaskFailure, int, int, str]:
    """Run one task in a Ray worker; its children die with it. Returns how it ended, its last progress, and where it ran."""
    sys.path.extend(entry for entry in path if entry not in sys.path and os.path.isdir(entry))  # noqa: PTH112
    from ray import get_runtime_context

    from archer.worker import answer, worker_name

    place = (get_runtime_context().get_node_id(), worker_name())
    board.put.remote(ticket, 0, 0, True, place)  # noqa: FBT003  crosses as a tuple
    last, latest = time.monotonic(), (0, 0)

    def report(done: int, total: int) -> None:
        nonlocal last, latest
        now, latest = time.monotonic(), (done, total)
        if now - last >= 1.0:
            last = now
            board.put.remote(ticket, done, total, False, place)  # noqa: FBT003

    return answer(main, pickled, report), *latest, place[1]


def _words_of(error: Exception) -> str:
    """An exception of Ray's own in one line."""
    if type(error).__name__ == "WorkerCrashedError":
        return f"the worker died; {UNSAID} (killed, out of memory or a crash): look into the logs of its node"
    return " ".join(str(error).split())[:300]


def _category(error: Exception) -> Category:
    """What trying again may do about an exception of Ray's own."""
    name = type(error).__name__
    if name == "OutOfMemoryError":
        return "memory"
    return "preempted" if "Preempt" in name else "death"


def main() -> None:
    """Entry point of the bridge: `python -m archer.executors.ray DESCRIPTOR`."""
    from archer.executors.ray import Bridge as Importable  # by its module's name, which workers know it by

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(SETTINGS)
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    connection = Connection(int(sys.argv[1]))
    _, address, folder, cores = connection.recv()
    with (Path(folder) / LOG).open("ab") as log_file:  # whatever Ray prints is not our output
        os.dup2(log_file.fileno(), 1)
        os.dup2(log_file.fileno(), 2)
    _clean_once_we_are_dead(Path(folder))
    try:
        Importable(connection, address, folder, cores).serve()
    except (EOFError, BrokenPipeError, ConnectionError):
        sys.exit(1)


if __name__ == "__main__":
    main()
