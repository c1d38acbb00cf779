"""Bytes of one object, verified: every answer is what was asked for, of the version that was asked for, or it is refused."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mezzfs.errors import BadReply, ChangedObject, ExpiredCredentials, MezzError
from mezzfs.objects import Stat
from mezzfs.stores.base import Bytes, Reply, Sealed, Store

MOST_SKIPPED = 64 << 20
"""Bytes thrown away at most to read from a server that knows no ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often to try, and how long to wait between.

    Attributes:
        attempts: tries that bring no byte, in a row, before giving up.
        first_s, most_s: the wait doubles from the first to the most; a random part of it is waited, so that a thousand
            readers of a server in trouble do not come back together.
    """

    attempts: int = 6
    first_s: float = 0.05
    most_s: float = 3.0

    def pause_s(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row (1, 2, ...)."""
        return random.uniform(0.2, 1.0) * min(self.most_s, self.first_s * (1 << (failures - 1)))  # noqa: S311


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one request brought, and when.

    Attributes:
        offset: in the object, of its first byte.
        length: bytes that came.
        first_byte_s, body_s: seconds until the answer began, and from then on.
        whole: all came that was asked for; otherwise the connection broke, or nobody wanted the rest.
    """

    offset: int
    length: int
    first_byte_s: float
    body_s: float
    whole: bool


def checked(reply: Reply, url: str, offset: int, length: int, stat: Stat) -> Iterator[Bytes]:
    """The chunks of an answer, if it is the right one: version, range, length, and checksum where there is one.

    Raises:
        ChangedObject: it is of another version.
        BadReply: it is another range, or ends early or late, or its checksum differs; bytes already yielded are right
            unless there was a checksum, and then nothing was yielded.
        Unreachable: the connection broke.
    """
    _check_head(reply, url, offset, length, stat)
    chunks = reply.chunks if reply.partial else _skipped(reply.chunks, offset, length)
    if reply.sha256 is None:
        return _exactly(chunks, url, offset, length)
    data = b"".join(map(bytes, _exactly(reply.chunks, url, 0, length if reply.partial else stat.size)))
    if hashlib.sha256(data).digest() != reply.sha256:
        raise BadReply(url, f"the bytes from {offset} on were damaged on the way: their checksum differs")
    return iter([Sealed(data if reply.partial else data[offset : offset + length])])


def _check_head(reply: Reply, url: str, offset: int, length: int, stat: Stat) -> None:
    if reply.etag is not None and stat.etag is not None and _strong(reply.etag) != _strong(stat.etag):
        raise ChangedObject(url)
    if reply.total is not None and reply.total != stat.size:
        raise ChangedObject(url)
    if reply.partial:
        if reply.first != offset:
            raise BadReply(url, f"wanted the bytes from {offset} on, got those from {reply.first} on")
        wanted = length
    else:
        wanted = stat.size
        if offset > MOST_SKIPPED:
            raise NoRanges(
                url, "the server knows no byte ranges (it answers 200), which is no use for a file that long"
            )
    if reply.length is not None and reply.length != wanted:
        raise BadReply(url, f"wanted {wanted} bytes, the server announces {reply.length}")


class NoRanges(BadReply):
    """The server knows no byte ranges; asking again does not help."""

    retryable = False


def _strong(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


def _skipped(chunks: Iterator[Bytes], offset: int, length: int) -> Iterator[Bytes]:
    at = 0
    for chunk in chunks:
        piece = chunk[max(0, offset - at) : max(0, offset + length - at)]
        at += len(chunk)
        if piece:
            yield piece
        if at >= offset + length:
            return


def _exactly(chunks: Iterator[Bytes], url: str, offset: int, length: int) -> Iterator[Bytes]:
    left = length
    for chunk in chunks:
        if len(chunk) > left:
            raise BadReply(url, f"wanted {length} bytes from {offset} on, got more")
        left -= len(chunk)
        yield chunk
    if left:
        raise BadReply(url, f"wanted {length} bytes from {offset} on, the answer ended {left} bytes early")


class Fetch:
    """One range of one object, on its way to a sink; tried again from where it stopped.

    Args:
        sink: takes (offset, bytes) in order; returns False to stop.
        alive: asked between tries and chunks; False stops the fetch, as nobody wants the bytes any more.
        room: gives memory for the bytes of (offset, at most so many), or None; the sink gets that memory back, filled.
        first: called once, when an answer has come and before its bytes; False gives way to a faster twin.
        note: told of every answer that brought bytes, when it has ended.
    """

    def __init__(
        self,
        store: Store,
        url: str,
        stat: Stat,
        *,
        sink: Callable[[int, Bytes], bool],
        alive: Callable[[], bool],
        room: Callable[[int, int], memoryview | None] = lambda *_: None,
        first: Callable[[], bool] = lambda: True,
        retries: Retries | None = None,
        note: Callable[[Measured], None] = lambda _: None,
    ) -> None:
        self._store, self._url, self._stat = store, url, stat
        self._sink, self._alive, self._first, self._note, self._room = sink, alive, first, note, room
        self._retries = retries or Retries()
        self.requests = 0

    def run(self, offset: int, length: int) -> int:
        """Fetch [offset, offset + length); returns how many bytes the sink took.

        Raises:
            MezzError: it cannot be had; the last reason.
        """
        done = failures = 0
        while done < length and self._alive():
            before = done
            try:
                for chunk in self._ask(offset + done, length - done):
                    if not self._sink(offset + done, chunk):
                        return done
                    done += len(chunk)
                    if not self._alive():
                        return done
            except _GaveWay:
                return done
            except MezzError as error:
                failures = 1 if done > before else failures + 1
                self._judge(error, failures)
        return done

    def _judge(self, error: MezzError, failures: int) -> None:
        """Wait if another try may help, else raise."""
        if not error.retryable or failures >= self._retries.attempts:
            raise error
        if isinstance(error, ExpiredCredentials):
            self._store.refresh()
        until = time.monotonic() + self._retries.pause_s(failures)
        while self._alive() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _ask(self, offset: int, length: int) -> Iterator[Bytes]:
        self.requests += 1
        began = time.perf_counter()
        reply = self._store.get(self._url, offset, length, self._stat)
        answered = time.perf_counter()
        done = 0
        try:
            if not self._first():
                raise _GaveWay
            if reply.partial and reply.sha256 is None:
                reply.landing.room = lambda: self._room(offset + done, length - done)
            for chunk in checked(reply, self._url, offset, length, self._stat):
                done += len(chunk)
                yield chunk
        finally:
            reply.close()
            body_s = time.perf_counter() - answered
            if done:
                self._note(
                    Measured(
                        offset=offset,
                        length=done,
                        first_byte_s=answered - began,
                        body_s=body_s,
                        whole=done == length,
                    )
                )


class _GaveWay(Exception):  # a twin was faster
    pass
