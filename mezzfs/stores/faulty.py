"""A store with the faults of real ones, for tests of ours and of those who build on us.

    from mezzfs.stores import register
    from mezzfs.stores.faulty import Fault, FaultyStore

    register("s3", FaultyStore(S3Store(), {Fault.RESET: 0.02, Fault.TRUNCATED: 0.02}, seed=1))

Faults happen to answers, before `mezzfs.fetch` checks them. Every answer carries a checksum, as of a server that sends
Content-Digest: without one, damaged bytes cannot be told from right ones by anybody.
"""

from __future__ import annotations

import enum
import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mezzfs.errors import ExpiredCredentials, Unreachable
from mezzfs.objects import Stat
from mezzfs.stores.base import Entry, Reply, Store, Upload


class Fault(enum.Enum):
    """What may go wrong with one request."""

    LATENCY = "the answer comes late"
    UNAVAILABLE = "HTTP 503"
    SLOW_DOWN = "HTTP 503 SlowDown"
    RESET = "the connection breaks after some bytes"
    TRUNCATED = "the answer ends early, as if it were complete"
    WRONG_RANGE = "other bytes than asked for, honestly announced"
    CORRUPTED = "one bit is flipped on the way"
    CHANGED = "the answer is of another version"
    EXPIRED = "the credentials have expired, until they are refreshed"


class FaultyStore:
    """Wraps a store; each `get` suffers at most one fault, drawn with the given probabilities.

    Args:
        inner: the store that has the objects.
        rates: probability per request of each fault; together at most 1.
        seed: of the draws; with several threads the order of requests, and so who suffers, still varies.
        late_s: length of a `LATENCY`, seconds.
        delay_s: before every answer, seconds.
        bytes_per_s: of every connection; None for no bound.
    """

    def __init__(
        self,
        inner: Store,
        rates: Mapping[Fault, float],
        *,
        seed: int = 0,
        late_s: float = 0.02,
        delay_s: float = 0.0,
        bytes_per_s: float | None = None,
    ) -> None:
        self.inner, self.rates = inner, dict(rates)
        self.late_s, self.delay_s, self.bytes_per_s = late_s, delay_s, bytes_per_s
        self.happened: Counter[Fault] = Counter()
        self.requests = self.sent_bytes = 0
        self._random, self._lock, self._expired = random.Random(seed), threading.Lock(), False  # noqa: S311

    def stat(self, url: str) -> Stat:
        """See `Store.stat`; without faults."""
        return self.inner.stat(url)

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`; with faults."""
        with self._lock:
            self.requests += 1
            fault, draw = self._draw(), self._random.random()
            expired = self._expired = self._expired or fault is Fault.EXPIRED
        time.sleep(self.delay_s)
        if expired:
            raise ExpiredCredentials(url)
        if fault is Fault.LATENCY:
            time.sleep(self.late_s)
        elif fault in (Fault.UNAVAILABLE, Fault.SLOW_DOWN):
            raise Unreachable(url, "the server cannot answer now (HTTP 503)")
        elif fault is Fault.WRONG_RANGE:
            offset = max(0, offset - 1 - int(draw * 4096)) if offset else min(1, stat.size - length)
        return self._spoiled(self.inner.get(url, offset, length, stat), fault, draw, url)

    def list(self, url: str) -> list[Entry]:
        """See `Store.list`; without faults."""
        return self.inner.list(url)

    def create(self, url: str) -> Upload:
        """See `Store.create`; without faults."""
        return self.inner.create(url)

    def refresh(self) -> None:
        """See `Store.refresh`; ends `EXPIRED`."""
        with self._lock:
            self._expired = False
        self.inner.refresh()

    def _draw(self) -> Fault | None:
        draw = self._random.random()
        for fault, rate in self.rates.items():
            if draw < rate:
                self.happened[fault] += 1
                return fault
            draw -= rate
        return None

    def _spoiled(self, reply: Reply, fault: Fault | None, draw: float, url: str) -> Reply:
        data = b"".join(map(bytes, reply.chunks))
        reply.close()
        digest = hashlib.sha256(data).digest()
        etag = '"another-version"' if fault is Fault.CHANGED else reply.etag
        cut = int(draw * len(data))
        if fault is Fault.CORRUPTED:
            data = data[:cut] + bytes([data[cut] ^ 1 << int(draw * 8)]) + data[cut + 1 :]
        if fault in (Fault.TRUNCATED, Fault.RESET):
            data = data[:cut]
        chunks = self._sent(data, url, broken=fault is Fault.RESET)
        length = None if fault is Fault.TRUNCATED else reply.length
        return replace(reply, chunks=chunks, etag=etag, length=length, sha256=digest)

    def _sent(self, data: bytes, url: str, *, broken: bool) -> Iterator[bytes]:
        step = 64 << 10
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            if self.bytes_per_s:
                time.sleep(len(piece) / self.bytes_per_s)
            self.sent_bytes += len(piece)
            yield piece
        if broken:
            raise Unreachable(url, "the connection broke")
