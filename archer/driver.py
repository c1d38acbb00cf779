"""Run a job: the driver that carries out what the scheduler decides, and the only writer of the job store."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archer.artifact import Artifact
from archer.canonical import item_detail, memo_key, plain
from archer.errors import JobFailed, TaskFailure
from archer.events import Event
from archer.executors.base import Executor
from archer.plan import JobSpec, Plan, make_plan
from archer.registry import load
from archer.scheduler import (
    Action,
    Ended,
    Failed,
    Finished,
    Happening,
    Launch,
    NodeDone,
    PartsStored,
    Planned,
    Retrying,
    Scheduler,
    StoreParts,
    Tick,
)
from archer.store import ArtifactStore, JobStore
from archer.task import Progress, Report, TaskCall, TaskDone
from archer.wire import item_from_json

POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JobResult:
    """How a job ended.

    Attributes:
        job: its identity.
        state: `done` or `failed`.
        outputs: artifacts by `node.output`, of every node that ended.
        failures: why it failed.
        logs: lines that tasks logged, by task name.
    """

    job: str
    state: str
    outputs: Mapping[str, Artifact]
    failures: Sequence[TaskFailure] = ()
    logs: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def raise_for_state(self) -> None:
        """Raise `JobFailed` where the job failed."""
        if self.state != "done":
            raise JobFailed(self.failures)


def run(
    spec: JobSpec,
    *,
    work_dir: Path,
    executor: str | Executor = "local",
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> JobResult:
    """Run a job to its end. The same spec in the same folder goes on where it was, whatever ended it.

    Args:
        spec: the job.
        work_dir: where state and artifacts live; other jobs there share what is equal.
        executor: `local` (worker processes), `inline`, another installed one, or an object.
        workers: how many; None for the cores this process may use.
        on_event: called in this thread with every event, stored or not.

    Raises:
        SpecError: the spec does not fit together.
        StoreBusy: another process works in the folder.
        KeyboardInterrupt: Ctrl-C; everything committed is kept.
    """
    plan = make_plan(spec)
    made = load("cinemill.executors", executor)(workers) if isinstance(executor, str) else executor
    store = JobStore(work_dir)
    try:
        shutil.rmtree(work_dir / "scratch", ignore_errors=True)
        return _Driver(plan, ArtifactStore(work_dir), store, made, on_event or (lambda event: None)).run()
    finally:
        made.close()
        store.close()


class _Driver:
    """Joins scheduler, executor and stores."""

    def __init__(
        self, plan: Plan, artifacts: ArtifactStore, store: JobStore, executor: Executor, tell: Callable[[Event], None]
    ) -> None:
        self._plan, self._artifacts, self._store, self._executor, self._tell = plan, artifacts, store, executor, tell
        self._scheduler = Scheduler(plan, capacity=executor.capacity())
        self._tickets: dict[int, tuple[Launch, str, int]] = {}
        self._next_ticket = 0
        self._ended: Ended | None = None
        self._logs: dict[str, Sequence[str]] = {}
        self._happenings: deque[Happening] = deque()

    def run(self) -> JobResult:
        """Drive the job to its end."""
        runs = self._store.begin(self._plan.job)
        self._record("job-started", payload={"run": runs, "nodes": [node.id for node in self._plan.nodes]})
        self._happen(Tick())
        while self._ended is None:
            for report in self._executor.poll(self._patience()):
                self._take(report)
            self._happen(Tick())
        for ticket in list(self._tickets):
            self._executor.cancel(ticket)
        failures = self._ended.failures
        last = self._event(f"job-{self._ended.state}", payload={"failures": [str(failure) for failure in failures]})
        self._tell(self._store.end(self._plan.job, self._ended.state, last))
        return JobResult(
            job=self._plan.job,
            state=self._ended.state,
            outputs=dict(self._scheduler.outputs),
            failures=failures,
            logs=self._logs,
        )

    def _patience(self) -> float:
        wake = self._scheduler.next_wake
        return POLL_S if wake is None else max(0.0, min(POLL_S, wake - time.monotonic()))

    def _happen(self, happening: Happening) -> None:
        """Tell the scheduler; what follows from what it decides (a memo hit is a result at once) waits its turn."""
        self._happenings.append(happening)
        if len(self._happenings) > 1:
            return  # the loop below is at work further up the stack
        while self._happenings:
            self._carry_out(self._scheduler.handle(self._happenings[0], time.monotonic()))
            self._happenings.popleft()

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Launch():
                    self._launch(action)
                case StoreParts():
                    self._happen(PartsStored(node=action.node, artifact=self._artifacts.put_parts(action.parts)))
                case Planned():
                    payload = {"items": action.items, "weight": action.weight, "round": action.round}
                    self._record("node-planned", action.node, payload=payload)
                case NodeDone():
                    self._record("node-done", action.node)
                case Retrying():
                    event = self._event("task-retry", action.task.node, action.task.label, payload={"error": action.failure.message})
                    self._tell(self._store.release(event, action.task.name, "retry"))
                case Ended():
                    self._ended = action

    def _launch(self, launch: Launch) -> None:
        node, task = self._plan.by_id[launch.task.node], launch.task
        detail: dict[str, Any] = item_detail(task.item, launch.inputs)
        if task.phase == "collect":
            detail["parts"] = [[part.item.label, plain(part.outputs)] for part in launch.parts]
        key = memo_key(node.stage, node.params, task.phase, node.stage.fingerprint(node.params), detail)
        known = self._store.recall(key)
        if known is not None and all(map(self._artifacts.has, known.values())):
            self._record("memo-hit", task.node, task.label, payload=self._payload(launch))
            self._happen(self._finished(launch, known))
            return
        event = self._event("task-started", task.node, task.label, launch.attempt, {"phase": task.phase})
        token, stored = self._store.lease(event, task.name, key)
        self._tell(stored)
        self._next_ticket += 1
        self._tickets[self._next_ticket] = (launch, key, token)
        resources = node.stage.resources(node.params)
        call = TaskCall(
            root=self._artifacts.root,
            stage=node.stage_name,
            params=node.params,
            task=task,
            inputs=launch.inputs,
            parts=launch.parts,
            threads=resources.cpu,
        )
        self._executor.submit(self._next_ticket, call)

    def _take(self, report: Report) -> None:
        launch, key, token = self._tickets[report.ticket]
        task = launch.task
        if isinstance(report.what, Progress):
            if report.what.total:
                payload = {"done": report.what.done, "total": report.what.total, "weight": task.item.weight}
                self._tell(self._event("task-progress", task.node, task.label, launch.attempt, payload))
            return
        del self._tickets[report.ticket]
        if isinstance(report.what, TaskFailure):
            self._fail(launch, report.what)
        else:
            self._commit(launch, key, token, report.what)

    def _commit(self, launch: Launch, key: str, token: int, done: TaskDone) -> None:
        task = launch.task
        kind = "chunk-done" if task.phase == "map" else "task-done"
        event = self._event(kind, task.node, task.label, launch.attempt, self._payload(launch))
        stored = self._store.commit(event, task.name, key, token, done.outputs)
        if stored is None:
            return  # the lease went to another; its result is the one that counts
        self._tell(stored)
        if done.log:
            self._logs[task.name] = done.log
        self._happen(self._finished(launch, done.outputs))

    def _finished(self, launch: Launch, outputs: Mapping[str, Artifact]) -> Finished:
        listing = outputs.get("items") or outputs.get("emit")
        asks = launch.task.phase == "split" or (launch.task.phase == "collect" and "emit" in outputs)
        items = [item_from_json(value) for value in self._artifacts.read_json(listing)] if asks and listing else None
        return Finished(task=launch.task, outputs=outputs, items=items)

    def _fail(self, launch: Launch, failure: TaskFailure) -> None:
        payload = {"error": failure.message, "kind": failure.kind, "traceback": failure.traceback}
        event = self._event("task-failed", launch.task.node, launch.task.label, launch.attempt, payload)
        self._tell(self._store.release(event, launch.task.name, "poisoned"))
        self._happen(Failed(task=launch.task, failure=failure))

    @staticmethod
    def _payload(launch: Launch) -> dict[str, Any]:
        return {"phase": launch.task.phase, "weight": launch.task.item.weight}

    def _record(self, kind: str, node: str = "", item: str = "", payload: Mapping[str, Any] | None = None) -> None:
        self._tell(self._store.record(self._event(kind, node, item, payload=payload)))

    def _event(
        self, kind: str, node: str = "", item: str = "", attempt: int = 0, payload: Mapping[str, Any] | None = None
    ) -> Event:
        return Event(job=self._plan.job, type=kind, node=node, item=item, attempt=attempt, payload=payload or {})
