"""When what ran, as a picture: a row per node or worker, a bar per try while there are few, else how many ran at once; pure.

Places and widths are in percent of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from archer.store.timeline import Heap, Try

MOST_BARS = 600
"""Tries of a job that are drawn as bars of their own."""
MOST_LANES = 12
SLOTS = 200
LEVELS = 36
"""Heights that can be told apart."""
LEAST_PCT = 0.35
"""Narrowest bar: three pixels of a wide screen."""
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
WORST = ("poisoned", "lost", "retry", "cancelled", "dropped", "leased", "done", "memo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One try: where it lies, and in which lane."""

    name: str
    state: str
    number: int
    left: float
    width: float
    lane: int
    began_ms: int
    ended_ms: int
    error: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What ran of a node in some slots: how many at once on average, as a share of the most of all slots, how the worst ended."""

    left: float
    width: float
    number: float
    share: float
    state: str


@dataclass(slots=True, kw_only=True)
class Row:
    """One node, or one worker. Either `bars` in `lanes`, or `cells`; `memo`: slots with results that were known: left, number."""

    node: str
    bars: list[Bar] = field(default_factory=list)
    lanes: int = 1
    cells: list[Cell] = field(default_factory=list)
    memo: list[tuple[float, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All rows between two moments, and marks of the axis: (percent, seconds since the beginning)."""

    begin_ms: int
    end_ms: int
    rows: Sequence[Row]
    ticks: Sequence[tuple[float, float]]
    heaped: bool


def drawn(nodes: Sequence[str], tries: Sequence[Try], *, begin_ms: int, end_ms: int) -> dict[str, Row]:
    """Rows with a bar per try."""
    rows = {node: Row(node=node) for node in nodes}
    free: dict[str, list[int]] = {node: [] for node in nodes}
    span = max(end_ms - begin_ms, 1)
    for each in sorted(tries, key=lambda each: (each.began_ms, each.name)):
        if each.node not in rows:
            continue
        began = max(each.began_ms or begin_ms, begin_ms)
        ended = min(max(each.ended_ms or end_ms, began), max(end_ms, began))
        left = 100 * (began - begin_ms) / span
        width = max(100 * (ended - began) / span, LEAST_PCT)
        lane = _lane(free[each.node], began, ended)
        rows[each.node].lanes = max(rows[each.node].lanes, lane + 1)
        rows[each.node].bars.append(
            Bar(
                name=each.name,
                state=each.state,
                number=each.number,
                left=round(min(left, 100 - width), 3),
                width=round(width, 3),
                lane=lane,
                began_ms=began,
                ended_ms=each.ended_ms,
                error=each.error,
                worker=each.worker,
            )
        )
    return rows


def heaped(nodes: Sequence[str], heaps: Sequence[Heap], slots: int, slot_ms: int) -> dict[str, Row]:
    """Rows with how many tries ran at once in each slot of `slot_ms`, on average; a bad end marks its slot."""
    numbers = {node: [0.0] * (slots + 1) for node in nodes}
    worst: dict[str, list[str]] = {node: [""] * slots for node in nodes}
    for heap in heaps:
        if heap.node not in numbers or heap.first >= slots:
            continue
        first, last = max(heap.first, 0), min(max(heap.last, heap.first), slots - 1)
        level = heap.wall_ms / slot_ms / (last - first + 1)
        numbers[heap.node][first] += level
        numbers[heap.node][last + 1] -= level
        _mark(worst[heap.node], heap.state, first, last)
    return {node: Row(node=node, cells=_cells(numbers[node], worst[node])) for node in nodes}


def with_memo(rows: Mapping[str, Row], memo: Sequence[Heap], slots: int) -> None:
    """Add the results that were known."""
    for heap in memo:
        if heap.node in rows:
            left = 100 * min(max(heap.first, 0) + 0.5, slots) / slots
            rows[heap.node].memo.append((round(left, 3), heap.number))


def ticks(begin_ms: int, end_ms: int, most: int = 6) -> list[tuple[float, float]]:
    """Marks at round times."""
    span_s = max(end_ms - begin_ms, 1) / 1000
    step = next((each for each in STEPS_S if span_s / each <= most), 86400 * (1 + span_s // (86400 * most)))
    found = []
    place = 0.0
    while place <= span_s * 0.97:
        found.append((round(100 * place / span_s, 3), round(place, 3)))
        place += step
    return found


def slot_ms(begin_ms: int, end_ms: int, slots: int = SLOTS) -> int:
    """Length of a slot, so that all fit."""
    return max(1, -(-(end_ms - begin_ms + 1) // slots))


def _mark(states: list[str], state: str, first: int, last: int) -> None:
    """Note that something ran in some slots; a bad end counts where it came."""
    fine = state if state in ("done", "leased") else "done"
    for slot in range(first, last + 1):
        states[slot] = _worse(states[slot], state if slot == last else fine)


def _worse(one: str, other: str) -> str:
    return other if not one or WORST.index(other) < WORST.index(one) else one


def _lane(free: list[int], began: int, ended: int) -> int:
    """The first lane that is free, or the one that is free first where there are too many."""
    for lane, until in enumerate(free):
        if until <= began:
            free[lane] = ended
            return lane
    if len(free) < MOST_LANES:
        free.append(ended)
        return len(free) - 1
    lane = free.index(min(free))
    free[lane] = max(free[lane], ended)
    return lane


def _cells(changes: Sequence[float], states: Sequence[str]) -> list[Cell]:
    """Slots in which something ran; neighbours that are alike are one."""
    slots = len(states)
    levels = list(accumulate(changes[:slots]))
    most = max(levels, default=0.0)
    levels = [round(LEVELS * level / most) / LEVELS * most if most > 0 else 0.0 for level in levels]
    found: list[Cell] = []
    start = 0
    for slot in range(1, slots + 1):
        if slot < slots and (levels[slot], states[slot]) == (levels[start], states[start]):
            continue
        if levels[start] > 0:
            place, width = 100 * start / slots, 100 * (slot - start) / slots
            found.append(
                Cell(
                    left=round(place, 3),
                    width=round(width, 3),
                    number=round(levels[start], 1),
                    share=round(levels[start] / most, 3),
                    state=states[start],
                )
            )
        start = slot
    return found
