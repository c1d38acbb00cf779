"""Open a title for FFmpeg's libraries such that nothing but the title itself is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mezzfs
from archer.media.errors import InvalidMedia, NoVideo

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream as AvVideoStream

REFUSED = frozenset({"concat", "hls", "dash", "applehttp", "imf", "webm_dash_manifest", "ffmetadata", "tty", "lavfi"})
"""Formats that are lists of other files or generators: following them would read what the user did not name."""


@contextmanager
def opened(url: str, *, hints: Sequence[tuple[int, int]] = ()) -> Iterator[InputContainer]:
    """The demuxer of the title at `url`, read through `mezzfs.open`.

    FFmpeg gets a file object, never a name, and the protocol whitelist is empty of anything it could follow.

    Raises:
        InvalidMedia: not a media file, or broken beyond opening.
        mezzfs.MezzError: it cannot be read at all.
    """
    import av

    with mezzfs.open(url, hints=hints) as file:
        try:
            container = av.open(file, "r", options={"protocol_whitelist": "file,pipe"}, metadata_errors="replace")
        except (av.FFmpegError, ValueError) as error:
            reason = "not a media file, or cut off before its index"
            raise InvalidMedia(url, f"{reason} ({_words(error)}); wanted a video file such as MP4, MOV, MKV or TS") from error
        with container:
            if REFUSED & set(container.format.name.split(",")):
                raise InvalidMedia(url, f"{container.format.name}: a list of other files; name the media file itself")
            yield container


def video_stream(container: InputContainer, url: str) -> AvVideoStream:
    """The video stream to use: the default one, else the first; attached pictures are not video.

    Raises:
        NoVideo: there is none.
    """
    from av.stream import Disposition

    found = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not found:
        kinds = ", ".join(sorted({str(stream.type) for stream in container.streams})) or "no stream at all"
        raise NoVideo(url, f"no video stream (it holds: {kinds}); wanted a file with video")
    chosen = [stream for stream in found if stream.disposition & Disposition.default]
    return (chosen or found)[0]


def use_threads(stream: Any, threads: int) -> None:
    """Let the decoder use `threads`, in slices only: frame threads hide errors and add delay."""
    stream.codec_context.thread_count = threads
    stream.codec_context.thread_type = "SLICE"


def _words(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
