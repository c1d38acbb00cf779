"""Counts kept beside the rows that they count, in the same transaction: a summary of a million tasks reads a few rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from archer.store.batch import Batch, Row
from archer.store.schema import tallies
from archer.store.statements import Statements

LEASED = "leased"
Key = tuple[str, str, str]
"""Node, phase, state."""


def states_before(connection: Any, statements: Statements, batch: Batch) -> dict[str, str]:
    """Name -> stored state of the tasks whose state a batch changes, before it is written; without those that are new."""
    unknown = [row for rows in (batch.planned, batch.settled, batch.leased) for row in rows]
    if batch.planned:
        counted = sa.select(tallies.c.node).where(tallies.c.job == batch.job, tallies.c.counts == "task")
        nodes = {str(row.node) for row in connection.execute(counted.distinct())}
        unknown = [row for row in unknown if row["node"] in nodes]
    closed = {str(row["old_name"]) for row in batch.closed}
    names = list({row["name"]: None for row in unknown if row["name"] not in closed})
    found = dict.fromkeys(closed, LEASED)  # any other state is refused when it is written
    most = max(statements.states)
    for start in range(0, len(names), most):
        found.update(_stored(connection, statements, batch.job, names[start : start + most]))
    return found


def _stored(connection: Any, statements: Statements, job: str, names: list[str]) -> Iterator[tuple[str, str]]:
    size = next(size for size in statements.states if size >= len(names))
    padded = names + names[-1:] * (size - len(names))
    values = {"job": job, **{f"name_{place}": name for place, name in enumerate(padded)}}
    yield from ((name, state) for name, state in statements.ask(connection, statements.states[size], values))


def tally_rows(batch: Batch, before: Mapping[str, str]) -> list[Row]:
    """What a batch adds to the counts, and takes from them."""
    after = {row["name"]: row["state"] for rows in (batch.planned, batch.settled) for row in rows}
    after.update((row["old_name"], row["state"]) for row in batch.closed)
    after.update(
        (row["name"], row["state"]) for row in batch.leased
    )  # in the order in which they are written
    moved: Counter[tuple[str, str | None, str]] = Counter(
        (name[: name.index("/", name.index("/") + 1)], before.get(name), state)
        for name, state in after.items()
    )
    net: Counter[Key] = Counter()
    for (place, source, target), number in moved.items():
        node, _, phase = place.partition("/")
        net[node, phase, target] += number
        if source is not None:
            net[node, phase, source] -= number
    return [*_tasks(batch.job, net), *_tries(batch)]


def lost_rows(job: str, lost: Iterable[tuple[str, str]], tries: Iterable[tuple[str, str]]) -> list[Row]:
    """The same for leased tasks that are pending again, and for their tries, each given by node and phase."""
    moved: Counter[Key] = Counter()
    for node, phase in lost:
        moved[node, phase, LEASED] -= 1
        moved[node, phase, "pending"] += 1
    ended = Counter(tries)
    rows = [_row(job, "try", node, phase, "lost", number=number) for (node, phase), number in ended.items()]
    return [*_tasks(job, moved), *rows]


def _tasks(job: str, moved: Mapping[Key, int]) -> Iterator[Row]:
    for (node, phase, state), number in moved.items():
        if number:
            yield _row(job, "task", node, phase, state, number=number)


def _tries(batch: Batch) -> Iterator[Row]:
    sums: dict[Key, Row] = {}
    for each, weight in zip(batch.attempts, batch.weights, strict=True):
        node, phase = each["name"].split("/", 2)[:2]
        row = sums.setdefault(
            (node, phase, each["state"]), _row(batch.job, "try", node, phase, each["state"])
        )
        row["number"] += 1
        row["wall_ms"] += each["wall_ms"]
        row["cpu_ms"] += each["cpu_ms"]
        row["weight"] += weight
    yield from sums.values()


def _row(job: str, counts: str, node: str, phase: str, state: str, *, number: int = 0) -> Row:
    own = {"job": job, "counts": counts, "node": node, "phase": phase, "state": state}
    return {**own, "number": number, "wall_ms": 0, "cpu_ms": 0, "weight": 0}
