"""The timeline of a job, from its rows: as bars where they are few, added up in the database where they are many."""

from __future__ import annotations

from collections.abc import Sequence

from archer.api.dashboard import timeline
from archer.api.dashboard.timeline import MOST_BARS, SLOTS, Picture
from archer.api.dashboard.words import now_ms
from archer.store.database import Database
from archer.store.history import JobRow
from archer.store.overview import nodes_of
from archer.store.timeline import Heap, Moment, Try, heaps_of, memo_of, running_of, tries_of


def picture_of(database: Database, row: JobRow, moments: Sequence[Moment], *, whole: bool) -> Picture | None:
    """What ran when, in the last run or in all of them; None where nothing ever did."""
    nodes = [node.node for node in nodes_of(database, row.id)]
    begin = _begin(row, moments, whole=whole)
    if not nodes or not begin:
        return None
    end = max(row.ended_ms or now_ms(), begin + 1)
    slot = timeline.slot_ms(begin, end)
    tries = tries_of(database, row.id, since_ms=begin, limit=MOST_BARS + 1)
    running = running_of(database, row.id, limit=MOST_BARS)
    many = len(tries) + len(running) > MOST_BARS
    if many:
        heaps = heaps_of(database, row.id, since_ms=begin, slot_ms=slot)
        rows = timeline.heaped(nodes, [*heaps, *_heaps(running, begin, slot)], SLOTS, slot)
    else:
        rows = timeline.drawn(nodes, [*tries, *running], begin_ms=begin, end_ms=end)
    timeline.with_memo(rows, memo_of(database, row.id, since_ms=begin, slot_ms=slot), SLOTS)
    return Picture(
        begin_ms=begin,
        end_ms=end,
        rows=list(rows.values()),
        ticks=timeline.ticks(begin, end),
        heaped=many,
    )


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
