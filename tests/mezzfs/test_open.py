"""`mezzfs.open` gives the bytes of the object, seekable, and one clear error where there are none."""

from __future__ import annotations

import http.server
import os
import pickle
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import mezzfs

DATA = bytes(range(256)) * 1000


@pytest.fixture
def memory() -> Iterator[str]:
    """URL of an object in fsspec's memory store."""
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/open/title.mov", DATA)
    store.pipe("/open/empty.mov", b"")
    yield "memory://open/title.mov"
    store.rm("/open", recursive=True)


@pytest.fixture
def title(tmp_path: Path) -> Path:
    path = tmp_path / "title.mov"
    path.write_bytes(DATA)
    return path


def read_pieces(url: str) -> list[bytes]:
    with mezzfs.open(url, hints=[(0, 100)]) as file:
        head = file.read(10)
        file.seek(-10, os.SEEK_END)
        tail = file.read()
        file.seek(1000)
        here = file.tell()
        return [head, tail, file.read(1 << 30), str(here).encode()]


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_local_file_is_read_and_sought(scheme: str, title: Path) -> None:
    assert read_pieces(f"{scheme}{title}") == [DATA[:10], DATA[-10:], DATA[1000:], b"1000"]


def test_a_remote_object_is_read_and_sought(memory: str) -> None:
    assert read_pieces(memory) == [DATA[:10], DATA[-10:], DATA[1000:], b"1000"]


def test_a_local_file_is_opened_without_anything_between(title: Path) -> None:
    with mezzfs.open(str(title)) as file:
        assert os.fstat(file.fileno()).st_size == len(DATA)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("nowhere/title.mov", mezzfs.NotFound),
        ("memory://open/nowhere.mov", mezzfs.NotFound),
        ("memory://open/empty.mov", mezzfs.EmptyObject),
        ("nonsense://open/title.mov", mezzfs.NotFound),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, error: type[mezzfs.MezzError], memory: str) -> None:
    with pytest.raises(error) as raised:
        mezzfs.open(url)
    assert raised.value.url == url
    assert url in str(raised.value)


def test_folders_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(mezzfs.NotAFile):
        mezzfs.open(str(tmp_path))
    (tmp_path / "empty.mov").touch()
    with pytest.raises(mezzfs.EmptyObject):
        mezzfs.open(str(tmp_path / "empty.mov"))


@pytest.mark.parametrize("name", [n for n in mezzfs.__all__ if n[0].isupper()])
def test_errors_survive_pickling(name: str) -> None:
    error = getattr(mezzfs, name)("s3://bucket/title.mov", "because")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.url) == (type(error), str(error), "s3://bucket/title.mov")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain file server that says nothing (it knows no ranges)."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def served(title: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(title.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_missing_page_is_not_found(served: str) -> None:
    with pytest.raises(mezzfs.NotFound):
        mezzfs.open(f"{served}/nowhere.mov")


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    with pytest.raises(mezzfs.Unreachable) as raised:
        mezzfs.open("http://127.0.0.1:9/title.mov").read(1)
    assert raised.value.retryable
