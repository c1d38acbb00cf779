"""Open a title for FFmpeg's libraries such that nothing but the title itself is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import mezzfs
from archer.media.errors import InvalidMedia, NoVideo

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream as AvVideoStream

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,asf,mxf,gxf,nut,ogg,ivf,obu,h264,hevc,vvc,m4v,h263,"
    "mjpeg,dv,dirac,vc1,vc1test,yuv4mpegpipe,gif,apng,wtv,rm,nsv,nuv,roq,smk,bink,lxf,"
    "mp3,aac,ac3,eac3,dts,dtshd,truehd,flac,wav,w64,aiff,au,caf,ape,tta,wv,amr,oma,tak,mpc,mpc8"
)
"""Demuxers of single files. What is missing follows names to other files (hls, dash, concat, imf, image2, rtsp, sdp ...) or makes
media up (lavfi): it would read what the user did not name."""

LISTS = {b"#EXTM3U": "an HLS playlist", b"ffconcat": "a concat script", b"<MPD": "a DASH manifest"}
"""First bytes of files that only name other files."""

BUFFER = 1 << 18
"""Bytes per read from `mezzfs`; FFmpeg's own default of 32 KiB means eight times as many calls into Python."""


@contextmanager
def opened(url: str, *, hints: Sequence[tuple[int, int]] = ()) -> Iterator[InputContainer]:
    """The demuxer of the title at `url`, read through `mezzfs.open`.

    FFmpeg gets a file object, never a name; only demuxers of single files may look at it, no protocol is allowed, and a
    demuxer that asks for another file is refused.

    Args:
        url: path or URL.
        hints: byte ranges that will be read.

    Raises:
        InvalidMedia: not a media file, or broken beyond opening.
        mezzfs.MezzError: it cannot be read at all.
    """
    import av

    with mezzfs.open(url, hints=hints) as file:
        try:
            container = av.open(
                file,
                "r",
                options={"protocol_whitelist": "none", "format_whitelist": FORMATS},
                metadata_errors="replace",
                buffer_size=BUFFER,
                io_open=_refuse,
            )
        except (av.FFmpegError, ValueError, _Refused) as error:
            raise InvalidMedia(url, _why(file, error)) from error
        with container:
            yield container


def video_stream(container: InputContainer, url: str) -> AvVideoStream:
    """The video stream to use: the default one, else the first; attached pictures are not video.

    Raises:
        NoVideo: there is none.
    """
    found = video_streams(container)
    if not found:
        kinds = ", ".join(sorted({str(stream.type) for stream in container.streams} - {"video"}))
        raise NoVideo(url, f"no video stream (it holds: {kinds or 'nothing'}); wanted a file with video")
    if not found[0].codec_context:
        raise InvalidMedia(
            url, "no decoder for its video codec; convert it to H.264, HEVC, AV1 or ProRes first"
        )
    return found[0]


def video_streams(container: InputContainer) -> list[AvVideoStream]:
    """Streams of moving pictures: those with a decoder first, among them the default one, then in file order."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    found = [stream for stream in container.streams.video if not stream.disposition & still]
    return sorted(found, key=lambda one: (not one.codec_context, not one.disposition & Disposition.default))


def use_threads(stream: Any, threads: int) -> None:
    """Let the decoder use `threads`, in slices only: frame threads hide errors and add delay."""
    stream.codec_context.thread_count = threads
    stream.codec_context.thread_type = "SLICE"


def packets(
    container: InputContainer, only: AvVideoStream | None = None, *, broken: Callable[[str], None]
) -> Iterator[Packet[Any]]:
    """Packets of one stream or of all, up to the first place where the container itself is broken.

    Empty packets are left out: a decoder would take them for the end of its stream.

    Args:
        container: an open title.
        only: the stream wanted; None for all.
        broken: called with FFmpeg's words where the packets end before the file does.

    Raises:
        mezzfs.MezzError: the file cannot be read further.
    """
    import av

    try:
        yield from (packet for packet in container.demux(*([only] if only else [])) if packet.size)
    except av.FFmpegError as error:
        broken(words_of(error))


def keep_only(container: InputContainer, stream: AvVideoStream) -> None:
    """Let the demuxer pass over every other stream, without reading it where the format allows."""
    from av.stream import Discard

    for other in container.streams:
        other.discard = Discard.default if other.index == stream.index else Discard.all


class _Refused(Exception):  # an answer to FFmpeg, seen by nobody else
    pass


def _refuse(url: str, *_: object) -> NoReturn:
    raise _Refused(f"it asks for another file, {url}")


def _why(file: BinaryIO, error: BaseException) -> str:
    file.seek(0)
    head = file.read(512)
    kind = next((words for mark, words in LISTS.items() if mark in head), "")
    if kind:
        return f"{kind}, which only names other files; give the media file itself"
    if isinstance(error, _Refused):
        return f"{error}, which is not followed; make it self-contained"
    wanted = "wanted a video file such as MP4, MOV, MKV or TS"
    return f"not a media file, or cut off before its index ({words_of(error)}); {wanted}"


def words_of(error: BaseException) -> str:
    """What FFmpeg says about an error, without numbers and file names."""
    return str(getattr(error, "strerror", None) or error)
