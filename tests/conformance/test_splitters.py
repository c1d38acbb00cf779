"""Every installed splitter cuts any title into chunks that cover it exactly, in order; and each keeps its own promise."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import pytest

from archer.errors import SpecError
from archer.media import FrameIndex
from archer.registry import SPLITTERS, installed
from archer.split import splitter_named
from archer.split.splitters import keyframes

UNEVEN = np.cumsum([1, 1, 50, 1, 1, 1, 200, *[3] * 993])
TITLES = {
    "empty": (0, []),
    "one frame": (1, [0]),
    "one key": (1000, [0]),
    "few keys": (1000, [0, 40, 99, 130, 600]),
    "many keys": (1000, list(range(0, 1000, 12))),
    "all keys": (101, list(range(101))),
}


def index(count: int, keys: list[int]) -> FrameIndex:
    return FrameIndex(pts=UNEVEN[:count], keys=np.array(keys, np.int64), counted_by="demux")


@pytest.mark.parametrize("length", [1, 99, 100, 10**6])
@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("name", sorted(installed(SPLITTERS)))
def test_chunks_cover_the_title_in_order(name: str, title: str, length: int) -> None:
    count, keys = TITLES[title]
    found = splitter_named(name)(index(count, keys), length)
    assert [frame for chunk in found for frame in chunk.frames] == list(range(count))
    assert [chunk.index for chunk in found] == list(range(len(found)))
    assert all(len(chunk.frames) > 0 for chunk in found)
    assert found == splitter_named(name)(index(count, keys), length)


def test_frames_gives_equal_numbers() -> None:
    found = splitter_named("frames")(index(1000, [0]), 300)
    assert [len(chunk.frames) for chunk in found] == [300, 300, 300, 100]


def test_keyframes_begins_where_a_decoder_can() -> None:
    keys = list(range(0, 1000, 12))
    found = splitter_named("keyframes")(index(1000, keys), 100)
    assert {chunk.frames.start for chunk in found} <= set(keys)
    assert all(len(chunk.frames) <= 200 for chunk in found)


@pytest.mark.parametrize(("count", "workers"), [(1442, 2), (8640, 2), (8640, 8), (172_800, 16)])
def test_graded_chunks_leave_no_worker_idle(count: int, workers: int) -> None:
    """The longest first, each to whoever is free: the last to end is at most a group of pictures behind the mean."""
    keys = range(0, count, 48)
    title = FrameIndex(pts=np.arange(count), keys=np.array(keys, np.int64), counted_by="demux")
    found = keyframes.graded(title, 250)
    assert {chunk.frames.start for chunk in found} <= set(keys)
    assert sum(len(chunk.frames) for chunk in found) == count
    ends = [0] * workers
    for length in sorted((len(chunk.frames) for chunk in found), reverse=True):
        heappush(ends, heappop(ends) + length)
    assert max(ends) <= count / workers + 48


def test_graded_chunks_do_not_cut_groups_of_pictures() -> None:
    keys = list(range(0, 1000, 100))
    assert [chunk.frames.start for chunk in keyframes.graded(index(1000, keys), 250)] == keys
    assert [len(chunk.frames) for chunk in keyframes.graded(index(1000, [0]), 250)] == [250, 250, 500]


def test_time_gives_equal_shares_of_it() -> None:
    title = index(1000, [0])
    found = splitter_named("time")(title, 100)
    share = (title.pts[-1] - title.pts[0]) / 10
    lasting = [title.pts[chunk.frames.end - 1] - title.pts[chunk.frames.start] for chunk in found]
    assert len(found) == 10
    assert max(lasting) <= share


def test_an_unknown_one_is_named_with_those_there_are() -> None:
    with pytest.raises(SpecError, match=r"splitter.*'thirds'.*frames, keyframes, time"):
        splitter_named("thirds")
