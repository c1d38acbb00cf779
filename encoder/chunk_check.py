"""What a coded chunk must be: proved by decoding it once, as soon as it is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoder.errors import ChunkBroken
from encoder.ladder import Rung

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkFacts:
    """What an encoded chunk is.

    Attributes:
        frames: coded pictures that are shown.
        size: bytes of the file.
        payload: bytes of the coded pictures alone.
    """

    frames: int
    size: int
    payload: int


def check_chunk(path: Path, wanted: int, rung: Rung, pixel_format: str) -> ChunkFacts:
    """Decode a chunk: it must hold exactly the frames that went in, at distinct times, and begin with a key frame.

    Args:
        path: what the encoder wrote.
        wanted: how many frames went into it.
        rung: the size of its pictures.
        pixel_format: FFmpeg's name of their format.

    Raises:
        ChunkBroken: what is off.
    """
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        if len(packets) != wanted or len({packet.pts for packet in packets}) != wanted:
            raise ChunkBroken(path.name, f"{wanted} frames went into the encoder, {len(packets)} came out")
        if not packets[0].is_keyframe:
            raise ChunkBroken(path.name, "it does not begin with a key frame")
        try:
            times = _decoded(packets, stream, path, (rung.width, rung.height, pixel_format))
        except av.FFmpegError as error:
            raise ChunkBroken(path.name, f"it does not decode ({error.strerror})") from error
    if times != sorted(packet.pts or 0 for packet in packets):
        raise ChunkBroken(path.name, f"{len(times)} of its {wanted} frames decode, or out of order")
    return ChunkFacts(frames=wanted, size=path.stat().st_size, payload=sum(packet.size for packet in packets))


def _decoded(
    packets: list[Packet[Any]], stream: VideoStream, path: Path, shape: tuple[int, int, str]
) -> list[int]:
    """Times of all pictures as they come out of the decoder."""
    stream.codec_context.thread_count = 1
    times: list[int] = []
    for packet in [*packets, None]:
        for picture in stream.decode(packet):
            got = (picture.width, picture.height, picture.format.name)
            if got != shape or picture.is_corrupt:
                text = "{}x{} {}".format(*got) + (", damaged" if picture.is_corrupt else "")
                raise ChunkBroken(
                    path.name, "wanted {}x{} {}, frame {} is ".format(*shape, len(times)) + text
                )
            times.append(picture.pts or 0)
    return times
