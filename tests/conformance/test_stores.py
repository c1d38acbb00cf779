"""What every place for artifacts must do, fsspec's and a plug-in's: one suite, one line per kind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from archer.store.backend import Backend, FsspecBackend, backend_for

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "histogram"


def zip_store(folder: Path) -> Backend:
    """The example plug-in."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        from cinemill_histogram.store import ZipStore
    finally:
        sys.path.remove(str(EXAMPLE))
    made: Backend = ZipStore(f"zip://{folder}/kept.zip")
    return made


KINDS = {
    "folder": lambda folder: backend_for(f"{folder}/kept"),
    "file url": lambda folder: backend_for(f"file://{folder}/kept"),
    "memory": lambda folder: backend_for(f"memory://{folder.name}"),
    "plug-in": zip_store,
}


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    made: Backend = KINDS[request.param](tmp_path)
    return made


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_what_is_put_comes_back(store: Backend, tmp_path: Path) -> None:
    store.put(file_of(tmp_path, b"seven b"), "objects/ab/cd.mp4")
    assert store.size("objects/ab/cd.mp4") == 7
    assert store.read("objects/ab/cd.mp4") == b"seven b"
    store.get("objects/ab/cd.mp4", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"seven b"


def test_nothing_is_there_before_anything_is_put(store: Backend, tmp_path: Path) -> None:
    assert list(store.names("objects")) == []
    assert store.size("objects/ab/cd") is None
    with pytest.raises(FileNotFoundError):
        store.read("objects/ab/cd")
    with pytest.raises(FileNotFoundError):
        store.get("objects/ab/cd", tmp_path / "back")


def test_names_are_those_below_a_prefix(store: Backend, tmp_path: Path) -> None:
    for name in ("objects/ab/cd", "objects/ef/gh.json", "manifests/x.json"):
        store.put(file_of(tmp_path, name.encode()), name)
    assert sorted(store.names("objects")) == [("objects/ab/cd", 13), ("objects/ef/gh.json", 18)]
    store.remove("objects/ab/cd")
    assert [name for name, _ in store.names("objects")] == ["objects/ef/gh.json"]
    assert store.read("manifests/x.json") == b"manifests/x.json"


def test_the_default_is_fsspec(tmp_path: Path) -> None:
    assert isinstance(backend_for(str(tmp_path)), FsspecBackend)
