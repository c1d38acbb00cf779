"""The identity of an object follows its content, or what its store says of it, and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fsspec
import pytest

import mezzfs


def test_a_local_file_is_named_by_its_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.mov", tmp_path / "b.mov"
    first.write_bytes(b"content")
    second.write_bytes(b"content")
    wanted = f"sha256:{hashlib.sha256(b'content').hexdigest()}", 7
    assert mezzfs.identify(str(first)) == mezzfs.identify(f"file://{second}") == wanted


def test_a_remote_object_is_named_without_reading_it() -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/identify/title.mov", b"content")
    name, size = mezzfs.identify("memory://identify/title.mov")
    assert (name[:5], size) == ("etag:", 7)
    assert mezzfs.identify("memory://identify/title.mov") == (name, size)
    store.pipe("/identify/title.mov", b"CONTENT")
    assert mezzfs.identify("memory://identify/title.mov")[0] != name


@pytest.mark.parametrize("url", ["nowhere.mov", "memory://identify/nowhere.mov"])
def test_what_is_not_there_has_no_identity(url: str) -> None:
    with pytest.raises(mezzfs.NotFound):
        mezzfs.identify(url)
