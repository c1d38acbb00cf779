"""Look at a coded chunk at once: is it what went in, and does all of it decode?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archer.media.colour import UNSPECIFIED
from cinemill_native.frames import Colour
from encoder.errors import ChunkBroken

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

UNKNOWN = (0, UNSPECIFIED)


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


def verify_chunk(path: Path, expected: Expected) -> ChunkFacts:
    """Read and decode a chunk, and compare it with what was wanted.

    Raises:
        ChunkBroken: names what is off, with the number of the frame where there is one.
    """
    payload = _verify_packets(path, expected.frames)
    _verify_pictures(path, expected)
    return ChunkFacts(frames=expected.frames, size=path.stat().st_size, payload=payload)


def _verify_packets(path: Path, wanted: int) -> int:
    """Count, distinct times and a key frame first; returns the bytes of all packets."""
    import av

    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        if len(found) != wanted or len({packet.pts for packet in found}) != wanted:
            raise ChunkBroken(path.name, f"{wanted} frames went into the encoder, {len(found)} came out")
        if not found[0].is_keyframe:
            raise ChunkBroken(path.name, "it does not begin with a key frame")
        return sum(packet.size for packet in found)


def _verify_pictures(path: Path, expected: Expected) -> None:
    import av

    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        stream.codec_context.thread_count = 1
        try:
            for picture in container.decode(stream):
                reason = _difference(picture, count, expected)
                if reason:
                    raise ChunkBroken(path.name, f"frame {count}: {reason}")
                count += 1
        except av.FFmpegError as error:
            raise ChunkBroken(path.name, f"frame {count} cannot be decoded: {error.strerror}") from error
    if count != expected.frames:
        raise ChunkBroken(path.name, f"{expected.frames} frames went into the encoder, {count} decode")


def _difference(picture: VideoFrame, place: int, expected: Expected) -> str:
    """What is not as expected about a decoded picture; empty where nothing is."""
    time = Fraction(picture.pts or 0) * Fraction(picture.time_base or 1)
    tick = Fraction(picture.time_base or 1)
    pairs: list[tuple[str, Any, Any]] = [
        ("size", (expected.width, expected.height), (picture.width, picture.height)),
        ("pixel format", expected.pixel_format, picture.format.name),
        ("primaries", expected.colour.primaries, int(picture.color_primaries)),
        ("transfer", expected.colour.transfer, int(picture.color_trc)),
        ("matrix", expected.colour.matrix, int(picture.colorspace)),
    ]
    if picture.is_corrupt:
        return "it decodes with errors"
    if abs(time - place / expected.frame_rate) > tick:
        return f"it is at {float(time):.4f} s, wanted {float(place / expected.frame_rate):.4f} s"
    off = next((pair for pair in pairs if pair[1] != pair[2] and pair[1] not in UNKNOWN), None)
    return f"{off[0]}: wanted {off[1]}, got {off[2]}" if off else ""
