"""Changes to the job store that become durable together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archer.artifact import Artifact
from archer.events import Event
from archer.task import Task
from archer.wire import outputs_to_json

Row = dict[str, Any]
WORKER = 100
"""Characters of the name of a worker."""
NOTHING = "\N{SYMBOL FOR NULL}"
"""For characters of value 0, which tools may write and PostgreSQL has no place for."""


class Batch:
    """Rows of one transaction, collected by what the scheduler asked for; knows no SQL.

    Args:
        job: the job they belong to.
        now_ms: milliseconds since 1970.

    Attributes:
        told: number of events. events: in order, with their places, once the transaction has given them.
        weights: of the tasks of `attempts`, in the same order.
    """

    def __init__(self, job: str, now_ms: int) -> None:
        self.job, self.now_ms = job, now_ms
        self.planned: list[Row] = []
        self.settled: list[Row] = []
        self.closed: list[Row] = []
        self.leased: list[Row] = []
        self.copied: list[Row] = []
        self.touched: list[Row] = []
        self.cards: list[Row] = []
        self.renewed: list[Row] = []
        self.placed: list[Row] = []
        self.attempts: list[Row] = []
        self.weights: list[int] = []
        self.remembered: list[Row] = []
        self.nodes: list[Row] = []
        self.events: list[Event] = []
        self._told: list[tuple[str, str, str, int, Mapping[str, Any]]] = []
        self.job_state = ""

    @property
    def empty(self) -> bool:
        """True where there is nothing to write."""
        rows = self.planned or self.settled or self.closed or self.leased or self.renewed or self.nodes
        return not (
            rows
            or self.attempts
            or self.copied
            or self.placed
            or self.touched
            or self.cards
            or self._told
            or self.job_state
        )

    @property
    def told(self) -> int:
        """How many events there are."""
        return len(self._told)

    def number(self, first: int) -> None:
        """Give the events their places, from `first` on."""
        self.events = [
            Event(seq=seq, job=self.job, type=kind, node=node, item=item, attempt=attempt, payload=payload)
            for seq, (kind, node, item, attempt, payload) in enumerate(self._told, first)
        ]

    @property
    def event_rows(self) -> list[Row]:
        """The events as rows, once they have their places."""
        return [
            {
                "seq": event.seq,
                "at_ms": self.now_ms,
                "job": event.job,
                "type": event.type,
                "node": event.node,
                "item": event.item,
                "attempt": event.attempt,
                "payload": json.dumps(dict(event.payload), ensure_ascii=False),
            }
            for event in self.events
        ]

    def event(
        self,
        kind: str,
        node: str = "",
        item: str = "",
        attempt: int = 0,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event."""
        self._told.append((kind, node, item, attempt, payload or {}))

    def clear_events(self) -> None:
        """Tell nothing after all."""
        self._told.clear()

    def task_event(self, kind: str, task: Task, attempt: int, payload: Mapping[str, Any]) -> None:
        """Add an event about a task."""
        facts = {"phase": task.phase, "weight": task.item.weight, **payload}
        self.event(kind, task.node, task.label, attempt, facts)

    def plan(self, task: Task) -> None:
        """A task is pending."""
        self.planned.append(self._row(task, "pending"))

    def settle(self, task: Task, state: str, outputs: Mapping[str, Artifact]) -> None:
        """A task ended without a lease: its result was known, or it was refused."""
        self.settled.append(self._row(task, state, outputs=outputs))

    def lease(self, task: Task, token: int, until_ms: int) -> None:
        """A task was given to a worker."""
        self.leased.append(self._row(task, "leased", token=token, until_ms=until_ms))

    def copy(self, task: Task, token: int) -> None:
        """A task that a worker has was given to a second one."""
        self.copied.append({"old_job": self.job, "old_name": task.name, "old_token": token})

    def place(self, task: Task, token: int, worker: str) -> None:
        """It is known where a try runs."""
        self.placed.append(
            {"old_job": self.job, "old_name": task.name, "old_token": token, "worker": worker[:WORKER]}
        )

    def renew(self, task: Task, token: int, until_ms: int) -> None:
        """A lease runs longer."""
        self.renewed.append(
            {"old_job": self.job, "old_name": task.name, "old_token": token, "until_ms": until_ms}
        )

    def close(
        self,
        task: Task,
        token: int,
        state: str,
        *,
        number: int,
        outputs: Mapping[str, Artifact] | None = None,
        until_ms: int = 0,
        wall_ms: int = 0,
        cpu_ms: int = 0,
        error: str = "",
        log: str = "",
        worker: str = "",
    ) -> None:
        """A try ended: `done`, `retry` (due at `until_ms`), `poisoned` or `cancelled`. Fenced by its token.

        A lease of this same batch was never anybody's: its row then says how it ended, and needs no fence.
        """
        key = {"old_job": self.job, "old_name": task.name, "old_token": token}
        own = next((row for row in self.leased if row["token"] == token), None)
        if own is None:
            self.closed.append({**key, "state": state, "until_ms": until_ms, "outputs": _text(outputs or {})})
        else:
            own.update(state=state, until_ms=until_ms)
        facts: Row = {"wall_ms": wall_ms, "cpu_ms": cpu_ms, "error": error, "log": log, "worker": worker}
        self.attempt(task, token, state, number=number, **facts)

    def attempt(
        self,
        task: Task,
        token: int,
        state: str,
        *,
        number: int,
        wall_ms: int = 0,
        cpu_ms: int = 0,
        error: str = "",
        log: str = "",
        worker: str = "",
    ) -> None:
        """A try ended, whatever that means for its task: `dropped` where another try goes on or has won."""
        self.weights.append(task.item.weight)
        self.attempts.append(
            {
                "token": token,
                "job": self.job,
                "name": task.name,
                "number": number,
                "state": state,
                "ended_ms": self.now_ms,
                "wall_ms": wall_ms,
                "cpu_ms": cpu_ms,
                "error": error.replace("\0", NOTHING),
                "log": log.replace("\0", NOTHING),
                "worker": worker[:WORKER],
            }
        )

    def remember(self, key: str, outputs: Mapping[str, Artifact]) -> None:
        """Equal work need not be done again."""
        self.remembered.append({"key": key, "outputs": _text(outputs), "used_ms": self.now_ms})

    def touch(self, key: str) -> None:
        """A remembered result was of use again."""
        self.touched.append({"old_key": key, "used_ms": self.now_ms})

    def card(self, task: Task, name: str, card: Artifact) -> None:
        """A task shows something of itself."""
        self.cards.append(
            {"job": self.job, "task": task.name, "name": name, "artifact": json.dumps(card.to_json())}
        )

    def node(
        self,
        node: str,
        state: str,
        *,
        items: int = 0,
        weight: int = 0,
        outputs: Mapping[str, Artifact] | None = None,
    ) -> None:
        """A node got items, or its outputs."""
        more = {"more_items": items, "more_weight": weight, "outputs": _text(outputs or {})}
        self.nodes.append({"old_job": self.job, "old_node": node, "state": state, **more})

    def _row(
        self,
        task: Task,
        state: str,
        *,
        token: int = 0,
        until_ms: int = 0,
        outputs: Mapping[str, Artifact] | None = None,
    ) -> Row:
        return {
            "job": self.job,
            "name": task.name,
            "node": task.node,
            "phase": task.phase,
            "label": task.label,
            "weight": task.item.weight,
            "state": state,
            "token": token,
            "until_ms": until_ms,
            "outputs": _text(outputs or {}),
            "worker": "",
        }


def _text(outputs: Mapping[str, Artifact]) -> str:
    return _encoded(tuple(outputs.items())) if outputs else "{}"


@lru_cache(maxsize=8)
def _encoded(outputs: tuple[tuple[str, Artifact], ...]) -> str:
    """A task's row and what is remembered of it mostly say the same."""
    return json.dumps(outputs_to_json(dict(outputs)), sort_keys=True)
