"""Objects of an S3 server (the JuiceFS gateway, with MinIO's front): names, conditions, uploads, and errors."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
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


def test_what_cannot_be_written_is_known_before(store: Any) -> None:
    mezzfs.check_put("s3://bucket/asked")
    with pytest.raises(mezzfs.NotFound):
        mezzfs.identify("s3://bucket/asked")
    with pytest.raises(mezzfs.NotFound):
        mezzfs.check_put("s3://no-such-bucket/asked")


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


def test_a_public_bucket_is_read_without_a_signature(
    plain: str, web_server: Any, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("CINEMILL_S3_ANONYMOUS", "1")
    assert RemoteFile(Core(budget=16 * MIB).open(plain)).pread(100, MIB) == noise[MIB : MIB + 100]
    assert not web_server.signed
    assert not any("Authorization" in headers for headers in web_server.headers)


def test_who_agrees_to_pay_says_so(
    plain: str, web_server: Any, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINEMILL_S3_REQUESTER_PAYS", "1")
    assert RemoteFile(Core(budget=16 * MIB).open(plain)).pread(100, MIB) == noise[MIB : MIB + 100]
    assert all(headers.get("x-amz-request-payer") == "requester" for headers in web_server.headers)


def test_profile_and_region_are_those_of_the_sdk(
    plain: str,
    web_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    text = "[media]\naws_access_key_id = THEKEY\naws_secret_access_key = thesecret\nregion = eu-north-1\n"
    (tmp_path / "credentials").write_text(text)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "media")
    caplog.set_level("DEBUG", logger="mezzfs")
    RemoteFile(Core(budget=16 * MIB).open(plain)).pread(100, MIB)
    assert "THEKEY/" in web_server.headers[0]["Authorization"]
    assert "/eu-north-1/s3/" in web_server.headers[0]["Authorization"]
    assert "thesecret" not in caplog.text + str(web_server.headers) + str(web_server.signed)


def test_without_boto3_s3fs_reads(
    store: Any, noise: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("s3fs", reason="needs s3fs")
    from mezzfs.stores import register, store_for

    url = put(store, "general/title.mov", noise)
    register("s3", None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "mezzfs.stores.s3")
    assert type(store_for(url)).__name__ == "GeneralStore"
    assert "through s3fs" in caplog.text
    assert RemoteFile(Core(budget=16 * MIB).open(url)).pread(100, MIB) == noise[MIB : MIB + 100]
