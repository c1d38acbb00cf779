"""Closed captions in the pictures of a file: read, and put in, without decoding a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from archer.media import MediaInfo
from archer.media.bitstream import unit_lengths
from archer.media.container import opened, packets, video_stream
from encoder.cea import CARRIERS, CODECS, Carried, caption_units, triplets_of, with_captions

if TYPE_CHECKING:
    from av.packet import Packet

LOOK = 600
"""Captions take a fixed share of a stream, silent or not: where so many pictures carry none, no later one is looked at."""


def read_carried(url: str, info: MediaInfo) -> list[Carried]:
    """When each picture with captions is shown, and its captions; in that order.

    Args:
        url: of one file.
        info: its facts; times are counted from its first frame.
    """
    found: list[Carried] = []
    with opened(url) as container:
        stream = video_stream(container, url)
        codec = stream.codec_context.name
        if codec not in CODECS:
            return []
        size = unit_lengths(codec, bytes(stream.codec_context.extradata or b""))
        for number, packet in enumerate(packets(container, stream, broken=lambda _: None)):
            triplets = triplets_of(memoryview(bytes(packet)), codec, size)
            if triplets and packet.pts is not None:
                found.append((packet.pts * Fraction(packet.time_base) - info.zero, triplets))
            elif not found and number >= LOOK:
                break
    return sorted(found, key=lambda one: one[0])


@dataclass(frozen=True, slots=True)
class Captions:
    """What the pictures of a rendition are to carry: triplets by frame; nothing of codecs that do not carry them."""

    codec: str = ""
    frames: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, chunk: Path, frames: Mapping[int, bytes]) -> Self:
        """For renditions that are coded as this chunk is."""
        import av

        if not frames:
            return cls()
        with av.open(str(chunk)) as container:
            codec = container.streams.video[0].codec_context.name
        return cls(codec, frames) if codec in CARRIERS else cls()

    def size(self, frame: int) -> int:
        """Bytes that a frame's captions take."""
        return len(caption_units(self.frames[frame], self.codec)) if frame in self.frames else 0

    def put(self, packet: Packet[Any], frame: int) -> Packet[Any]:
        """The packet with its captions in it."""
        import av

        if frame not in self.frames:
            return packet
        made: Packet[Any] = av.Packet(with_captions(bytes(packet), self.frames[frame], self.codec))
        made.is_keyframe = packet.is_keyframe
        return made
