"""What a coded chunk must be: proved by decoding it once, as soon as it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from archer.media import MediaInfo
from archer.media.colour import UNSPECIFIED
from cinemill_native.frames import Colour
from encoder.errors import ChunkBroken
from encoder.ladder import Rung

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

UNKNOWN = (0, UNSPECIFIED, 3)
"""Code points of H.273 that say nothing: reserved and unspecified."""

UNLOOKED = {"skip_frame": "all"}
"""Opens a coded file without decoding the pictures at its start to see what they are: 13 ms of 720p, which say nothing about
its packets; a decoder that is used then decodes them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An encode that gave no right stream: its quality value, decimal text, and what was wrong."""

    crf: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFacts:
    """What an encoded chunk is.

    Attributes:
        frames: coded pictures that are shown.
        size: bytes of the file.
        payload: bytes of the coded pictures alone.
        crf: its quality value, decimal text, which a peak rate or an encoder that broke may have moved; empty: not known here.
        broken: encodes of it at other values that gave no right stream, see `encoder.unbroken`.
    """

    frames: int
    size: int
    payload: int
    crf: str = ""
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a chunk must be.

    Attributes:
        frames: pictures that went into the encoder.
        width, height: samples.
        pixel_format: ffmpeg's name.
        frame_rate: at which its pictures are numbered.
        colour: facts that the pictures must state; what is unknown is not asked for.
    """

    frames: int
    width: int
    height: int
    pixel_format: str
    frame_rate: Fraction
    colour: Colour

    @classmethod
    def of(cls, info: MediaInfo, rung: Rung, pixel_format: str, *, frames: int) -> Self:
        """What a chunk of a title at a rung must be."""
        return cls(
            frames=frames,
            width=rung.width,
            height=rung.height,
            pixel_format=pixel_format,
            frame_rate=info.video.frame_rate,
            colour=info.video.colour,
        )


def check_chunk(
    path: Path, expected: Expected, on_picture: Callable[[int, VideoFrame], None] | None = None
) -> ChunkFacts:
    """Decode a chunk, and compare it with what was wanted: count, times, size, format, colours; a key frame first.

    Args:
        path, expected: the chunk, and what it must be.
        on_picture: called with the number of each decoded picture and the picture, for those who want to look at it too.

    Raises:
        ChunkBroken: names what is off, with the number of the frame where there is one.
    """
    wanted = expected.frames
    with _opened(path) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        if len(packets) != wanted or len({packet.pts for packet in packets}) != wanted:
            raise ChunkBroken(path.name, f"{wanted} frames went into the encoder, {len(packets)} came out")
        if not packets[0].is_keyframe:
            raise ChunkBroken(path.name, "it does not begin with a key frame")
        decoded = _decoded(packets, stream, path, expected, on_picture)
    if decoded != wanted:
        raise ChunkBroken(path.name, f"{wanted} frames went into the encoder, {decoded} decode")
    return ChunkFacts(frames=wanted, size=path.stat().st_size, payload=sum(packet.size for packet in packets))


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """The file, which has a video stream. Raises: ChunkBroken: it has none, or cannot be read."""
    import av

    try:
        with av.open(str(path), options=UNLOOKED) as container:
            if not container.streams.video:
                raise ChunkBroken(path.name, "it holds no video")
            yield container
    except av.FFmpegError as error:
        raise ChunkBroken(path.name, f"it cannot be read: {error.strerror}") from error


def _decoded(
    packets: list[Packet[Any]],
    stream: VideoStream,
    path: Path,
    expected: Expected,
    on_picture: Callable[[int, VideoFrame], None] | None,
) -> int:
    """How many pictures come out of the decoder, each as it should be."""
    import av

    stream.codec_context.options = {"err_detect": "explode"}
    stream.codec_context.thread_count = 1
    count, tick = 0, Fraction(stream.time_base or 1)
    try:
        for packet in [*packets, None]:
            for picture in stream.decode(packet):
                reason = _difference(picture, count, expected, tick)
                if reason:
                    raise ChunkBroken(path.name, f"frame {count}: {reason}")
                if on_picture is not None:
                    on_picture(count, picture)
                count += 1
    except av.FFmpegError as error:
        raise ChunkBroken(path.name, f"frame {count} cannot be decoded: {error.strerror}") from error
    return count


def _difference(picture: VideoFrame, place: int, expected: Expected, tick: Fraction) -> str:
    """What is not as expected about a decoded picture; empty where nothing is."""
    time = (picture.pts or 0) * tick
    if picture.is_corrupt:
        return "it decodes with errors"
    if abs(time - place / expected.frame_rate) > tick:
        return f"it is at {float(time):.4f} s, wanted {float(place / expected.frame_rate):.4f} s"
    if (picture.width, picture.height) != (expected.width, expected.height):
        return f"size: wanted {expected.width}x{expected.height}, got {picture.width}x{picture.height}"
    if picture.format.name != expected.pixel_format:
        return f"pixel format: wanted {expected.pixel_format}, got {picture.format.name}"
    return _recoloured(picture, expected.colour)


def _recoloured(picture: VideoFrame, wanted: Colour) -> str:
    """What a picture says otherwise about its colours; empty where nothing.

    Where the source does not know all three, some codecs and containers can say none of them.
    """
    pairs = {
        "primaries": (wanted.primaries, int(picture.color_primaries)),
        "transfer": (wanted.transfer, int(picture.color_trc)),
        "matrix": (wanted.matrix, int(picture.colorspace)),
    }
    partly = any(code in UNKNOWN for code, _ in pairs.values())
    for name, (code, got) in pairs.items():
        if code != got and code not in UNKNOWN and not (partly and got in UNKNOWN):
            return f"{name}: wanted {code}, got {got}"
    return ""
