"""How fast a store answers, and what follows from it: how many requests at once, and of which size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from mezzfs.policy import MIB, Depth

WANTED_RATE = 1.4e9
"""Bytes per second that all connections together should reach; more than that no reader here can take."""
MOST_CONNECTIONS = 16
FAR_S = 0.012
"""First bytes that take longer come over a network, where connections in parallel are worth their overhead (a request
through boto3 on a busy machine takes up to 8 ms by itself)."""


@dataclass(slots=True)
class Pace:
    """What was measured of one store; unknown stores are taken for near ones.

    Attributes:
        first_byte_s: best recent time to the first byte, seconds; a mean would call a store far when this machine is busy.
        rate: best recent rate of one connection after its first byte, bytes per second.
        requests: how many were measured.
        split: whether what a reader waits for may be asked for in several requests at once, where that is faster.
    """

    first_byte_s: float = 0.0
    rate: float = 0.0
    requests: int = 0
    split: bool = True

    def measured(self, first_byte_s: float, body_s: float, length: int) -> None:
        """Take in one request."""
        self.requests += 1
        known = self.first_byte_s * 1.01 if self.requests > 1 else first_byte_s
        self.first_byte_s = min(known, first_byte_s)
        if length >= MIB and body_s > 0:  # shorter ones come out of buffers on the way
            self.rate = max(self.rate * 0.9, length / body_s)

    @property
    def far(self) -> bool:
        """True where requests should be split over connections."""
        return self.first_byte_s > FAR_S

    @property
    def connections(self) -> int:
        """Requests at once for reading ahead."""
        if not self.far:
            return 3
        if not self.rate:
            return MOST_CONNECTIONS
        return max(4, min(MOST_CONNECTIONS, math.ceil(WANTED_RATE / self.rate)))

    def depth(self, budget: int) -> Depth:
        """How far to read ahead, in a cache of `budget` bytes."""
        return _depth(self.far, budget, round(self.delay_s, 2))

    @property
    def delay_s(self) -> float:
        """From asking for 1 MiB until it is there, seconds."""
        return self.first_byte_s + (MIB / self.rate if self.rate else 0.0)

    def piece(self, length: int, *, urgent: bool) -> int:
        """Bytes of one request, where `length` bytes are wanted at once."""
        if not self.far:
            return 16 * MIB
        if urgent:
            return length if length < 512 << 10 or not self.split else max(256 << 10, length // 4)
        wanted = 4 * MIB if length >= 4 * MIB else MIB
        return math.ceil(
            length / max(1, round(length / wanted))
        )  # no short rest: it would cost a request as well

    @property
    def late_s(self) -> float:
        """When a request without a first byte is late enough to ask a second time, seconds."""
        return max(0.25, 6 * self.first_byte_s)


def place_of(url: str) -> str:
    """The store of a URL: its scheme and host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@cache
def _depth(far: bool, budget: int, delay_s: float) -> Depth:  # noqa: FBT001
    window, piece = (64 * MIB, 4 * MIB) if far else (48 * MIB, 16 * MIB)
    return Depth(window=max(MIB, min(window, budget // 4)), piece=piece, delay_s=max(0.01, delay_s))
