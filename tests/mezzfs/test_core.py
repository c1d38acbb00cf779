"""Whatever the store does, a reader gets the right bytes of one version, or an error; and no more requests than needed."""

from __future__ import annotations

import random
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mezzfs
from mezzfs.core import Core
from mezzfs.fetch import Retries
from mezzfs.file import RemoteFile
from mezzfs.handle import Handle
from mezzfs.objects import Extent, ObjectMap
from mezzfs.stores import register
from mezzfs.stores.faulty import Fault, FaultyStore
from mezzfs.stores.memory import MemoryStore

MIB = 1 << 20
QUICK = Retries(attempts=8, first_s=0.001, most_s=0.01)
CURABLE = [fault for fault in Fault if fault is not Fault.CHANGED]


def quick_core(budget: int = 16 * MIB) -> Core:
    core = Core(budget=budget)
    core.retries = QUICK
    return core


@pytest.fixture
def faulty(store: MemoryStore, noise: bytes) -> FaultyStore:
    """`mem://title` behind a store without faults yet; set `rates`."""
    store.put("mem://title", noise)
    made = FaultyStore(store, {}, seed=3, late_s=0.002)
    register("mem", made)
    return made


@pytest.mark.parametrize("fault", CURABLE, ids=lambda fault: fault.name.lower())
def test_no_curable_fault_reaches_the_reader(fault: Fault, faulty: FaultyStore, noise: bytes) -> None:
    faulty.rates = {fault: 0.5}
    file = RemoteFile(quick_core(4 * MIB).open("mem://title"))
    draw = random.Random(1)
    for _ in range(60):
        offset, length = draw.randrange(len(noise)), draw.choice([1, 4096, 100_000, MIB])
        assert file.pread(length, offset) == noise[offset : offset + length]
    assert faulty.happened[fault] > 5


@pytest.mark.parametrize("seed", range(2))
def test_ten_thousand_reads_with_every_fault_bring_no_wrong_byte(
    seed: int, faulty: FaultyStore, noise: bytes
) -> None:
    """One request in ten fails, in all the ways there are; a changed object is an error and is opened again."""
    faulty.rates = dict.fromkeys(Fault, 0.1 / len(Fault))
    core, draw = quick_core(4 * MIB), random.Random(seed)
    stale = 0
    file = RemoteFile(core.open("mem://title"))
    for _ in range(5_000):
        offset, length = draw.randrange(len(noise)), draw.choice([100, 4096, 30_000, 70_000])
        try:
            got = file.pread(length, offset)
        except mezzfs.ChangedObject:
            stale += 1
            file = RemoteFile(core.open("mem://title"))
            continue
        assert got == noise[offset : offset + length]
    assert all(faulty.happened[fault] for fault in Fault)
    assert 0 < stale <= faulty.happened[Fault.CHANGED]


def test_an_object_that_was_replaced_is_an_error_for_good(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://title", noise)
    file = RemoteFile(quick_core().open("mem://title"))
    assert file.read(10) == noise[:10]
    store.put("mem://title", noise[::-1])
    for _ in range(2):
        with pytest.raises(mezzfs.ChangedObject):
            file.pread(10, 5 * MIB)
    with pytest.raises(mezzfs.ChangedObject):
        file.pread(10, 0)  # although it is in the cache
    again = RemoteFile(quick_core().open("mem://title"))
    assert again.read(10) == noise[::-1][:10]


def test_an_object_that_was_removed_is_an_error(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://title", noise)
    file = RemoteFile(quick_core().open("mem://title"))
    store.remove("mem://title")
    with pytest.raises(mezzfs.ChangedObject, match="removed"):
        file.pread(10, 5 * MIB)


def test_a_server_that_stays_away_is_an_error_and_may_come_back(faulty: FaultyStore, noise: bytes) -> None:
    faulty.rates = {Fault.UNAVAILABLE: 1.0}
    core = quick_core()
    file = RemoteFile(core.open("mem://title"))
    with pytest.raises(mezzfs.Unreachable):
        file.pread(10, 0)
    faulty.rates = {}
    assert file.pread(10, 0) == noise[:10]


def test_one_request_for_a_read_where_requests_are_paid_for(faulty: FaultyStore, noise: bytes) -> None:
    faulty.delay_s = 0.03
    file = RemoteFile(Core(budget=16 * MIB, split=False).open("mem://title"))
    file.pread(10, MIB)  # now it is known to be far
    assert file.pread(MIB, 3 * MIB) == noise[3 * MIB : 4 * MIB]
    assert faulty.requests == 2


def test_how_long_a_reader_thinks_is_measured(
    store: MemoryStore, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def noticed(handle: Handle, offset: int, length: int, *, missed: bool, thought_s: float) -> None:
        seen.append(thought_s)
        before(handle, offset, length, missed=missed, thought_s=thought_s)

    before = Handle.noticed
    monkeypatch.setattr(Handle, "noticed", noticed)
    store.put("mem://title", noise)
    with RemoteFile(quick_core().open("mem://title")) as file:
        for offset in (MIB, MIB + 10, MIB + 20, 5 * MIB):
            file.pread(10, offset)
            time.sleep(0.05)
    assert seen[0] == 0.0
    assert sum(seen) >= 0.15


def test_short_ends_of_far_objects_are_read(faulty: FaultyStore, noise: bytes) -> None:
    faulty.delay_s = 0.03
    file = RemoteFile(quick_core().open("mem://title"))
    assert file.pread(10, MIB) == noise[MIB : MIB + 10]  # now it is known to be far
    for _ in range(2):
        assert file.pread(100, len(noise) - 50) == noise[-50:]
    assert file.pread(MIB, 3 * MIB) == noise[3 * MIB : 4 * MIB]
    assert faulty.requests == 6, "a long read is split over four connections"


def test_readers_of_the_same_bytes_share_one_request(faulty: FaultyStore, noise: bytes) -> None:
    faulty.delay_s = 0.1
    core = quick_core()
    files = [RemoteFile(core.open("mem://title")) for _ in range(8)]
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda file=file: got.append(file.pread(1000, 3 * MIB))) for file in files
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [noise[3 * MIB : 3 * MIB + 1000]] * 8
    assert faulty.requests == 1


def test_random_reads_fetch_little_more_than_they_use(faulty: FaultyStore, noise: bytes) -> None:
    core, draw = quick_core(), random.Random(5)
    handle = core.open("mem://title")
    for _ in range(20):
        handle.read_into(draw.randrange(len(noise) - 65536), memoryview(bytearray(65536)))
    assert core.counters.fetched_bytes <= 2 * handle.used_bytes


def once_late(faulty: FaultyStore) -> None:
    """End the faults of a store when one request suffers."""
    while not faulty.happened[Fault.LATENCY]:
        time.sleep(0.01)
    faulty.rates.clear()


def test_a_late_answer_is_overtaken_by_a_second_request(faulty: FaultyStore, noise: bytes) -> None:
    core = quick_core()
    handle = core.open("mem://title")
    faulty.rates, faulty.late_s = {Fault.LATENCY: 1.0}, 3.0
    threading.Thread(target=once_late, args=(faulty,), daemon=True).start()
    began, into = time.monotonic(), bytearray(1000)
    handle.read_into(0, memoryview(into))
    assert into == noise[:1000]
    assert time.monotonic() - began < 2.5
    assert core.counters.hedges == 1


def test_sixty_four_handles_stay_within_the_budget(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://title", noise)
    core = quick_core(8 * MIB)
    wrong: list[int] = []

    def read(number: int) -> None:
        file = RemoteFile(core.open("mem://title"))
        file.seek(number * 70_001)
        data = file.read(MIB + 4321)
        if data != noise[number * 70_001 :][: len(data)]:
            wrong.append(number)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a reader hangs"
    assert not wrong
    stats = core.cache.stats()
    assert stats["blocks"] * stats["block_bytes"] == 8 * MIB


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 90_000), st.integers(1, 90_000)), min_size=1, max_size=12
    ),
    reads=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 1 << 18)), min_size=1, max_size=12),
)
def test_files_made_of_pieces_equal_the_model(
    cuts: list[tuple[int, int, int]], reads: list[tuple[int, int]]
) -> None:
    store = MemoryStore()
    objects = [random.Random(number).randbytes(180_000) for number in range(4)]
    for number, data in enumerate(objects):
        store.put(f"pieces://{number}", data)
    register("pieces", store)
    layout = ObjectMap(tuple(Extent(url=f"pieces://{n}", offset=at, length=size) for n, at, size in cuts))
    model = b"".join(objects[n][at : at + size] for n, at, size in cuts)
    core = quick_core(4 * MIB)
    file = RemoteFile(core.open_map(layout, name="pieces"))
    assert file.size == len(model)
    for offset, length in reads:
        assert file.pread(length, offset) == model[offset : offset + length]
    assert file.read() == model
    core.close()
    register("pieces", None)


def test_a_file_behaves_as_files_do(store: MemoryStore, noise: bytes) -> None:
    store.put("mem://title", noise)
    with RemoteFile(quick_core().open("mem://title")) as file:
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        assert file.seek(-5, 2) == len(noise) - 5
        assert file.read() == noise[-5:]
        assert file.read(10) == b""
        assert file.seek(100) == 100
        assert file.seek(11, 1) == 111
        assert file.read(0) == b""
        assert file.readline(20) == noise[111:131].partition(b"\n")[0][:20] or file.tell() > 111
        with pytest.raises(ValueError, match="cannot seek"):
            file.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        file.read(1)
