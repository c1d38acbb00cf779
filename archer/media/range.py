"""Half-open frame ranges in presentation order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class FrameRange:
    """Frames `start <= index < end`, 0-based, in presentation order.

    Raises:
        ValueError: start is negative or greater than end.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"frame range: wanted 0 <= start <= end, got [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.end))

    def __contains__(self, index: int) -> bool:
        return self.start <= index < self.end

    def grown(self, before: int, after: int, *, limit: int) -> FrameRange:
        """This range with `before` and `after` more frames, clipped to [0, limit)."""
        return FrameRange(max(0, self.start - before), min(limit, self.end + after))
