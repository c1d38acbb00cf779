"""A range of a remote title is read with little more than its own bytes, as its place in the file is told ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archer.media import FrameRange, probe
from archer.media.reader import Reader
from archer.process import ffmpeg
from mezzfs.core import core
from mezzfs.stores import register
from mezzfs.stores.faulty import FaultyStore
from mezzfs.stores.memory import MemoryStore

COUNT, FIRST, END = 120, 40, 100


@pytest.fixture
def store() -> Iterator[FaultyStore]:
    """A store of `hinted://` URLs that counts the bytes that leave it; 5 ms to the first."""
    made = FaultyStore(MemoryStore(), {}, delay_s=0.005)
    register("hinted", made)
    yield made
    register("hinted", None)


@pytest.fixture(scope="module", params=["mov", "mkv"])
def title(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 intra frames of about 90 kB."""
    path = tmp_path_factory.mktemp("title") / f"title.{request.param}"
    source = ["-f", "lavfi", "-i", f"testsrc2=640x360:rate=24:duration={COUNT // 24},noise=alls=60"]
    ffmpeg([*source, "-c:v", "mjpeg", "-q:v", "2", "-y", str(path)])
    return path


def fetched(store: FaultyStore, url: str, path: Path, read: Callable[[str], object]) -> int:
    """Bytes that left the store while `read` read."""
    inner = store.inner
    assert isinstance(inner, MemoryStore)
    inner.put(url, path.read_bytes())
    before = store.sent_bytes
    read(url)
    assert core().settle(20)
    return store.sent_bytes - before


def test_a_range_costs_its_own_bytes(store: FaultyStore, title: Path) -> None:
    info = probe(str(title))
    span = info.index.span(FIRST, END)
    assert span is not None
    used = span[1] - span[0]

    def read(url: str) -> None:
        places = [place for place, _ in Reader(url, info).pictures(FrameRange(FIRST, END))]
        assert places == list(range(FIRST, END))

    assert used > 4_000_000
    assert used * 0.9 < fetched(store, f"hinted://{title.name}", title, read) <= 1.1 * used
