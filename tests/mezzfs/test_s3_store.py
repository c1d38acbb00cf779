"""Objects of an S3 server (the JuiceFS gateway, with MinIO's front): names, conditions, uploads, and errors."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

import mezzfs
from mezzfs.core import Core
from mezzfs.file import RemoteFile

MIB = 1 << 20


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def store(s3: Any) -> Any:
    """The store behind `s3://` URLs."""
    return s3


def put(store: Any, key: str, data: bytes) -> str:
    url = f"s3://bucket/{key}"
    upload = store.create(url)
    for at in range(0, len(data), MIB):
        upload.write(data[at : at + MIB])
    upload.commit()
    return url


def test_small_objects_are_put_whole_and_read(store: Any, noise: bytes) -> None:
    url = put(store, "small/title.mov", noise)
    with mezzfs.open(url) as file:
        assert file.read() == noise
        file.seek(MIB + 5)
        assert file.read(77) == noise[MIB + 5 : MIB + 82]
    assert mezzfs.identify(url)[1] == len(noise)


def test_long_objects_are_uploaded_in_parts(store: Any, noise: bytes) -> None:
    data = noise * 5
    upload = store.create("s3://bucket/long.mov")
    for at in range(0, len(data), MIB):
        upload.write(data[at : at + MIB])
    with pytest.raises(mezzfs.NotFound):
        store.stat("s3://bucket/long.mov")
    upload.commit()
    assert RemoteFile(Core(budget=16 * MIB).open("s3://bucket/long.mov")).read() == data


def test_an_upload_that_is_given_up_leaves_nothing(store: Any, noise: bytes) -> None:
    upload = store.create("s3://bucket/given-up.mov")
    for _ in range(3):
        upload.write(noise)
    upload.abort()
    with pytest.raises(mezzfs.NotFound):
        store.stat("s3://bucket/given-up.mov")


def test_folders_are_listed(store: Any) -> None:
    for key in ("tree/b", "tree/a", "tree/sub/c"):
        put(store, key, b"x")
    found = [(entry.name, entry.stat and entry.stat.size) for entry in store.list("s3://bucket/tree")]
    assert found == [("a", 1), ("b", 1), ("sub", None)]
    with pytest.raises(mezzfs.NotAFile):
        store.stat("s3://bucket/tree")
    with pytest.raises(mezzfs.NotAFile):
        store.stat("s3://bucket/")
    with pytest.raises(mezzfs.NotFound):
        store.list("s3://bucket/nowhere")


def test_a_replaced_object_is_refused_by_the_server(store: Any, noise: bytes) -> None:
    url = put(store, "replaced.mov", noise)
    file = RemoteFile(Core(budget=16 * MIB).open(url))
    assert file.read(10) == noise[:10]
    before = store.stat(url)
    time.sleep(1.1)  # this gateway has no ETag for each object, and then the date decides, in seconds
    put(store, "replaced.mov", noise[::-1])
    assert store.stat(url) != before
    with pytest.raises(mezzfs.ChangedObject):
        file.pread(10, 6 * MIB)


def test_wrong_credentials_are_told_without_showing_them(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    store.refresh()
    with pytest.raises(mezzfs.AccessDenied) as raised:
        store.stat("s3://bucket/title.mov")
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    store.refresh()
    with pytest.raises(mezzfs.Unreachable, match="cannot be reached"):
        store.stat("s3://bucket/title.mov")


@pytest.fixture
def plain(web_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An object with an ETag of its own, as Amazon's have (the gateway's have none)."""
    from mezzfs.stores import register
    from mezzfs.stores.s3 import S3Store

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{web_server.server_port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "somebody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    register("s3", S3Store())
    yield "s3://bucket/title.mov"
    register("s3", None)


def test_one_signature_serves_many_ranges(plain: str, web_server: Any, noise: bytes) -> None:
    file = RemoteFile(Core(budget=16 * MIB).open(plain))
    for offset in range(0, 5 * MIB, MIB):
        assert file.pread(100, offset) == noise[offset : offset + 100]
    assert len(web_server.signed) >= 5
    assert len(set(web_server.signed)) == 1
    gets = [condition for method, _, condition in web_server.asked if method == "GET"]
    assert all(gets)
    web_server.data = noise[::-1]
    with pytest.raises(mezzfs.ChangedObject):
        file.pread(100, 7 * MIB)


def test_where_signed_urls_are_refused_the_sdk_asks(plain: str, web_server: Any, noise: bytes) -> None:
    web_server.refuses_signed = True
    file = RemoteFile(Core(budget=16 * MIB).open(plain))
    assert file.pread(100, MIB) == noise[MIB : MIB + 100]
    assert web_server.signed


def test_a_profile_that_is_not_there_is_an_error_of_ours(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(mezzfs.MezzError, match="ProfileNotFound"):
        mezzfs.identify(plain)
