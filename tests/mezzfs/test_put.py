"""An object is put whole or not at all, by the URL of any store."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import mezzfs
from mezzfs.stores.memory import MemoryStore


@pytest.mark.parametrize("kind", ["mem", "memory", "file", "path"])
def test_what_is_put_is_there(kind: str, store: MemoryStore, noise: bytes, tmp_path: Path) -> None:
    url = {"file": f"file://{tmp_path}/new", "path": f"{tmp_path}/new"}.get(kind, f"{kind}://put/a/new")
    mezzfs.put(url, io.BytesIO(b"old"))
    mezzfs.put(url, io.BytesIO(noise))
    with mezzfs.open(url) as file:
        assert file.read() == noise


class Breaking(io.BytesIO):
    """A source that ends in an error."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError("the disk is gone")
        return super().read(size)


@pytest.mark.parametrize("kind", ["mem", "memory", "path"])
def test_what_breaks_leaves_nothing(kind: str, store: MemoryStore, noise: bytes, tmp_path: Path) -> None:
    url = f"{tmp_path}/half" if kind == "path" else f"{kind}://put/half"
    with pytest.raises(OSError, match="disk is gone"):
        mezzfs.put(url, Breaking(noise))
    with pytest.raises(mezzfs.NotFound):
        mezzfs.identify(url)
    assert list(tmp_path.iterdir()) == []


def test_a_web_server_takes_nothing() -> None:
    with pytest.raises(mezzfs.NotWritable, match="read-only"):
        mezzfs.put("http://127.0.0.1:1/new", io.BytesIO(b"x"))
    with pytest.raises(mezzfs.NotWritable, match="read-only"):
        mezzfs.check_put("http://127.0.0.1:1/new")


@pytest.mark.parametrize("kind", ["mem", "memory", "path"])
def test_asking_leaves_nothing(kind: str, store: MemoryStore, tmp_path: Path) -> None:
    url = f"{tmp_path}/half" if kind == "path" else f"{kind}://put/half"
    mezzfs.check_put(url)
    with pytest.raises(mezzfs.NotFound):
        mezzfs.identify(url)
    assert list(tmp_path.iterdir()) == []
