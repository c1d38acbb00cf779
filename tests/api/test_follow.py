"""What a client makes of streams that break: every event once, in order, whatever the pieces and the breaks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from archer.api.sse import HEARTBEAT, RETRY, encoded, ended
from archer.client.download import Download, inside
from archer.client.follow import Follower
from archer.errors import ServerRefused, ServerUnreachable
from archer.events import Event

EVENTS = [
    Event(seq=3, job="j", type="job-submitted", payload={"owner": "anna"}),
    Event(
        seq=4, job="j", type="chunk-done", node="encode", item="chunk-0\n1", attempt=1, payload={"weight": 9}
    ),
    Event(seq=9, job="j", type="job-done", payload={"text": "ünïcode \u2028 data: x\r\n\r\n"}),
]
STREAM = RETRY + b"".join([encoded(EVENTS[0]), HEARTBEAT, *map(encoded, EVENTS[1:])]) + ended("done")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_events_are_whole_however_the_bytes_come(size: int) -> None:
    follower = Follower()
    follower.opened(200)
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in follower.feed(piece)] == EVENTS
    assert (follower.place, follower.done, follower.state) == (9, True, "done")


@pytest.mark.parametrize("cut", range(0, len(STREAM), 5))
def test_a_break_anywhere_loses_nothing_and_repeats_nothing(cut: int) -> None:
    """The server sends what follows Last-Event-ID, and here even a little more."""
    follower = Follower()
    follower.opened(200)
    seen = list(follower.feed(STREAM[:cut]))
    follower.lost("http://x", "broken")
    assert follower.headers.get("Last-Event-ID", "0") == str(follower.place)
    follower.opened(200)
    seen += follower.feed(STREAM)
    assert seen == EVENTS


def test_a_stream_that_never_comes_back_ends_in_an_error() -> None:
    follower = Follower()
    with pytest.raises(ServerUnreachable):
        for _ in range(100):
            follower.lost("http://x", "refused")


def test_a_stream_that_is_refused_for_good_is_not_asked_for_again() -> None:
    with pytest.raises(ServerRefused):
        Follower().opened(401)
    follower = Follower()
    follower.opened(503)
    assert not follower.done
    follower.opened(204)
    assert follower.done


def test_a_download_goes_on_where_it_broke_and_is_there_only_when_whole(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    place = tmp_path / "deep" / "out.bin"
    download = Download(place, digest, len(content))
    download.opened(200)
    download.write(content[:1000])
    download.lost("http://x", "broken")
    assert download.headers["Range"] == "bytes=1000-"
    assert not place.exists()
    download.opened(206)
    download.write(content[1000:])
    download.finished()
    assert place.read_bytes() == content
    assert Download(place, digest, len(content)).done


def test_other_bytes_than_listed_are_refused(tmp_path: Path) -> None:
    download = Download(tmp_path / "out", "sha256:" + "0" * 64, 4)
    download.opened(200)
    download.write(b"abcd")
    with pytest.raises(ServerRefused, match="other bytes"):
        download.finished()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "..\\x", ""])
def test_names_of_a_server_do_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ServerRefused):
        inside(tmp_path, name)


def test_a_quiet_stream_that_ends_again_and_again_is_waited_for() -> None:
    follower = Follower()
    for _ in range(100):
        follower.opened(200)
        assert list(follower.feed(RETRY + HEARTBEAT)) == []
        follower.ended("http://x")
    with pytest.raises(ServerUnreachable):
        for _ in range(100):
            follower.opened(200)
            assert list(follower.feed(RETRY)) == []
            follower.ended("http://x")
