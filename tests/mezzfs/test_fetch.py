"""An answer that is not exactly what was asked for is refused, before or as its bytes come; never after."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

import mezzfs
from mezzfs.fetch import Fetch, Measured, NoRanges, Retries, checked
from mezzfs.objects import Stat
from mezzfs.stores.base import CHUNK, Reply
from mezzfs.stores.memory import MemoryStore

URL = "s3://bucket/title.mov"
DATA = bytes(range(256)) * 4
STAT = Stat(size=len(DATA), etag='"a"')


def reply(data: bytes = DATA[100:200], **changes: Any) -> Reply:
    facts: dict[str, Any] = {"first": 100, "total": len(DATA), "length": len(data), "etag": '"a"'}
    chunks: Iterator[bytes] = iter([data[:30], data[30:]])
    return Reply(chunks=chunks, close=lambda: None, **facts | changes)


def read(answer: Reply, stat: Stat = STAT) -> bytes:
    return b"".join(checked(answer, URL, 100, 100, stat))


def test_the_right_answer_passes() -> None:
    assert read(reply()) == DATA[100:200]
    assert read(reply(sha256=hashlib.sha256(DATA[100:200]).digest())) == DATA[100:200]


def test_a_server_that_says_little_is_believed() -> None:
    assert read(reply(total=None, length=None, etag=None)) == DATA[100:200]


def test_weak_and_strong_marks_of_one_version_are_equal() -> None:
    assert read(reply(etag='W/"a"')) == DATA[100:200]


@pytest.mark.parametrize("changes", [{"etag": '"b"'}, {"total": len(DATA) + 1}])
def test_another_version_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(mezzfs.ChangedObject):
        read(reply(**changes))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(first=101), "from 100 on"),
        (reply(first=None), "from 100 on"),
        (reply(length=99), "announces 99"),
        (reply(DATA[100:199], length=None), "1 bytes early"),
        (reply(DATA[100:201], length=None), "got more"),
        (reply(sha256=bytes(32)), "damaged"),
    ],
)
def test_a_wrong_answer_is_refused_and_worth_another_try(answer: Reply, words: str) -> None:
    with pytest.raises(mezzfs.BadReply, match=words) as raised:
        read(answer)
    assert raised.value.retryable


def test_a_checksum_is_checked_before_a_byte_is_shown() -> None:
    with pytest.raises(mezzfs.BadReply):
        next(checked(reply(sha256=bytes(32)), URL, 100, 100, STAT))


def test_a_server_without_ranges_serves_short_objects() -> None:
    answer = reply(DATA, partial=False, first=None, total=None)
    assert read(answer) == DATA[100:200]


def test_a_server_without_ranges_is_no_use_for_long_ones() -> None:
    stat = Stat(size=1 << 40, etag='"a"')
    answer = reply(DATA, partial=False, first=None, total=None, length=None)
    with pytest.raises(NoRanges) as raised:
        list(checked(answer, URL, 1 << 39, 100, stat))
    assert not raised.value.retryable


def test_pauses_double_and_are_never_the_same_for_all() -> None:
    retries = Retries(first_s=1.0, most_s=8.0)
    for failures, most in ((1, 1), (2, 2), (3, 4), (4, 8), (9, 8)):
        pauses = {retries.pause_s(failures) for _ in range(50)}
        assert len(pauses) > 10
        assert all(0.2 * most <= pause <= most for pause in pauses)


@pytest.mark.parametrize("wanted", [1, 2, 3])
def test_bytes_that_came_before_nobody_wanted_more_are_noted(store: MemoryStore, wanted: int) -> None:
    store.put("mem://title", bytes(3 * CHUNK))
    took: list[int] = []
    notes: list[Measured] = []
    fetch = Fetch(
        store,
        "mem://title",
        store.stat("mem://title"),
        sink=lambda offset, _: not took.append(offset),
        alive=lambda: len(took) < wanted,
        note=notes.append,
    )
    assert fetch.run(0, 3 * CHUNK) == wanted * CHUNK
    assert [(note.offset, note.length, note.whole) for note in notes] == [(0, wanted * CHUNK, wanted == 3)]
