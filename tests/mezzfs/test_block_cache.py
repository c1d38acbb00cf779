"""The cache gives back what was put in, loads no block twice, evicts in order, and never grows."""

from __future__ import annotations

import errno
import functools
import random
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from cinemill_native._mount import BLOCK, MOST_READ, BlockCache

MIB = 1 << 20


@functools.cache
def content(file: int, size: int) -> bytes:
    return random.Random(file).randbytes(size)


def load(cache: BlockCache, file: int, data: bytes, offset: int = 0, length: int | None = None) -> None:
    runs, complete = cache.claim(file, len(data), offset, length or len(data), spare=False, wait_s=0)
    assert complete
    for start, count in runs:
        assert cache.fill(file, len(data), start, data[start : start + count])


def test_what_is_filled_is_read() -> None:
    cache, data = BlockCache(4 * MIB), content(1, 3 * BLOCK + 100)
    load(cache, 1, data)
    into = bytearray(len(data) + 50)
    assert cache.read(1, len(data), 0, into) == len(data)
    assert into[: len(data)] == data
    assert cache.read(1, len(data), len(data), into) == 0


def test_what_is_written_into_its_room_is_not_copied() -> None:
    cache, data = BlockCache(4 * MIB), content(2, 40 * BLOCK)
    size = len(data)
    assert cache.room(1, size, 0, size, 1) is None  # not claimed
    cache.claim(1, size, 0, size, spare=False, wait_s=0)
    done = 0
    while done < size:
        view = cache.room(1, size, done, min(100_000, size - done), 1)
        assert view is not None
        assert 0 < len(view) <= 100_000
        view[:] = data[done : done + len(view)]
        assert cache.room(1, size, done + BLOCK + 1, 1, 1) is None  # not where the last fill ended
        assert cache.fill(1, size, done, view[: len(view)])
        done += len(view)
    assert cache.get(1, size, 0, MOST_READ) == data[:MOST_READ]
    assert cache.get(1, size, size - 5, 50) == data[-5:]
    assert cache.get(1, size, size, 50) == b""
    assert cache.room(1, size, 0, size, 1) is None  # it is ready now


@pytest.mark.parametrize("length", [100_000, 1, 31, 33, 32767])
def test_bytes_whose_source_gave_a_checksum_are_checked_at_every_read(length: int) -> None:
    cache, data = BlockCache(4 * MIB), random.Random(length).randbytes(length)
    for sealed in (True, False):
        cache.claim(int(sealed), length, 0, length, spare=False, wait_s=0)
        room = cache.room(int(sealed), length, 0, length, 0)
        assert room is not None
        room[:] = data[: len(room)]
        assert cache.fill(int(sealed), length, 0, data, sealed)
        assert cache.get(int(sealed), length, 0, length) == data[: 1 << 20]
        room[len(room) // 2] ^= 16  # as memory that fails
        found = cache.get(int(sealed), length, 0, length)
        assert found is None if sealed else found is not None
    runs, _ = cache.claim(1, length, 0, length, spare=False, wait_s=0)
    assert sum(count for _, count in runs) == min(length, 32768), "the damaged block is fetched again"


def test_room_is_one_piece_or_not_worth_it() -> None:
    cache, size = BlockCache(4 * MIB), 4 * BLOCK
    cache.claim(1, size, BLOCK, BLOCK, spare=False, wait_s=0)
    cache.claim(1, size, 3 * BLOCK, BLOCK, spare=False, wait_s=0)
    view = cache.room(1, size, BLOCK, size, BLOCK)
    assert view is not None
    assert len(view) == BLOCK
    assert cache.room(1, size, BLOCK, size, BLOCK + 1) is None
    assert cache.get(1, size, 0, BLOCK) is None


def test_a_block_is_claimed_once() -> None:
    cache, size = BlockCache(4 * MIB), 10 * BLOCK
    assert cache.claim(1, size, BLOCK + 5, 10, spare=False, wait_s=0) == ([(BLOCK, BLOCK)], True)
    assert cache.claim(1, size, 0, size, spare=False, wait_s=0) == (
        [(0, BLOCK), (2 * BLOCK, 8 * BLOCK)],
        True,
    )
    assert cache.claim(1, size, 0, size, spare=False, wait_s=0) == ([], True)


def test_the_last_block_is_as_long_as_the_file_needs() -> None:
    assert BlockCache(4 * MIB).claim(1, BLOCK + 7, 0, BLOCK + 7, spare=False, wait_s=0) == (
        [(0, BLOCK + 7)],
        True,
    )


def test_bytes_that_were_not_claimed_are_refused() -> None:
    cache = BlockCache(4 * MIB)
    assert not cache.fill(1, BLOCK, 0, bytes(BLOCK))
    cache.claim(1, BLOCK, 0, BLOCK, spare=False, wait_s=0)
    assert not cache.fill(1, BLOCK, 100, bytes(10)), "out of order"
    assert not cache.fill(1, BLOCK, 0, bytes(BLOCK + 1)), "beyond the end"
    assert cache.fill(1, BLOCK, 0, bytes(100))
    assert cache.read(1, BLOCK, 0, bytearray(10)) == -1, "not whole yet"
    assert cache.fill(1, BLOCK, 100, bytes(BLOCK - 100))
    assert not cache.fill(1, BLOCK, 0, bytes(10)), "already whole"


def test_the_least_recently_used_block_goes_first() -> None:
    cache, data = BlockCache(4 * MIB), content(1, 4 * MIB)
    load(cache, 1, data)
    cache.read(1, len(data), 0, bytearray(1))  # block 0 is fresh now
    load(cache, 2, data[:BLOCK])
    assert cache.has(1, len(data), 0, BLOCK)
    assert not cache.has(1, len(data), BLOCK, BLOCK)
    assert cache.stats()["wasted_bytes"] == BLOCK


def test_read_ahead_leaves_room_for_readers() -> None:
    cache, size = BlockCache(4 * MIB), 64 * MIB
    runs, complete = cache.claim(1, size, 0, size, spare=True, wait_s=0)
    assert not complete
    assert sum(length for _, length in runs) == 3 * MIB
    runs, complete = cache.claim(1, size, 32 * MIB, MIB, spare=False, wait_s=0)
    assert (sum(length for _, length in runs), complete) == (MIB, True)


def test_a_reader_waits_until_its_blocks_are_there() -> None:
    cache, data = BlockCache(4 * MIB), content(3, 2 * BLOCK)
    cache.claim(3, len(data), 0, len(data), spare=False, wait_s=0)
    ticket = cache.enter(3, len(data), 10, 2 * BLOCK - 20)
    assert ticket.wait(0.01) == errno.ETIMEDOUT
    threading.Timer(0.05, cache.fill, (3, len(data), 0, data)).start()
    assert ticket.wait(5) == 0
    into = bytearray(2 * BLOCK - 20)
    assert ticket.collect(into) == len(into)
    assert into == data[10:-10]
    with pytest.raises(ValueError, match="spent"):
        ticket.collect(into)


def test_a_failed_fetch_reaches_who_waits_for_it_and_nobody_else() -> None:
    cache, size = BlockCache(4 * MIB), 4 * BLOCK
    cache.claim(1, size, 0, size, spare=False, wait_s=0)
    first, last = cache.enter(1, size, 0, 10), cache.enter(1, size, 3 * BLOCK, 10)
    cache.fail(1, 0, BLOCK, errno.EIO)
    assert (first.wait(0.01), last.wait(0.01)) == (errno.EIO, errno.ETIMEDOUT)
    assert cache.claim(1, size, 0, BLOCK, spare=False, wait_s=0) == ([(0, BLOCK)], True), (
        "it may be tried again"
    )


def test_blocks_that_a_reader_waits_for_stay() -> None:
    cache, data = BlockCache(4 * MIB), content(1, MIB)
    ticket = cache.enter(1, len(data), 0, MIB)
    load(cache, 1, data)
    other = content(2, 8 * MIB)
    for at in range(0, len(other), MIB):
        load(cache, 2, other, at, MIB)
    assert ticket.wait(0) == 0
    into = bytearray(MIB)
    ticket.collect(into)
    assert into == data


def test_a_forgotten_file_leaves_room() -> None:
    cache, data = BlockCache(4 * MIB), content(1, MIB)
    load(cache, 1, data)
    cache.forget(1)
    assert cache.stats()["ready"] == 0
    assert cache.read(1, MIB, 0, bytearray(1)) == -1


def test_wrong_arguments_are_refused() -> None:
    cache = BlockCache(4 * MIB)
    for offset, length in [(MIB, 1), (0, 0), (0, MOST_READ + 1)]:
        with pytest.raises(ValueError, match="1 byte to 1 MiB"):
            cache.enter(1, MIB, offset, length)
    with pytest.raises(BufferError):
        cache.read(1, MIB, 0, b"read-only")


class CacheModel(RuleBasedStateMachine):
    """Against a model: what is ready reads right, counts add up, and nothing is claimed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = BlockCache(4 * MIB)
        self.data = {file: content(file, size) for file, size in ((1, 3 * MIB + 77), (2, 2 * MIB), (3, 100))}
        self.loading: list[tuple[int, int, int]] = []

    @rule(file=st.sampled_from([1, 2, 3]), offset=st.integers(0, 3 * MIB), length=st.integers(1, 2 * MIB))
    def claim(self, file: int, offset: int, length: int) -> None:
        runs, _ = self.cache.claim(file, len(self.data[file]), offset, length, spare=False, wait_s=0)
        for start, count in runs:
            taken = [r for r in self.loading if r[0] == file and start < r[1] + r[2] and r[1] < start + count]
            assert not taken
            self.loading.append((file, start, count))

    @precondition(lambda self: self.loading)
    @rule(data=st.data(), cut=st.floats(0, 1))
    def deliver(self, data: st.DataObject, cut: float) -> None:
        file, start, count = self.loading.pop(data.draw(st.integers(0, len(self.loading) - 1)))
        part = int(count * cut)
        whole = self.data[file]
        assert self.cache.fill(file, len(whole), start, whole[start : start + part])
        assert self.cache.fill(file, len(whole), start + part, whole[start + part : start + count])

    @precondition(lambda self: self.loading)
    @rule()
    def give_up(self) -> None:
        file, start, count = self.loading.pop()
        self.cache.fail(file, start, count, errno.EIO)

    @rule(file=st.sampled_from([1, 2, 3]), offset=st.integers(0, 3 * MIB), length=st.integers(1, MIB))
    def read(self, file: int, offset: int, length: int) -> None:
        into, data = bytearray(length), self.data[file]
        got = self.cache.read(file, len(data), offset, into)
        if got >= 0:
            assert into[:got] == data[offset : offset + length]
        stats = self.cache.stats()
        assert stats["ready"] + stats["loading"] <= stats["blocks"]
        assert stats["loading"] == sum(-(-count // BLOCK) for _, _, count in self.loading)


CacheModel.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestCacheModel = CacheModel.TestCase
