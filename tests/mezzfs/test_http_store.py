"""Objects of a web server: conditional ranges, keep-alive, and an error for every answer that is not the object."""

from __future__ import annotations

from typing import Any

import pytest

import mezzfs
from mezzfs.core import Core
from mezzfs.file import RemoteFile
from mezzfs.stores.http import HttpStore, refuse


def test_every_read_is_conditional(web: str, web_server: Any, noise: bytes) -> None:
    with mezzfs.open(f"{web}/title.mov") as file:
        assert file.read() == noise
    gets = [(span, condition) for method, span, condition in web_server.asked if method == "GET"]
    assert gets
    assert all(span and condition for span, condition in gets)


def test_bytes_come_where_there_is_room_for_them(web: str, noise: bytes) -> None:
    store, url, arena = HttpStore(), f"{web}/title.mov", memoryview(bytearray(100_000))
    reply = store.get(url, 5, 150_000, store.stat(url))
    rooms = iter([arena, None, None])
    reply.landing.room = lambda: next(rooms)
    first, second = (bytes(chunk) for chunk in reply.chunks)
    assert first == noise[5:100_005] == bytes(arena)
    assert second == noise[100_005:150_005]


def test_a_replaced_page_is_noticed(web: str, web_server: Any, noise: bytes) -> None:
    file = RemoteFile(Core(budget=8 << 20).open(f"{web}/title.mov"))
    assert file.read(100) == noise[:100]
    web_server.data = noise[::-1]
    with pytest.raises(mezzfs.ChangedObject):
        file.pread(100, 6 << 20)


def test_an_identity_follows_the_version(web: str, web_server: Any, noise: bytes) -> None:
    first = mezzfs.identify(f"{web}/title.mov")
    assert first == mezzfs.identify(f"{web}/title.mov")
    web_server.data = noise[::-1]
    assert mezzfs.identify(f"{web}/title.mov") != first


def test_what_is_missing_is_not_found(web: str) -> None:
    with pytest.raises(mezzfs.NotFound):
        mezzfs.open(f"{web}/other.mov")


def test_a_connection_is_used_again(web: str, noise: bytes) -> None:
    store = HttpStore()
    stat = store.stat(f"{web}/title.mov")
    for _ in range(5):
        assert b"".join(map(bytes, store.get(f"{web}/title.mov", 10, 100, stat).chunks)) == noise[10:110]
    (pool,) = (store._direct.pools[key] for key in store._direct.pools.keys())  # noqa: SIM118
    assert pool is not None
    assert pool.num_connections == 1


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (404, mezzfs.NotFound, False),
        (403, mezzfs.AccessDenied, False),
        (412, mezzfs.ChangedObject, False),
        (429, mezzfs.Unreachable, True),
        (503, mezzfs.Unreachable, True),
        (418, mezzfs.BadReply, True),
    ],
)
def test_every_status_has_its_error(status: int, error: type[mezzfs.MezzError], retryable: bool) -> None:
    with pytest.raises(error) as raised:
        refuse("http://host/x", status)
    assert raised.value.retryable is retryable
