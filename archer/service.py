"""A scheduler that works off the queue of submitted jobs: several at once within what one executor has, beside other schedulers.

    service = SchedulerService(Database("postgresql://cinemill@db/cinemill"), Path("work"), Service(workers=8))
    service.run(stop)  # until the event is set; what was unfinished goes back into the queue

It claims jobs (`archer.store.queue`), makes their plans in threads (naming a large input takes a while), and drives them with the
same `Driver` as `archer.run` does. They share one pool of cores and memory: the most urgent is asked first what to begin.
Its leases are renewed by a thread of their own. A job whose lease was lost is dropped where it stands: nothing more of it can be
committed, and whoever has it goes on from what was.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from archer.driver import Driver, Setup, Tell
from archer.errors import LeaseLost, StoreBusy, StoreUnreachable
from archer.executors.base import Executor
from archer.plan import JobSpec, Plan, make_plan
from archer.registry import EXECUTORS, load
from archer.room import check_room
from archer.scheduler import Continue, Happening, Pause, Policy, Pool, Stop
from archer.spec import spec_from_text, spec_to_text
from archer.store import ArtifactStore, JobStore
from archer.store.database import Database
from archer.store.lock import FolderLock
from archer.store.queue import LEASE_S, Claim, JobQueue
from archer.task import Report
from archer.templates import read_order
from cinemill_native.errors import CinemillError

LISTEN_S = 0.4
"""Between looks at the queue: what is new, and what is asked of our jobs."""
POLL_S = 0.25
STUCK_S = 600.0
"""A loop that has not turned for so long holds its jobs no longer."""
LOCK_S = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How a scheduler works.

    Attributes:
        name: what it is called in events; empty for host and process.
        executor: name of an installed executor, or one that stays open. workers: how many; None for its default.
        artifacts: fsspec URL where artifacts go too; schedulers on several machines need one.
        jobs: most jobs under way at once.
        queues: queues to take from; all by default.
        lease_s: how long it may be silent before others take its jobs.
        policy: when to try again.
        tell: called with every event of its jobs.
    """

    name: str = ""
    executor: str | Executor = "local"
    workers: int | None = None
    artifacts: str = ""
    jobs: int = 16
    queues: Sequence[str] = ()
    lease_s: float = LEASE_S
    policy: Policy = field(default_factory=Policy)
    tell: Tell = lambda _event: None


@dataclass(slots=True)
class Held:
    """A job that was claimed: `making` is its plan and spec, `driver` drives it once they are there."""

    claim: Claim
    making: Future[tuple[Plan, str]]
    driver: Driver | None = None
    paused: bool = False


class SchedulerService:
    """Works off a queue until it is told to stop.

    Args:
        database: of the jobs; stays open.
        root: folder for artifacts and what is being made; schedulers of one machine may share it.
        service: how it works.

    Attributes:
        name: what it is called in events. held: the jobs that it has, by id.

    Raises:
        StoreBusy: the database is an SQLite file, or the folder one, that another process works in.
    """

    def __init__(self, database: Database, root: Path, service: Service | None = None) -> None:
        self._service = service or Service()
        self.name = self._service.name or f"{socket.gethostname()}/{os.getpid()}"
        self._queue = JobQueue(database)
        self._locks = list(_locks(database, root))
        self._store = JobStore(root, database)
        self._artifacts = ArtifactStore(root, remote=self._service.artifacts)
        if self._locks[-1].alone:
            self._artifacts.sweep()
        if database.dialect == "sqlite":
            self._queue.orphan()
        else:
            self._locks[-1].share()
        made = self._service.executor
        self._executor: Executor = (
            load(EXECUTORS, made)(self._service.workers) if isinstance(made, str) else made
        )
        self._pool = Pool.of(self._executor.capacity())
        self.held: dict[str, Held] = {}
        self._lost: set[str] = set()
        self._turned = time.monotonic()
        self._next_look = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then give everything back.

        Raises:
            StoreUnreachable: the database was away for too long.
        """
        over = threading.Event()
        heart = threading.Thread(target=self._beat, args=(over,), name="heartbeat", daemon=True)
        heart.start()
        with ThreadPoolExecutor(2, thread_name_prefix="plan") as planners:
            try:
                while not stop.is_set():
                    self._turn(planners, stop)
            finally:
                over.set()
                heart.join()
                self._give_back()
                planners.shutdown(wait=False, cancel_futures=True)

    # One turn: look, listen, deliver, begin.

    def _turn(self, planners: ThreadPoolExecutor, stop: threading.Event) -> None:
        self._turned = time.monotonic()
        asked: dict[str, str] = {}
        if self._turned >= self._next_look:
            self._next_look = self._turned + LISTEN_S
            self._pool.resize(self._executor.capacity())
            asked = self._queue.requests_for(*(held.claim for held in self.held.values()))
            self._claim(planners)
        if not self._running:
            stop.wait(POLL_S if self.held else LISTEN_S)
        self._deliver(self._executor.poll(self._patience()) if self._running else (), asked)

    @property
    def _running(self) -> list[tuple[Held, Driver]]:
        """Jobs that are driven, the most urgent first."""
        return [(held, held.driver) for held in sorted(self.held.values(), key=_urgency) if held.driver]

    def _patience(self) -> float:
        return min([POLL_S, *(driver.patience for _, driver in self._running)])

    def _claim(self, planners: ThreadPoolExecutor) -> None:
        """Take jobs as long as there are cores that no job of ours can use; after that, only what is more urgent than ours."""
        while True:
            active = [held for held in self.held.values() if not held.paused]
            if len(active) >= self._service.jobs or any(held.driver is None for held in active):
                return
            idle = not active or self._pool.free.cpu > 0
            last = None if idle else max(active, key=_urgency).claim.job
            claim = self._queue.claim(
                self.name, self._service.lease_s, only=self._service.queues, ahead_of=last
            )
            if claim is None:
                return
            log.info("job %s: claimed", claim.job.id)
            self.held[claim.job.id] = Held(claim, planners.submit(_made, claim))

    def _deliver(self, reports: Sequence[Report], asked: dict[str, str]) -> None:
        """Tell every job what came; only then let them begin more, the most urgent first."""
        lost, self._lost = self._lost, set()
        for job in lost & self.held.keys():
            self._drop(job)
        self._pool.open = False
        for held in list(self.held.values()):
            with self._minded(held):
                self._tell(held, reports, asked.get(held.claim.job.id, ""))
        self._pool.open = True
        for held, driver in self._running:
            with self._minded(held):
                driver.step(())
        for held, driver in self._running:
            if driver.ended:
                self._end(held.claim.job.id, driver)

    def _tell(self, held: Held, reports: Sequence[Report], wanted: str) -> None:
        if held.driver is None:
            self._prepare(held, wanted)
            return
        happening = _happening(wanted)
        held.driver.step(reports, *happening)
        if happening and wanted != "cancel":
            held.paused = wanted == "pause"
            self._queue.obeyed(held.claim, wanted)

    def _prepare(self, held: Held, wanted: str) -> None:
        """Begin a job whose plan is made; one of which something is wanted before goes back, and is then that."""
        if wanted:
            held.making.cancel()
            self._queue.release(held.claim)
            self._forget(held.claim.job.id)
        elif held.making.done():
            plan, spec = held.making.result()
            check_room(self._artifacts.root)
            terms = Setup(
                tell=self._service.tell,
                policy=self._service.policy,
                remote=self._service.artifacts,
                pool=self._pool,
            )
            token = held.claim.token
            held.driver = Driver(
                plan, self._store, self._executor, self._artifacts, terms, first_ticket=token
            )
            held.driver.start(spec, token)

    def _end(self, job: str, driver: Driver) -> None:
        driver.leave()
        with suppress(CinemillError, OSError):  # the job is done; only its manifest is missing
            driver.result()
        log.info("job %s: ended", job)
        self._forget(job)

    # What goes wrong.

    @contextmanager
    def _minded(self, held: Held) -> Iterator[None]:
        """What goes wrong with one job is no matter of the others."""
        job = held.claim.job.id
        try:
            yield
        except LeaseLost:
            self._drop(job)
        except StoreUnreachable:
            raise
        except Exception as error:
            if not isinstance(error, CinemillError | OSError):
                log.exception("job %s: a fault of ours", job)
            self._leave(held)
            self._queue.release(held.claim, "failed", failures=[_said(error)])
            self._forget(job)

    def _drop(self, job: str) -> None:
        log.warning("job %s: another scheduler has it; nothing more of it is done here", job)
        self._leave(self.held[job])
        self._forget(job)

    def _leave(self, held: Held) -> None:
        held.making.cancel()
        if held.driver is not None:
            held.driver.leave()

    def _forget(self, job: str) -> None:
        self.held.pop(job, None)
        self._store.forget(job)

    def _give_back(self) -> None:
        """Stop what runs, and let others have it."""
        for held in list(self.held.values()):
            self._leave(held)
        if self._executor is not self._service.executor:
            self._executor.close()
        with suppress(StoreUnreachable):  # then the leases run out by themselves
            for held in list(self.held.values()):
                self._hand_back(held)
        for lock in self._locks:
            lock.release()

    def _hand_back(self, held: Held) -> None:
        job = held.claim.job.id
        with suppress(LeaseLost):
            if held.driver is None:
                self._queue.release(held.claim)
            elif not held.driver.ended:
                self._service.tell(self._store.interrupt(job))
        self._forget(job)

    def _beat(self, over: threading.Event) -> None:
        """Renew our leases, as long as the loop turns."""
        while not over.wait(self._service.lease_s / 4):
            claims = [held.claim for held in list(self.held.values())]
            if time.monotonic() - self._turned > STUCK_S:
                log.error("the scheduler has not turned for %d s; its jobs are given up", STUCK_S)
                continue
            try:
                self._queue.renew(*claims)
            except LeaseLost as error:
                self._lost.update(error.tasks)
            except CinemillError as error:
                log.warning("leases could not be renewed: %s", error)


def _made(claim: Claim) -> tuple[Plan, str]:
    """Plan and text of a job; one that ran before stays what it was then."""
    job = claim.job
    spec: JobSpec = spec_from_text(job.spec) if job.spec else read_order(job.request).spec()
    return replace(make_plan(spec), name=job.id), spec_to_text(spec)


def _happening(wanted: str) -> list[Happening]:
    match wanted:
        case "cancel":
            return [Stop(state="cancelled")]
        case "pause":
            return [Pause()]
        case "resume":
            return [Continue()]
    return []


def _urgency(held: Held) -> tuple[int, int, str]:
    """As the queue orders them."""
    job = held.claim.job
    return (-job.priority, job.deadline_ms or 1 << 62, job.id)


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, CinemillError) and text else f"{type(error).__name__}: {text}"


def _locks(database: Database, root: Path) -> Iterator[FolderLock]:
    """An SQLite file has one scheduler; a folder may be shared, but not with `cinemill run`. The folder's comes last."""
    root.mkdir(parents=True, exist_ok=True)
    home = Path(database.place).parent if database.dialect == "sqlite" else None
    if home is not None and home.resolve() != root.resolve():
        yield FolderLock(home)
    yield FolderLock(root) if home is not None else _shared_lock(root)


def _shared_lock(root: Path) -> FolderLock:
    """Whoever is alone tidies up for a moment, and then lets others in."""
    until = time.monotonic() + LOCK_S
    while True:
        try:
            return FolderLock(root, shared=True)
        except StoreBusy:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
