"""Run a job: the driver that carries out what the scheduler decides, and the only writer of the job store."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archer.artifact import Artifact
from archer.control import asked
from archer.errors import BlobDamaged, JobFailed, StageError, TaskFailure
from archer.events import Event
from archer.executors.base import Executor
from archer.ledger import Ledger, split_cards
from archer.memo import memo_keys
from archer.plan import JobSpec, Plan, make_plan
from archer.registry import EXECUTORS, load
from archer.scheduler import (
    Abandon,
    Action,
    Alive,
    Begin,
    Capacity,
    Continue,
    Failed,
    Finished,
    Happening,
    Launch,
    Looked,
    LookUp,
    PartsStored,
    Pause,
    Policy,
    Pool,
    Resized,
    Result,
    Scheduler,
    Stop,
    StoreParts,
    Tick,
)
from archer.spec import spec_to_text
from archer.store.artifacts import ArtifactStore, json_bytes
from archer.store.remote import RemoteBlobs
from archer.task import ITEMS, Progress, Report, TaskCall, TaskDone
from archer.wire import outputs_to_json
from archer.worker import scratch_name
from cinemill_native.errors import CinemillError

if TYPE_CHECKING:
    from archer.store import Batch, JobStore

POLL_S = 1.0
LISTEN_S = 0.5
Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How a job ended.

    Attributes:
        job: its identity.
        state: `done`, `partial` (some items failed that could be spared), `failed`, `cancelled` or `interrupted`.
        outputs: artifacts by `node.output`, of every node that ended.
        failures: what failed for good, and why.
        logs: lines that tasks logged in this run, by task (`ingest`, `encode chunk-00003/720p`).
    """

    job: str
    state: str
    outputs: Mapping[str, Artifact]
    failures: Sequence[TaskFailure] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def raise_for_state(self) -> None:
        """Raise `JobFailed` where the job ended without all of its outputs; `partial` has them all."""
        if self.state not in ("done", "partial"):
            cause = self.failures[0].__cause__ if self.failures else None
            raise JobFailed(self.failures) from cause


def run(
    spec: JobSpec,
    *,
    work_dir: Path,
    executor: str | Executor = "local",
    workers: int | None = None,
    on_event: Tell | None = None,
    policy: Policy | None = None,
    artifacts: str = "",
    afresh: frozenset[str] = frozenset(),
) -> JobResult:
    """Run a job to its end. The same spec in the same folder goes on where it was, whatever ended it.

    Args:
        spec: the job.
        work_dir: where state and artifacts live; other jobs there share what is equal.
        executor: `local` (worker processes), `inline`, another installed one, or an object: that one stays open.
        workers: how many; None for the cores this process may use.
        on_event: called in this thread with every event, stored or not.
        policy: when to try again.
        artifacts: an fsspec URL where artifacts go too; see `ArtifactStore`.
        afresh: names of tasks to compute though their results are known.

    Raises:
        SpecError: the spec does not fit together.
        NotCanonical: a setting cannot be part of a name.
        StoreBusy: another process works in the folder.
        DiskFull: no space is left; what was done is kept.
        KeyboardInterrupt: Ctrl-C; what was done is kept.
    """
    _refuse_import()
    plan = make_plan(spec)
    how = Setup(tell=on_event or _nobody, policy=policy or Policy(), remote=artifacts, afresh=afresh)
    with ExitStack() as state, ExitStack() as work:  # no work goes on when the state is closed
        made = load(EXECUTORS, executor)(workers) if isinstance(executor, str) else executor
        if made is not executor:
            work.callback(made.close)
        if (prepare := getattr(made, "prepare", None)) is not None:
            prepare(plan.assets)
        from archer.store import JobStore  # SQLAlchemy, which a script that a worker imports does not need

        store = JobStore(Path(work_dir).absolute())
        state.callback(store.close)
        return _driven(spec, plan, store, made, how)


def _driven(spec: JobSpec, plan: Plan, store: JobStore, executor: Executor, how: Setup) -> JobResult:
    kept = ArtifactStore(store.root, remote=how.remote)
    driver = Driver(plan, store, executor, kept, how, first_ticket=store.next_token)
    return driver.run(spec_to_text(spec))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a job is driven.

    Attributes:
        tell: called with every event, stored or not.
        policy: when to try again.
        remote: an fsspec URL where artifacts go too.
        afresh: names of tasks to compute though their results are known.
        pool: what may run at once, where several jobs share it; None for all that the executor has.
    """

    tell: Tell
    policy: Policy = field(default_factory=Policy)
    remote: str = ""
    afresh: frozenset[str] = frozenset()
    pool: Pool | None = None


class Driver:
    """Joins scheduler, executor and stores, and is done when the job is.

    What follows at once from one round of reports (results, hits in the memo, new leases) goes into one transaction;
    tasks are submitted after it, so that what runs is always known to be leased. `run` drives a job of a folder to its end;
    whoever drives several, under claims, calls `start`, then `step` with what their executor reports, until `ended`.

    Args:
        first_ticket: the first of those that only this run gives.
    """

    def __init__(
        self,
        plan: Plan,
        store: JobStore,
        executor: Executor,
        artifacts: ArtifactStore,
        setup: Setup,
        *,
        first_ticket: int,
    ) -> None:
        self._plan, self._store, self._executor, self._tell = plan, store, executor, setup.tell
        self._artifacts, self._remote, self._afresh = artifacts, setup.remote, setup.afresh
        self._capacity: Capacity = executor.capacity()
        self._scheduler = Scheduler(
            plan,
            capacity=self._capacity,
            policy=setup.policy,
            first_ticket=first_ticket,
            paces=store.paces(plan) if self._capacity.machines > 1 else None,
            pool=setup.pool,
        )
        self._clock: Callable[[], float] = getattr(executor, "clock", time.monotonic)
        self._ledger = Ledger(plan, self._clock)
        self._next_listen = 0.0

    def run(self, spec: str = "") -> JobResult:
        """Drive the job to its end; `spec` is kept with it."""
        self._artifacts.sweep()
        asked(self._store.root, self._plan.job)  # what was asked of an earlier run
        runs = self._store.begin(self._plan, spec)
        try:
            self._settle(Begin(), started=runs)
            while not self.ended:
                reports = self._executor.poll(self.patience)
                self.step(reports, *self._asked())
        except BaseException:
            self._interrupted()
            raise
        return self.result()

    def start(self, spec: str, token: int) -> None:
        """Begin under a claim; `spec` is kept with the job. Raises LeaseLost where another one has it."""
        runs = self._store.begin(self._plan, spec, token=token)
        self._settle(Begin(), started=runs)

    def step(self, reports: Sequence[Report], *others: Happening) -> None:
        """Take in what the executor reports of this job, and what else happened; reports of other jobs change nothing."""
        if not self.ended:
            self._settle(*self._happenings(reports), *others, Tick())

    @property
    def ended(self) -> bool:
        """True once nothing more is to be done."""
        return self._ledger.ended is not None

    @property
    def patience(self) -> float:
        """Seconds until it wants to look again, whatever happens."""
        wake = self._scheduler.next_wake
        return POLL_S if wake is None else max(0.0, min(POLL_S, wake - self._clock()))

    def result(self) -> JobResult:
        """How it ended, its outputs published where they go."""
        assert self._ledger.ended is not None  # noqa: S101  asked for by who saw the end
        self._publish()
        return JobResult(
            job=self._plan.job,
            state=self._ledger.ended.state,
            outputs=dict(self._scheduler.outputs),
            failures=self._ledger.ended.failures,
            logs=self._ledger.logs,
        )

    def leave(self) -> None:
        """Stop what runs of this job, and nothing else; what the store knows is left as it is."""
        for ticket in list(self._ledger.running):
            self._cancel(ticket)
        self._scheduler.leave()

    def _publish(self) -> None:
        """Leave a manifest of the outputs at the artifacts' URL, once they are all there."""
        if (
            self._remote
            and self._ledger.ended is not None
            and self._ledger.ended.state in ("done", "partial")
        ):
            value = {"job": self._plan.job, "outputs": outputs_to_json(self._scheduler.outputs)}
            RemoteBlobs(self._remote).write(f"manifests/{self._plan.job}.json", json_bytes(value))

    def _interrupted(self) -> None:
        """Stop what runs, and keep that nothing runs any more, as far as that is possible now.

        The scheduler is not asked: what it wanted last may or may not be stored, since an interrupt comes anywhere.
        """
        self._executor.close()
        try:
            self._tell(self._store.interrupt(self._plan.job))
        except CinemillError:
            return  # a full disk, say: that error is the one to report; the next run finds the leases void

    # What happened.

    def _asked(self) -> Iterator[Happening]:
        """What others want of this job, and what became of the room; looked at twice a second."""
        if self._clock() < self._next_listen:
            return
        self._next_listen = self._clock() + LISTEN_S
        match asked(self._store.root, self._plan.job):
            case "cancel":
                yield Stop(state="cancelled")
            case "pause":
                yield Pause()
            case "continue":
                yield Continue()
        if (capacity := self._executor.capacity()) != self._capacity:
            self._capacity = capacity
            yield Resized(capacity=capacity)

    def _happenings(self, reports: Sequence[Report]) -> Iterator[Happening]:
        for report in reports:
            what, ticket = report.what, report.ticket
            if ticket not in self._ledger.running:
                continue
            self._ledger.seen(ticket, report.worker)
            match what:
                case Progress():
                    self._show_progress(ticket, what)
                    share = what.done / what.total if what.total > 0 else 0.0
                    yield Alive(ticket=ticket, share=share, started=what.started)
                case TaskFailure():
                    yield Failed(ticket=ticket, failure=what)
                case TaskDone():
                    yield self._finished(ticket, what)

    def _finished(self, ticket: int, done: TaskDone) -> Happening:
        self._ledger.done[ticket] = done
        try:
            return Finished(ticket=ticket, result=self._result(done.outputs), cpu_ms=done.cpu_ms)
        except CinemillError as error:
            task = self._ledger.running[ticket].launch.task
            kind = type(error).__name__
            return Failed(
                ticket=ticket, failure=TaskFailure(task.title, kind, str(error), category="transient")
            )

    def _result(self, outputs: Mapping[str, Artifact]) -> Result:
        listing = outputs.get("items")
        if listing is None or listing.kind != ITEMS:
            return Result(outputs=outputs)
        return Result(outputs=outputs, items=self._artifacts.read_items(listing, self._plan.assets))

    def _show_progress(self, ticket: int, progress: Progress) -> None:
        if progress.total <= 0:
            return
        launch = self._ledger.running[ticket].launch
        task = launch.task
        payload = {"done": progress.done, "total": progress.total, "weight": task.item.weight}
        self._tell(
            Event(
                job=self._plan.job,
                type="task-progress",
                node=task.node,
                item=task.label,
                attempt=launch.attempt,
                payload=payload,
            )
        )

    # What is to be done.

    def _settle(self, *happenings: Happening, started: int = 0) -> None:
        """Tell the scheduler what happened and carry out what it wants, until it wants nothing more."""
        queue, now = deque(happenings), self._clock()
        after: list[Launch | Abandon] = []
        with self._store.batch(self._plan.job) as batch:
            self._ledger.note_places(batch)
            if started:
                names = [node.id for node in self._plan.nodes]
                batch.event("job-started", payload={"run": started, "nodes": names})
            while queue:
                for action in self._scheduler.handle(queue.popleft(), now):
                    queue.extend(self._carry_out(action, batch))
                    if isinstance(action, Launch | Abandon):
                        after.append(action)
        given_up = {action.ticket for action in after if isinstance(action, Abandon)}
        for action in after:
            if isinstance(action, Abandon):
                self._cancel(action.ticket)
            elif action.ticket not in given_up:
                self._submit(action)
        for event in batch.events:
            self._tell(event)

    def _carry_out(self, action: Action, batch: Batch) -> Iterator[Happening]:
        """Put an action into the transaction; yields the answers that the scheduler waits for."""
        match action:
            case LookUp():
                yield self._look_up(action, batch)
            case StoreParts():
                artifact = self._artifacts.put_parts(action.parts)
                yield PartsStored(node=action.node, artifact=artifact)
            case _:
                self._ledger.note(action, batch)

    def _look_up(self, action: LookUp, batch: Batch) -> Looked:
        """Search the memo; a result whose bytes are gone is no result."""
        keys = memo_keys(self._plan, action)
        self._ledger.keys.update(keys)
        known = self._store.recall(list(keys.values()))
        hits = {}
        for task in action.tasks:
            outputs, cards = split_cards(known.get(keys[task.name], {}))
            known_here = keys[task.name] in known and task.name not in self._afresh
            if known_here and all(map(self._artifacts.has, outputs.values())):
                with suppress(BlobDamaged):
                    hits[task.name] = self._recalled(outputs)
                    for name, card in cards.items():
                        batch.card(task, name, card)
        return Looked(asked=action.tasks, hits=hits)

    def _recalled(self, outputs: Mapping[str, Artifact]) -> Result:
        try:
            return self._result(outputs)
        except BlobDamaged:
            self._artifacts.discard(outputs["items"])
            raise

    def _submit(self, launch: Launch) -> None:
        node = self._plan.by_id[launch.task.node]
        self._executor.submit(
            TaskCall(
                ticket=launch.ticket,
                root=self._artifacts.root,
                stage=node.stage,
                params=node.params,
                task=launch.task,
                inputs=launch.inputs,
                parts=launch.parts,
                assets=self._plan.assets,
                resources=launch.resources,
                copy_of=launch.copy_of,
                remote=self._remote,
            )
        )

    def _cancel(self, ticket: int) -> None:
        self._ledger.running.pop(ticket, None)
        self._executor.cancel(ticket)
        shutil.rmtree(self._artifacts.root / "scratch" / scratch_name(ticket), ignore_errors=True)


def _nobody(event: Event) -> None:
    """Take an event and do nothing."""


def _refuse_import() -> None:
    from archer import worker

    if worker.importing_main:
        raise StageError(
            "run() was called while a worker imported the script; put it under if __name__ == '__main__'"
        )
