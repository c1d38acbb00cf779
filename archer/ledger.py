"""What the scheduler decided, as rows and events of one transaction; remembers what runs and what it gave."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archer.artifact import Artifact
from archer.errors import TaskFailure
from archer.plan import Plan
from archer.scheduler import (
    Abandon,
    Action,
    Commit,
    Dropped,
    Ended,
    Launch,
    NodeDone,
    Paused,
    Planned,
    Poison,
    Recall,
    Renew,
    Retry,
)
from archer.task import TaskDone

if TYPE_CHECKING:
    from archer.store import Batch

LOG_LINES = 200
PLACED_S = 2.0
"""A try that runs for so long is worth a row's change to say where it does; the end of a shorter one says so anyway."""


@dataclass(slots=True)
class Running:
    """A try under way, when it was given, by the job's clock, and where it runs, once that is known.

    `placed` is True once that is worth to be kept.
    """

    launch: Launch
    began: float
    worker: str = ""
    placed: bool = False


class Ledger:
    """Turns actions into changes of the job store.

    Args:
        plan: the job.
        clock: seconds that never go back; the scheduler's.

    Attributes:
        running: tries under way by ticket.
        done: what ended well and is not committed yet, by ticket.
        keys: memo key by task name, of tasks that are not done.
        logs: lines that tasks logged, by the task's title.
        ended: how the job ended, once it did.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self._plan, self._clock = plan, clock
        self.running: dict[int, Running] = {}
        self.done: dict[int, TaskDone] = {}
        self.keys: dict[str, str] = {}
        self.logs: dict[str, Sequence[str]] = {}
        self.ended: Ended | None = None
        self._unkept: list[int] = []

    def seen(self, ticket: int, worker: str) -> None:
        """A report came of a try, from there; of one that lasts, that is worth to be kept."""
        run = self.running[ticket]
        run.worker = worker or run.worker
        if run.worker and not run.placed and self._clock() - run.began > PLACED_S:
            run.placed = True
            self._unkept.append(ticket)

    def note_places(self, batch: Batch) -> None:
        """Keep where tries run that last."""
        for ticket in self._unkept:
            if (run := self.running.get(ticket)) is not None:
                batch.place(run.launch.task, ticket, run.worker)
        self._unkept.clear()

    def note(self, action: Action, batch: Batch) -> None:  # noqa: C901  one case per kind
        """Put one action into a transaction."""
        match action:
            case Launch():
                self._launch(action, batch)
            case Commit():
                self._commit(action, batch)
            case Renew():
                batch.renew(action.task, action.ticket, self._wall_ms(action.until))
            case Planned():
                self._plan_tasks(action, batch)
            case Recall():
                self._recall(action, batch)
            case Retry():
                self._retry(action, batch)
            case Poison():
                self._poison(action, batch)
            case Abandon() if action.final:
                run = self.running[action.ticket]
                number, worker = run.launch.attempt, run.worker
                batch.close(action.task, action.ticket, "cancelled", number=number, worker=worker)
            case Dropped():
                self._drop(action, batch)
            case NodeDone():
                hashes = {name: artifact.hash for name, artifact in action.outputs.items()}
                batch.node(action.node, "done", outputs=action.outputs)
                batch.event("node-done", action.node, payload={"outputs": hashes})
            case Paused():
                batch.job_state = "paused" if action.paused else "running"
                batch.event("job-paused" if action.paused else "job-continued")
            case Ended():
                self._end(action, batch)

    def _launch(self, action: Launch, batch: Batch) -> None:
        self.running[action.ticket] = Running(action, self._clock())
        if action.copy_of:
            batch.copy(action.task, action.ticket)
            batch.task_event("task-copied", action.task, action.attempt, {})
        else:
            batch.lease(action.task, action.ticket, self._wall_ms(action.until))
            batch.task_event("task-started", action.task, action.attempt, {})

    def _plan_tasks(self, action: Planned, batch: Batch) -> None:
        for task in action.tasks:
            batch.plan(task)
        items, unit = len(action.tasks), self._plan.by_id[action.node].stage.unit
        batch.node(action.node, "running", items=items, weight=action.weight)
        facts = {"items": items, "weight": action.weight, "round": action.round, "unit": unit}
        batch.event("node-planned", action.node, payload=facts)

    def _recall(self, action: Recall, batch: Batch) -> None:
        batch.settle(action.task, "done", action.result.outputs)
        batch.task_event("memo-hit", action.task, 0, {})
        batch.touch(self.keys.pop(action.task.name))

    def _commit(self, action: Commit, batch: Batch) -> None:
        task, outputs, done = action.task, action.result.outputs, self.done.pop(action.ticket)
        ran = self._ran(action.ticket)
        cost: dict[str, Any] = {"wall_ms": done.wall_ms or ran["wall_ms"], "cpu_ms": done.cpu_ms}
        if done.log:
            self.logs[task.title] = done.log
        lines = "\n".join(done.log[:LOG_LINES])
        facts = {"outputs": outputs, "log": lines, "worker": ran["worker"], **cost}
        batch.close(task, action.ticket, "done", number=action.attempt, **facts)
        batch.remember(self.keys.pop(task.name), {**outputs, **_named(done.cards)})
        for name, card in done.cards.items():
            batch.card(task, name, card)
        kind = "chunk-done" if task.phase == "map" else "task-done"
        hashes = {name: artifact.hash for name, artifact in outputs.items()}
        batch.task_event(kind, task, action.attempt, {"outputs": hashes, **cost})

    def _retry(self, action: Retry, batch: Batch) -> None:
        batch.close(
            action.task,
            action.ticket,
            "retry",
            number=action.attempt,
            until_ms=self._wall_ms(action.at),
            **self._failed(action.ticket, action.failure),
        )
        wait_ms = round(1000 * (action.at - self._clock()))
        batch.task_event("task-retry", action.task, action.attempt, _why(action.failure, wait_ms=wait_ms))

    def _poison(self, action: Poison, batch: Batch) -> None:
        if action.ticket:
            facts = self._failed(action.ticket, action.failure)
            batch.close(action.task, action.ticket, "poisoned", number=action.attempt, **facts)
        else:
            batch.settle(action.task, "poisoned", {})
        why = _why(action.failure, traceback=action.failure.traceback)
        batch.task_event("task-failed", action.task, action.attempt, why)

    def _drop(self, action: Dropped, batch: Batch) -> None:
        if action.failure is None:
            facts = self._ran(action.ticket)
            why = {}
        else:
            facts = self._failed(action.ticket, action.failure)
            why = _why(action.failure)
        batch.attempt(action.task, action.ticket, "dropped", number=action.attempt, **facts)
        batch.task_event("task-dropped", action.task, action.attempt, why)

    def _end(self, action: Ended, batch: Batch) -> None:
        self.ended = action
        batch.job_state = action.state
        failures = [str(failure) for failure in action.failures]
        batch.event(f"job-{action.state}", payload={"failures": failures} if failures else {})

    def _failed(self, ticket: int, failure: TaskFailure) -> dict[str, Any]:
        self.done.pop(ticket, None)
        error = f"{failure.kind}: {failure.message}"
        return {**self._ran(ticket), "error": error, "log": failure.traceback}

    def _ran(self, ticket: int) -> dict[str, Any]:
        """How long a try took, which has ended by that, and where it ran."""
        run = self.running.pop(ticket, None)
        if run is None:
            return {"wall_ms": 0, "worker": ""}
        return {"wall_ms": round(1000 * (self._clock() - run.began)), "worker": run.worker}

    def _wall_ms(self, at: float) -> int:
        """A time of our clock as milliseconds since 1970."""
        return round(1000 * (time.time() + at - self._clock()))


def _why(failure: TaskFailure, **more: Any) -> dict[str, Any]:
    return {"kind": failure.kind, "category": failure.category, "error": failure.message, **more}


CARD = "card:"
"""Before the name of a card among remembered outputs."""


def _named(cards: Mapping[str, Artifact]) -> dict[str, Artifact]:
    return {f"{CARD}{name}": card for name, card in cards.items()}


def split_cards(outputs: Mapping[str, Artifact]) -> tuple[dict[str, Artifact], dict[str, Artifact]]:
    """Remembered outputs as outputs proper, and cards by name."""
    proper = {name: artifact for name, artifact in outputs.items() if not name.startswith(CARD)}
    cards = {name.removeprefix(CARD): artifact for name, artifact in outputs.items() if name.startswith(CARD)}
    return proper, cards
