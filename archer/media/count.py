"""Count the frames of a title exactly: from its packets where they say it all, else by decoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from archer.media.container import opened, use_threads, video_stream
from archer.media.errors import InvalidMedia
from archer.media.index import FrameIndex

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

TRUSTED_CONTAINERS = frozenset({"mov", "mp4", "matroska", "webm"})
TRUSTED_CODECS = frozenset({"h264", "hevc", "av1", "libdav1d", "vp9", "prores", "dnxhd", "mjpeg", "ffv1"})
"""Where one packet is one shown frame with its own time; field pictures, hidden frames and raw streams need decoding."""


@dataclass(slots=True)
class Count:
    """What a pass over the packets or frames found.

    Attributes:
        index: the frames.
        packets: packets of the stream, those outside the edit list included.
        errors: packets that could not be decoded, and frames marked as damaged.
        sizes: (width, height) of the pictures met, in order, without repeats.
    """

    index: FrameIndex
    packets: int
    errors: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)


def count(url: str, *, threads: int = 1) -> Count:
    """Count the frames of the title at `url`.

    Raises:
        InvalidMedia: there is not a single frame.
    """
    found = _by_packets(url) or _by_decoding(url, threads)
    if len(found.index) == 0:
        raise InvalidMedia(url, "its video stream holds no frame that can be decoded; wanted at least one")
    return found


def _by_packets(url: str) -> Count | None:
    """The count that the packets give; None where they do not say it all."""
    with opened(url) as container:
        stream = video_stream(container, url)
        name = stream.codec_context.name
        if not TRUSTED_CONTAINERS & set(container.format.name.split(",")) or name not in TRUSTED_CODECS:
            return None
        packets = [packet for packet in _demux(container, stream.index) if packet.size]
    shown = [packet for packet in packets if not packet.is_discard]
    times = sorted(packet.pts for packet in shown if packet.pts is not None)
    if not shown or not _trustworthy(packets, shown, times):
        return None
    pts = np.array(times, np.int64)
    keys = np.searchsorted(pts, sorted(p.pts for p in shown if p.is_keyframe and p.pts is not None))
    return Count(index=FrameIndex(pts=pts, keys=keys.astype(np.int64), counted_by="demux"), packets=len(packets))


def _trustworthy(packets: list[Packet], shown: list[Packet], times: list[int]) -> bool:
    """True where every shown packet has a time of its own and the first one starts the stream."""
    keys = [packet for packet in packets if packet.is_keyframe]
    first_key = keys[0].pts if keys and packets[0].is_keyframe else None
    return (
        len(set(times)) == len(shown)
        and first_key is not None
        and all(packet.pts is not None and packet.pts >= first_key for packet in packets)
        and not any(packet.is_corrupt for packet in packets)
    )


def _by_decoding(url: str, threads: int) -> Count:
    pts: list[int | None] = []
    keys: list[int] = []
    found = Count(index=FrameIndex(pts=np.array([], np.int64), keys=np.array([], np.int64), counted_by="decode"), packets=0)
    with opened(url) as container:
        stream = video_stream(container, url)
        use_threads(stream, threads)
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        time_base = stream.time_base or Fraction(1, 90000)
        for frame in decoded(container, stream.index, found):
            if frame.key_frame:
                keys.append(len(pts))
            pts.append(frame.pts)
    found.index = _index(pts, keys, int(round(1 / (rate * time_base))) or 1, found)
    return found


def decoded(container: InputContainer, stream: int, found: Count) -> Iterator[VideoFrame]:
    """Frames of a stream in presentation order, going on behind damaged packets, which `found` counts."""
    import av

    for packet in _demux(container, stream):
        found.packets += 1 if packet.size else 0
        try:
            frames = packet.decode()
        except av.FFmpegError:
            found.errors += 1
            continue
        for frame in frames:
            found.errors += bool(frame.is_corrupt)
            if not found.sizes or found.sizes[-1] != (frame.width, frame.height):
                found.sizes.append((frame.width, frame.height))
            yield frame  # type: ignore[misc]  # a video stream gives video frames


def _index(pts: list[int | None], keys: list[int], step: int, found: Count) -> FrameIndex:
    """The index; frames without a usable time are spaced at the nominal rate and never sought."""
    timed = all(time is not None for time in pts) and all(
        a < b for a, b in zip(pts, pts[1:], strict=False) if a is not None and b is not None
    )
    values = [time or 0 for time in pts] if timed else [step * place for place in range(len(pts))]
    return FrameIndex(
        pts=np.array(values, np.int64),
        keys=np.array(keys, np.int64),
        counted_by="decode",
        seekable=timed and found.errors == 0 and bool(keys) and keys[0] == 0,
    )


def _demux(container: InputContainer, stream: int) -> Iterator[Packet]:
    """Packets of one stream, up to the first place where the container itself is broken."""
    import av

    try:
        yield from container.demux(container.streams[stream])
    except av.FFmpegError:
        return
