"""Run a job: the driver that carries out what the scheduler decides, and the only writer of the job store."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.canonical import memo_key
from archer.errors import BlobDamaged, JobFailed, StageError, TaskFailure
from archer.events import Event
from archer.executors.base import Executor
from archer.plan import JobSpec, Plan, make_plan
from archer.registry import EXECUTORS, load
from archer.scheduler import (
    Abandon,
    Action,
    Alive,
    Begin,
    Commit,
    Ended,
    Failed,
    Finished,
    Happening,
    Launch,
    Looked,
    LookUp,
    NodeDone,
    PartsStored,
    Planned,
    Poison,
    Policy,
    Recall,
    Renew,
    Result,
    Retry,
    Scheduler,
    StoreParts,
    Tick,
)
from archer.store import ArtifactStore, Batch, JobStore
from archer.task import ITEMS, Progress, Report, Task, TaskCall, TaskDone
from archer.worker import scratch_name
from cinemill_native.errors import CinemillError

POLL_S = 1.0
LOG_LINES = 200
Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How a job ended.

    Attributes:
        job: its identity.
        state: `done`, `failed` or `interrupted`.
        outputs: artifacts by `node.output`, of every node that ended.
        failures: why it failed.
        logs: lines that tasks logged in this run, by task (`ingest`, `encode chunk-00003/720p`).
    """

    job: str
    state: str
    outputs: Mapping[str, Artifact]
    failures: Sequence[TaskFailure] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def raise_for_state(self) -> None:
        """Raise `JobFailed` where the job did not end well."""
        if self.state != "done":
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
) -> JobResult:
    """Run a job to its end. The same spec in the same folder goes on where it was, whatever ended it.

    Args:
        spec: the job.
        work_dir: where state and artifacts live; other jobs there share what is equal.
        executor: `local` (worker processes), `inline`, another installed one, or an object.
        workers: how many; None for the cores this process may use.
        on_event: called in this thread with every event, stored or not.
        policy: when to try again.

    Raises:
        SpecError: the spec does not fit together.
        NotCanonical: a setting cannot be part of a name.
        StoreBusy: another process works in the folder.
        DiskFull: no space is left; what was done is kept.
        KeyboardInterrupt: Ctrl-C; what was done is kept.
    """
    _refuse_import()
    plan = make_plan(spec)
    store = JobStore(Path(work_dir).absolute())
    try:
        made = load(EXECUTORS, executor)(workers) if isinstance(executor, str) else executor
        try:
            return Driver(plan, store, made, on_event or _nobody, policy or Policy()).run()
        finally:
            made.close()
    finally:
        store.close()


class Driver:
    """Joins scheduler, executor and stores, and is done when the job is.

    What follows at once from one round of reports (results, hits in the memo, new leases) goes into one transaction;
    tasks are submitted after it, so that what runs is always known to be leased.
    """

    def __init__(self, plan: Plan, store: JobStore, executor: Executor, tell: Tell, policy: Policy) -> None:
        self._plan, self._store, self._executor, self._tell = plan, store, executor, tell
        self._artifacts = ArtifactStore(store.root)
        self._scheduler = Scheduler(
            plan, capacity=executor.capacity(), policy=policy, first_ticket=store.next_token
        )
        self._keys: dict[str, str] = {}
        self._running: dict[int, tuple[Launch, float]] = {}
        self._done: dict[int, TaskDone] = {}
        self._ended: Ended | None = None
        self._logs: dict[str, Sequence[str]] = {}
        self._clock = time.monotonic

    def run(self) -> JobResult:
        """Drive the job to its end."""
        self._artifacts.sweep()
        runs = self._store.begin(self._plan)
        try:
            self._settle(Begin(), started=runs)
            while self._ended is None:
                reports = self._executor.poll(self._patience())
                self._settle(*self._happenings(reports), Tick())
        except BaseException:
            self._interrupted()
            raise
        return JobResult(
            job=self._plan.job,
            state=self._ended.state,
            outputs=dict(self._scheduler.outputs),
            failures=self._ended.failures,
            logs=self._logs,
        )

    def _patience(self) -> float:
        wake = self._scheduler.next_wake
        return POLL_S if wake is None else max(0.0, min(POLL_S, wake - self._clock()))

    def _interrupted(self) -> None:
        """Stop what runs, and keep that nothing runs any more, as far as that is possible now.

        The scheduler is not asked: what it wanted last may or may not be stored, since an interrupt comes anywhere.
        """
        self._executor.close()
        try:
            self._tell(self._store.interrupt(self._plan.job))
        except CinemillError:
            return  # a full disk, say: that error is the one to report; the next run finds the leases void

    def _happenings(self, reports: Sequence[Report]) -> Iterator[Happening]:
        for report in reports:
            what, ticket = report.what, report.ticket
            if ticket not in self._running:
                continue
            match what:
                case Progress():
                    self._show_progress(ticket, what)
                    yield Alive(ticket=ticket)
                case TaskFailure():
                    yield Failed(ticket=ticket, failure=what)
                case TaskDone():
                    self._done[ticket] = what
                    try:
                        result = self._result(what.outputs)
                    except CinemillError as error:
                        task = self._running[ticket][0].task
                        failure = TaskFailure(
                            task.title, type(error).__name__, str(error), category="transient"
                        )
                        yield Failed(ticket=ticket, failure=failure)
                    else:
                        yield Finished(ticket=ticket, result=result)

    def _result(self, outputs: Mapping[str, Artifact]) -> Result:
        listing = outputs.get("items")
        if listing is None or listing.kind != ITEMS:
            return Result(outputs=outputs)
        return Result(outputs=outputs, items=self._artifacts.read_items(listing, self._plan.assets))

    def _show_progress(self, ticket: int, progress: Progress) -> None:
        if progress.total <= 0:
            return
        launch = self._running[ticket][0]
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

    def _settle(self, *happenings: Happening, started: int = 0) -> None:
        """Tell the scheduler what happened and carry out what it wants, until it wants nothing more."""
        queue, now = deque(happenings), self._clock()
        after: list[Launch | Abandon] = []
        with self._store.batch(self._plan.job) as batch:
            if started:
                names = [node.id for node in self._plan.nodes]
                batch.event("job-started", payload={"run": started, "nodes": names})
            while queue:
                for action in self._scheduler.handle(queue.popleft(), now):
                    queue.extend(self._note(action, batch))
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

    def _note(self, action: Action, batch: Batch) -> Iterator[Happening]:
        """Put an action into the transaction; yields the answers that the scheduler waits for."""
        match action:
            case LookUp():
                yield self._look_up(action)
            case StoreParts():
                artifact = self._artifacts.put_parts(action.parts)
                yield PartsStored(node=action.node, artifact=artifact)
            case Planned():
                self._note_plan(action, batch)
            case Launch():
                self._running[action.ticket] = (action, self._clock())
                batch.lease(action.task, action.ticket, self._wall_ms(action.until))
                batch.task_event("task-started", action.task, action.attempt, {})
            case Renew():
                batch.renew(action.task, action.ticket, self._wall_ms(action.until))
            case NodeDone():
                hashes = {name: artifact.hash for name, artifact in action.outputs.items()}
                batch.node(action.node, "done", outputs=action.outputs)
                batch.event("node-done", action.node, payload={"outputs": hashes})
            case Ended():
                self._ended = action
                batch.job_state = action.state
                failures = [str(failure) for failure in action.failures]
                batch.event(f"job-{action.state}", payload={"failures": failures} if failures else {})
            case _:
                self._note_end(action, batch)

    def _note_plan(self, action: Planned, batch: Batch) -> None:
        for task in action.tasks:
            batch.plan(task)
        items, unit = len(action.tasks), self._plan.by_id[action.node].stage.unit
        batch.node(action.node, "running", items=items, weight=action.weight)
        facts = {"items": items, "weight": action.weight, "round": action.round, "unit": unit}
        batch.event("node-planned", action.node, payload=facts)

    def _note_end(self, action: Recall | Commit | Retry | Poison | Abandon, batch: Batch) -> None:
        match action:
            case Recall():
                batch.settle(action.task, "done", action.result.outputs)
                batch.task_event("memo-hit", action.task, 0, {})
                self._keys.pop(action.task.name, None)
            case Commit():
                self._commit(action, batch)
            case Retry():
                until = self._wall_ms(action.at)
                self._close(action, batch, "retry", until_ms=until)
                wait_ms = round(1000 * (action.at - self._clock()))
                batch.task_event(
                    "task-retry", action.task, action.attempt, _why(action.failure, wait_ms=wait_ms)
                )
            case Poison():
                if action.ticket:
                    self._close(action, batch, "poisoned")
                else:
                    batch.settle(action.task, "poisoned", {})
                why = _why(action.failure, traceback=action.failure.traceback)
                batch.task_event("task-failed", action.task, action.attempt, why)
            case Abandon(final=True):
                launch = self._running[action.ticket][0]
                batch.close(action.task, action.ticket, "cancelled", number=launch.attempt)

    def _commit(self, action: Commit, batch: Batch) -> None:
        task, outputs = action.task, action.result.outputs
        done = self._done.pop(action.ticket)
        _, began = self._running.pop(action.ticket)
        wall_ms = round(1000 * (self._clock() - began))
        lines = "\n".join(done.log[:LOG_LINES])
        if done.log:
            self._logs[task.title] = done.log
        batch.close(
            task,
            action.ticket,
            "done",
            number=action.attempt,
            outputs=outputs,
            wall_ms=wall_ms,
            cpu_ms=done.cpu_ms,
            log=lines,
        )
        batch.remember(self._keys.pop(task.name), outputs)
        kind = "chunk-done" if task.phase == "map" else "task-done"
        hashes = {name: artifact.hash for name, artifact in outputs.items()}
        batch.task_event(
            kind, task, action.attempt, {"outputs": hashes, "wall_ms": wall_ms, "cpu_ms": done.cpu_ms}
        )

    def _close(self, action: Retry | Poison, batch: Batch, state: str, *, until_ms: int = 0) -> None:
        _, began = self._running.pop(action.ticket, (None, self._clock()))
        self._done.pop(action.ticket, None)
        failure, wall_ms = action.failure, round(1000 * (self._clock() - began))
        batch.close(
            action.task,
            action.ticket,
            state,
            number=action.attempt,
            until_ms=until_ms,
            wall_ms=wall_ms,
            error=f"{failure.kind}: {failure.message}",
            log=failure.traceback,
        )

    def _look_up(self, action: LookUp) -> Looked:
        """Search the memo; a result whose bytes are gone is no result."""
        stage = self._plan.by_id[action.tasks[0].node].identity
        keys = {
            task.name: memo_key(stage, task.phase, task.item, _inputs(task, action), action.parts)
            for task in action.tasks
        }
        self._keys.update(keys)
        known = self._store.recall(list(keys.values()))
        hits = {}
        for name, key in keys.items():
            outputs = known.get(key)
            if outputs is not None and all(map(self._artifacts.has, outputs.values())):
                with suppress(BlobDamaged):
                    hits[name] = self._recalled(outputs)
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
                resources=node.resources,
            )
        )

    def _cancel(self, ticket: int) -> None:
        self._running.pop(ticket, None)
        self._executor.cancel(ticket)
        shutil.rmtree(self._artifacts.root / "scratch" / scratch_name(ticket), ignore_errors=True)

    def _wall_ms(self, at: float) -> int:
        """A time of our clock as milliseconds since 1970."""
        return round(1000 * (time.time() + at - self._clock()))


def _why(failure: TaskFailure, **more: Any) -> dict[str, Any]:
    return {"kind": failure.kind, "category": failure.category, "error": failure.message, **more}


def _inputs(task: Task, action: LookUp) -> Mapping[str, Any]:
    return action.inputs if task.item.uses is None else task.item.uses


def _nobody(event: Event) -> None:
    """Take an event and do nothing."""


def _refuse_import() -> None:
    from archer import worker

    if worker.importing_main:
        raise StageError(
            "run() was called while a worker imported the script; put it under if __name__ == '__main__'"
        )
