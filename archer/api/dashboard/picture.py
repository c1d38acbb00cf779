"""The timeline of a job, from its rows: as bars where they are few, added up in the database where they are many.

Its rows are the job's nodes, or the workers that ran it; those of one machine are one row where there are many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from archer.api.dashboard import timeline
from archer.api.dashboard.timeline import MOST_BARS, SLOTS, Picture
from archer.api.dashboard.words import now_ms
from archer.store.database import Database
from archer.store.history import JobRow
from archer.store.overview import nodes_of
from archer.store.timeline import Heap, Moment, Try, heaps_of, memo_of, running_of, tries_of

Rows = Literal["stages", "workers"]
Drawn = TypeVar("Drawn", Try, Heap)
MOST_WORKERS = 24
"""Rows of workers; where there are more, each row is a machine."""
UNKNOWN = "not known"


def picture_of(
    database: Database, row: JobRow, moments: Sequence[Moment], *, whole: bool, by: Rows = "stages"
) -> Picture | None:
    """What ran when and where, in the last run or in all of them; None where nothing ever did."""
    nodes = [node.node for node in nodes_of(database, row.id)]
    begin = _begin(row, moments, whole=whole)
    if not nodes or not begin:
        return None
    end = max(row.ended_ms or now_ms(), begin + 1)
    slot = timeline.slot_ms(begin, end)
    tries = tries_of(database, row.id, since_ms=begin, limit=MOST_BARS + 1)
    running = running_of(database, row.id, limit=MOST_BARS)
    many, workers = len(tries) + len(running) > MOST_BARS, by == "workers"
    bars = [replace(each, node=each.worker) for each in (*tries, *running)] if workers else [*tries, *running]
    if many:
        heaps = heaps_of(database, row.id, since_ms=begin, slot_ms=slot, by_worker=workers)
        heaps = [*heaps, *_heaps(bars[len(tries) :], begin, slot)]
        names, heaps = _named(heaps) if workers else (nodes, heaps)
        rows = timeline.heaped(names, heaps, SLOTS, slot)
    else:
        names, bars = _named(bars) if workers else (nodes, bars)
        rows = timeline.drawn(names, bars, begin_ms=begin, end_ms=end)
    if not workers:  # what was known already ran nowhere
        timeline.with_memo(rows, memo_of(database, row.id, since_ms=begin, slot_ms=slot), SLOTS)
    return Picture(
        begin_ms=begin,
        end_ms=end,
        rows=list(rows.values()),
        ticks=timeline.ticks(begin, end),
        heaped=many,
    )


def _named(drawn: Iterable[Drawn]) -> tuple[list[str], list[Drawn]]:
    """Rows of workers, or of machines where those are too many, and what belongs to them."""
    found = list(drawn)
    workers = {each.node for each in found}
    if len(workers) > MOST_WORKERS:
        found = [replace(each, node=each.node.rpartition("/")[0] or each.node) for each in found]
    found = [replace(each, node=each.node or UNKNOWN) for each in found]
    return sorted({each.node for each in found}), found


def _begin(row: JobRow, moments: Sequence[Moment], *, whole: bool) -> int:
    """When the run began that is shown; 0 where none did."""
    if whole or row.runs < 2:
        return row.begun_ms
    starts = [moment.at_ms for moment in moments if moment.type == "job-started"]
    return starts[-1] if starts else row.begun_ms


def _heaps(running: Sequence[Try], begin: int, slot: int) -> list[Heap]:
    found = []
    for each in running:
        first = max(0, (each.began_ms - begin) // slot) if each.began_ms else 0
        wall_ms = slot * (SLOTS - first)
        found.append(
            Heap(node=each.node, state=each.state, first=first, last=SLOTS - 1, number=1, wall_ms=wall_ms)
        )
    return found
