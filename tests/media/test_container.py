"""Opening a title reads that title and nothing else, from wherever it lies."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from archer.media import FrameRange, InvalidMedia, NoVideo, frames, identify, probe
from archer.media.container import FORMATS, opened
from archer.process import ffmpeg
from mezzfs import MezzError, NotFound, Unreachable

Make = Callable[..., Path]

MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL></Representation>
</AdaptationSet></Period></MPD>
"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
LISTS = {
    "hls": ("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{url}\n#EXT-X-ENDLIST\n", "an HLS playlist"),
    "concat": ("ffconcat version 1.0\nfile '{path}'\n", "a concat script"),
    "dash": (MPD, "a DASH manifest"),
    "sdp": (SDP, "not a media file"),
    "names": ("{path}\n", "not a media file"),
}
"""Files that only name others -> content, and what the error calls them."""


@pytest.mark.parametrize("name", ["clip.mp4", "clip.m3u8", "clip.ffconcat", "clip.mpd", "clip.sdp"])
@pytest.mark.parametrize("kind", LISTS)
def test_a_file_that_names_others_is_refused(kind: str, name: str, made: Make, tmp_path: Path) -> None:
    content, words = LISTS[kind]
    target = made("h264.mp4")
    (tmp_path / name).write_text(content.format(url=target.as_uri(), path=target))
    with pytest.raises(InvalidMedia, match=words) as refused:
        probe(str(tmp_path / name))
    assert "wanted" in str(refused.value) or "give the media file itself" in str(refused.value)


def test_no_demuxer_that_follows_names_is_allowed() -> None:
    allowed = set(FORMATS.split(","))
    following = {
        "hls",
        "dash",
        "concat",
        "concatf",
        "imf",
        "image2",
        "image2pipe",
        "rtsp",
        "sdp",
        "rtp",
        "lavfi",
        "tty",
    }
    assert not allowed & (
        following | {"applehttp", "avisynth", "vapoursynth", "webm_dash_manifest", "ffmetadata"}
    )


@pytest.mark.parametrize(
    "url", ["concat:{0}|{0}", "pipe:0", "subfile,,start,0,end,9,,:{0}", "data:video/mp4;base64,AAAA"]
)
def test_protocols_of_ffmpeg_are_only_names_of_files(url: str, made: Make) -> None:
    with pytest.raises(NotFound):
        probe(url.format(made("h264.mp4")))


def test_the_list_of_formats_holds_what_can_be_read(recipe: str, made: Make) -> None:
    with opened(str(made(recipe))) as container:
        assert set(container.format.name.split(",")) & set(FORMATS.split(","))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "avi", "nut", "flv", "mxf", "h264", "m4v"])
def test_containers(suffix: str, remake: Make) -> None:
    """Frames are counted in every common container, also where it has no index or no times at all."""
    coded = ["-c:v", "mpeg4"] if suffix in ("m4v", "avi") else ["-c", "copy"]
    coded = ["-c:v", "mpeg2video", "-r", "25"] if suffix == "mxf" else coded
    path = remake("h264.mp4", f"clip.{suffix}", *coded)
    info = probe(str(path))
    assert info.frame_count == 35
    assert [frame.index for frame in frames(str(path), FrameRange(20, 23), info=info)] == [20, 21, 22]


def test_a_title_in_memory(made: Make) -> None:
    url = "memory://titles/clip.mp4"
    with fsspec.open(url, "wb") as file:
        file.write(made("h264.mp4").read_bytes())
    assert probe(url) == probe(str(made("h264.mp4")))
    got = [frame.luma.samples.tobytes() for frame in frames(url, FrameRange(17, 20))]
    assert got == [
        frame.luma.samples.tobytes() for frame in frames(str(made("h264.mp4")), FrameRange(17, 20))
    ]
    assert identify(url).identity == identify(url).identity
    with pytest.raises(NotFound):
        probe("memory://titles/none.mp4")


class Server(BaseHTTPRequestHandler):
    """A file by HTTP with ranges and an entity tag; every range that was asked for is kept."""

    content = b""
    asked: list[str]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        if not self.path.endswith("clip.mp4"):
            self.send_error(404)
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        end = (
            min(int(match[2] or len(self.content)), len(self.content) - 1) if match else len(self.content) - 1
        )
        self.asked.append(self.headers.get("Range", ""))
        self.send_response(206 if match else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(end + 1 - start))
        if match:
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(self.content)}")
        self.end_headers()
        if body:
            self.wfile.write(self.content[start : end + 1])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(made: Make) -> Iterator[tuple[str, type[Server]]]:
    """The URL of a server of one clip, and its class."""

    class Here(Server):
        content = made("h264.mp4").read_bytes()
        asked: list[str] = []  # noqa: RUF012  one class per test

    served = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", Here
    served.shutdown()
    thread.join()
    served.server_close()


def test_a_title_on_a_web_server(server: tuple[str, type[Server]], made: Make) -> None:
    pytest.importorskip("urllib3", reason="needs cinemill[http]")
    url, seen = server
    assert probe(f"{url}/clip.mp4") == probe(str(made("h264.mp4")))
    asset = identify(f"{url}/clip.mp4")
    assert asset.identity.startswith("etag:")
    assert asset.size == made("h264.mp4").stat().st_size
    assert any(seen.asked), "it should read ranges"
    assert len(list(frames(asset, FrameRange(30, 35)))) == 5


def test_what_a_web_server_does_not_have(server: tuple[str, type[Server]]) -> None:
    pytest.importorskip("urllib3", reason="needs cinemill[http]")
    with pytest.raises(NotFound):
        probe(f"{server[0]}/none.mkv")


def test_a_web_server_that_is_not_there() -> None:
    pytest.importorskip("urllib3", reason="needs cinemill[http]")
    with pytest.raises(MezzError) as refused:
        probe("http://127.0.0.1:9/clip.mp4")
    assert isinstance(refused.value, Unreachable | NotFound)


def test_files_are_closed(made: Make) -> None:
    """Neither a title nor one that is refused leaves a descriptor open."""
    before = set(Path("/proc/self/fd").iterdir())
    probe(str(made("h264.mp4")))
    list(frames(str(made("h264.mp4")), FrameRange(3, 5)))
    half = frames(str(made("h264.mp4")))
    next(half)
    half.close()  # type: ignore[attr-defined]  # a generator
    for name in ("none.mp4", str(Path(__file__))):
        with pytest.raises((MezzError, InvalidMedia)):
            probe(name)
    assert set(Path("/proc/self/fd").iterdir()) <= before


def test_text_tracks_alone_are_no_title(tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,100 --> 00:00:01,000\nHello\n")
    ffmpeg(["-i", tmp_path / "words.srt", tmp_path / "words.mkv"])
    with pytest.raises(NoVideo, match="it holds: subtitle"):
        probe(str(tmp_path / "words.mkv"))
