"""Do again what a log tells, against any source, and measure it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from mezzfs._open import open  # noqa: A004
from mezzfs.core import Core
from mezzfs.errors import MezzError
from mezzfs.handle import Handle
from mezzfs.replay.log import Kind, Record


class WrongBytes(MezzError, ValueError):
    """A replay read other bytes than the reference has."""


@dataclass(slots=True)
class Result:
    """What a replay did.

    Attributes:
        reads, read_bytes: what was read again.
        fetched_bytes, requests: what the source had to give for that.
        seconds: wall time in reads; the pauses between them are left out.
    """

    reads: int = 0
    read_bytes: int = 0
    fetched_bytes: int = 0
    requests: int = 0
    seconds: float = 0.0

    @property
    def over_fetch(self) -> float:
        """Bytes fetched per byte read."""
        return self.fetched_bytes / self.read_bytes if self.read_bytes else 0.0

    @property
    def mb_per_s(self) -> float:
        """Megabytes (10^6) per second."""
        return self.read_bytes / 1e6 / self.seconds if self.seconds else 0.0


def run(
    records: Iterable[Record], source: str, *, reference: str | None = None, budget: int = 256 << 20
) -> Result:
    """Read again, in order, through an engine of its own.

    Args:
        records: a log.
        source: what to read from; with a `/` at its end, the recorded name is looked up below it.
        reference: a copy that is known to be right, read by other means (a local file); None leaves the bytes unchecked.
        budget: bytes of the cache.

    Raises:
        WrongBytes: the source has other bytes than the reference.
        MezzError: the source cannot be read.
    """
    core, result, handles = Core(budget=budget), Result(), dict[int, tuple[Handle, str]]()
    try:
        for record in records:
            number = record.numbers[0]
            if record.kind is Kind.OPENED:
                handles[number] = core.open(_place(source, record.name)), record.name
            elif record.kind is Kind.CLOSED and number in handles:
                handles.pop(number)[0].close()
            elif record.kind is Kind.READ and number in handles:
                _read(*handles[number], record, result, reference)
        core.settle()  # what is being read ahead counts
        result.fetched_bytes, result.requests = core.counters.fetched_bytes, core.counters.requests
    finally:
        core.close()
    return result


def _read(handle: Handle, name: str, record: Record, result: Result, reference: str | None) -> None:
    _, offset, length = record.numbers
    into = bytearray(length)
    began = time.perf_counter()
    got = handle.read_into(offset, memoryview(into))
    result.seconds += time.perf_counter() - began
    result.reads += 1
    result.read_bytes += got
    if reference is not None:
        with open(_place(reference, name)) as file:
            file.seek(offset)
            if file.read(length) != into[:got]:
                raise WrongBytes(handle.shared.name, f"the bytes from {offset} on differ from {reference}")


def _place(url: str, name: str) -> str:
    return url + name.rpartition("/")[2] if url.endswith("/") else url
