"""What to read ahead: a pure state machine per open file; reads in, byte ranges to fetch out.

A file is read by several streams at once (video and audio of a mov, its head and its index). Each read either goes on
where a stream stands or starts a new one. A new stream reads nothing ahead: the first read of a place says nothing of
the next. A stream that goes on is dense, and reads ahead in proportion to what it has read: half of it at first, so
that a reader who stops early has paid at most 1.5 bytes per byte, twice of it after `STEADY`. So sparse readers never
pay, and dense ones are at full depth after a few round trips. Depth is for those who wait: a reader that finds everything
ready (a decoder, slower than the store) is not read further ahead than that takes. How long a reader thinks between two
reads tells how many bytes it can take while one request is on its way: a decoder gets those ahead, and not a window that
only a copier could use.

Netflix's MezzFS chose its buffer by the same evidence
(mean read by mean cluster of a window of reads), but on a miss; this acts before one.

Hints are better than evidence: inside a hinted range everything up to its end is read ahead, and nothing beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MIB = 1 << 20
STEADY = 48 * MIB
"""Bytes a stream must have read to be read ahead by twice of that."""
HEAD = 128 << 10
"""Bytes read at once at the start of a file: every format keeps its header there."""
MOST_STREAMS = 8
PAGE = 4096
FIRST_REACH = 2 * MIB
"""Bytes ahead of a stream at most, until it has had to wait with so much fetched ahead; then twice as many, and so on.
An eighth of what it has read is allowed in any case: long streams should cost few requests."""
MARGIN = 1.5
"""So much more than a reader takes in the time of one request is read ahead of it: neither is steady."""
RECENT = 16 * MIB
"""Bytes that the pace of a reader is measured on, more or less."""
MOST_THOUGHT_S = 0.25
"""A longer pause is no work, and says nothing of the pace."""
NEAR = 256 << 10
"""A stream may skip so many bytes (but not more than it has read) and still go on."""


class Span(NamedTuple):
    """A byte range of a file."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How far to read ahead at most.

    Attributes:
        window: bytes ahead of a stream.
        piece: bytes of one request; a window is refilled in such steps.
        delay_s: from asking for a piece until all of it is there, seconds.
    """

    window: int = 64 * MIB
    piece: int = 4 * MIB
    delay_s: float = 0.0


@dataclass(slots=True)
class Stream:
    """One place where a file is being read."""

    start: int
    position: int
    frontier: int
    used: int
    last: int = 0
    length: int = 0
    reach: int = FIRST_REACH
    taken: float = 0.0
    thought_s: float = 0.0

    def goes_on_at(self, offset: int) -> bool:
        """True if a read there belongs to this stream."""
        return self.position - NEAR <= offset <= max(self.position + min(NEAR, self.used), self.frontier)

    def read(self, offset: int, length: int, thought_s: float) -> None:
        """Note a read that belongs here."""
        end = offset + length
        self.thought_s += min(thought_s, MOST_THOUGHT_S)
        if end > self.position:
            self.used += end - max(offset, self.position)
            self.taken += end - max(offset, self.position)
            self.position = end
        if self.taken > RECENT:
            self.taken, self.thought_s = self.taken / 2, self.thought_s / 2
        self.frontier = max(self.frontier, self.position)

    def ends_at(self, offset: int, length: int) -> bool:
        """True for the rest of a long read that the kernel cut, as the reader's memory was not aligned: no new evidence."""
        return offset == self.position and length < PAGE and self.length >= 32 * PAGE

    def grow(self, depth: Depth) -> None:
        """The reader had to wait: read further ahead, if it was not for lack of evidence."""
        if self._earned() >= self.reach:
            self.reach = min(depth.window, 2 * self.reach)

    def window(self, depth: Depth) -> int:
        """Bytes to have ready beyond the position."""
        return min(depth.window, max(min(self.reach, self._takes(depth)), self.used // 8), self._earned())

    def _takes(self, depth: Depth) -> int:
        """Bytes that the reader takes while a request is on its way, and one request more."""
        if self.thought_s <= 0 or depth.delay_s <= 0:
            return depth.window
        return MIB + int(min(depth.window, MARGIN * depth.delay_s * self.taken / self.thought_s))

    def _earned(self) -> int:
        """Bytes ahead that what was read speaks for."""
        if self.used * 2 < self.position - self.start:
            return 0  # it skips more than it reads
        return int(self.used * min(2.0, 0.5 + 1.5 * self.used / STEADY))


@dataclass(slots=True)
class Policy:
    """The state of one open file of `size` bytes."""

    size: int
    hints: tuple[Span, ...] = ()
    streams: list[Stream] = field(default_factory=list)
    clock: int = 0
    ahead: dict[int, int] = field(default_factory=dict)

    def hint(self, ranges: Sequence[tuple[int, int]], depth: Depth) -> list[Span]:
        """Take the half-open ranges that will be read, in order; returns what to fetch now."""
        spans = (Span(first, min(end, self.size) - first) for first, end in ranges if first >= 0)
        self.hints = tuple(span for span in spans if span.length > 0)
        self.ahead.clear()
        return self._hinted(0, self.hints[0].offset, depth) if self.hints else []

    def on_read(
        self, offset: int, length: int, depth: Depth, *, waited: bool, thought_s: float = 0.0
    ) -> list[Span]:
        """Note a read; returns what to fetch beyond it, nearest first.

        Args:
            offset, length: of the read.
            depth: how far to read ahead at most.
            waited: whether some of its bytes were not there yet.
            thought_s: how long the reader asked for nothing before, seconds; 0 where that is not known.
        """
        self.clock += 1
        for index, span in enumerate(self.hints):
            if span.offset <= offset < span.end:
                return self._hinted(index, offset + length, depth)
        stream = next((one for one in self.streams if one.goes_on_at(offset)), None)
        if stream is None:
            return self._new(offset, length)
        stream.last = self.clock
        if stream.ends_at(offset, length):
            stream.read(offset, length, thought_s)
            return []
        if waited:
            stream.grow(depth)
        stream.length = length
        stream.read(offset, length, thought_s)
        return self._refill(stream, depth)

    def fell_short(self, wanted: int, got: int) -> None:
        """Take in that a range up to `wanted` was fetched only up to `got`: there was no room."""
        for stream in self.streams:
            if stream.frontier == wanted:
                stream.frontier = max(stream.position, got)
        self.ahead = {number: got if end == wanted else end for number, end in self.ahead.items()}

    def _new(self, offset: int, length: int) -> list[Span]:
        if len(self.streams) == MOST_STREAMS:
            self.streams.remove(min(self.streams, key=lambda one: one.last))
        end = offset + length
        stream = Stream(offset, end, end, length, self.clock, length)
        self.streams.append(stream)
        if offset == 0 and end < HEAD and self.clock == 1:
            stream.frontier = min(HEAD, self.size)
            return self._spans(end, stream.frontier)
        return []

    def _refill(self, stream: Stream, depth: Depth) -> list[Span]:
        window = stream.window(depth)
        target = min(stream.position + window, self.size)
        missing = target - stream.frontier
        if missing <= 0 or (missing < min(depth.piece, window // 3) and target < self.size):
            return []
        found = self._spans(stream.frontier, target)
        stream.frontier = target
        return found

    def _hinted(self, index: int, position: int, depth: Depth) -> list[Span]:
        found: list[Span] = []
        left = depth.window
        for number, span in enumerate(self.hints[index:], index):
            start = max(position, span.offset) if number == index else span.offset
            target = min(span.end, start + left)
            begun = max(self.ahead.get(number, start), start)
            left -= max(0, target - start)
            if target > begun and (target == span.end or target - begun >= depth.piece // 2):
                found += self._spans(begun, target)
                self.ahead[number] = target
            if left <= 0:
                break
        return found

    def _spans(self, start: int, end: int) -> list[Span]:
        return [Span(start, end - start)] if end > start else []
