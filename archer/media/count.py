"""Count the frames of a title exactly: from its packets where they say it all, else by decoding."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

import mezzfs
from archer.media.bitstream import Syntax, syntax_of
from archer.media.container import keep_only, opened, packets, use_threads, video_stream
from archer.media.ebml import is_torn
from archer.media.errors import InvalidMedia
from archer.media.fields import field_order
from archer.media.index import FrameIndex

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

TIMED = frozenset({"mov", "matroska", "webm"})
"""Containers in which every packet is one access unit with its own presentation time. Transport streams are not among
them: they come over lossy ways, so they are decoded once to know."""

TORN = "the file ends in the middle of a packet"
Shown = tuple[int | None, int, bool]
"""A shown picture: presentation time and duration in ticks, damaged."""


@dataclass(slots=True)
class Count:
    """What a pass over the packets or frames found.

    Attributes:
        format: FFmpeg's name of the container.
        index: the frames.
        packets: coded pictures, those never shown included.
        sizes: (width, height) of the decoded pictures, in order, without repeats; empty where none was decoded.
        fields: order of the fields of the first interlaced picture that was decoded; empty where none was.
        end: presentation end of the last packet of any stream that was read, seconds.
        beyond: packets that the container's index places behind the end of the file.
        broken: in words, why the container cannot be read to its end; empty where it can.
        untimed: frames whose times were made up.
    """

    format: str = ""
    index: FrameIndex = field(default_factory=FrameIndex.empty)
    packets: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    fields: str = ""
    end: Fraction = Fraction(0)
    beyond: int = 0
    broken: str = ""
    untimed: int = 0


def count(url: str, *, threads: int = 1, decode: bool = False) -> Count:
    """Count the frames of the title at `url`.

    Args:
        url: path or URL.
        threads: of the decoder, where it is needed.
        decode: decode every frame even where the packets say it all; finds damage that packets hide.

    Raises:
        InvalidMedia: there is not a single frame.
    """
    found = (None if decode else _by_packets(url)) or _by_decoding(url, threads)
    if len(found.index) == 0:
        raise InvalidMedia(url, "its video stream holds no frame that can be decoded; wanted at least one")
    if "matroska" in found.format and not found.broken and _is_torn(url):
        found.broken = TORN
    return found


def _is_torn(url: str) -> bool:
    with mezzfs.open(url) as file:
        return is_torn(file, file.seek(0, os.SEEK_END))


def is_timed(container: InputContainer) -> bool:
    """The container gives every packet its own presentation time."""
    return bool(TIMED & set(container.format.name.split(",")))


def _by_packets(url: str) -> Count | None:
    """The count that the packets give; None where they do not say it all."""
    found, shown, keys = Count(), list[Shown](), dict[int, int]()
    with opened(url) as container:
        stream = video_stream(container, url)
        syntax = _syntax(stream)
        if not is_timed(container) or syntax.shown is None:
            return None
        first: int | None = None
        for packet in _pictures(container, stream, found):
            pictures = syntax.shown(memoryview(packet))
            entry = _entry(packet, syntax)
            first = packet.pts if first is None and entry else first
            if not _certain(packet, pictures, first):
                return None
            if pictures and packet.pts is not None and not packet.is_discard:
                shown.append((packet.pts, packet.duration or 0, False))
                if entry:
                    keys[packet.pts] = _position(packet)
    if found.broken or len({pts for pts, _, _ in shown}) != len(shown):
        return None
    found.index = _indexed(shown, keys, counted_by="demux")
    return found


def _certain(packet: Packet[Any], pictures: int, first: int | None) -> bool:
    """A packet surely gives `pictures` frames; leading pictures of the first key frame may not be decodable."""
    if packet.is_corrupt or packet.has_sidedata("new_extradata") or pictures > 1:
        return False
    return packet.pts is not None and first is not None and packet.pts >= first


def _by_decoding(url: str, threads: int) -> Count:
    found, shown, keys, lost = Count(), list[Shown](), dict[int, int](), 0
    with opened(url) as container:
        stream = video_stream(container, url)
        use_threads(stream, threads)
        syntax = _syntax(stream)
        for packet in chain(_pictures(container, stream, found), [None]):
            if packet is not None and packet.pts is not None and _entry(packet, syntax):
                keys[packet.pts] = _position(packet)
            pictures, error = decoded(stream, packet)
            lost += bool(error)
            for picture in pictures:
                shown.append((picture.pts, picture.duration or 0, picture.is_corrupt))
                _note(found, picture)
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        step = round(1 / (rate * (stream.time_base or Fraction(1, 90000)))) or 1
    times = [pts for pts, _, _ in shown]
    found.untimed = len(times) - len({*times} - {None})
    if found.untimed:
        shown = [
            (pts, step, damaged) for pts, (_, _, damaged) in zip(_made_up(times, step), shown, strict=True)
        ]
    found.index = _indexed(
        shown, {} if found.untimed else keys, lost=lost, counted_by="decode", seekable=not found.untimed
    )
    return found


def decoded(stream: AvVideoStream, packet: Packet[Any] | None) -> tuple[list[VideoFrame], str]:
    """Pictures that come out when `packet` (None: the end) goes in, and FFmpeg's words where it cannot be decoded."""
    import av

    try:
        return stream.decode(packet), ""
    except av.EOFError:
        return [], ""
    except av.FFmpegError as error:
        return [], str(error.strerror)


def _pictures(container: InputContainer, stream: AvVideoStream, found: Count) -> Iterator[Packet[Any]]:
    """Packets of the video stream; notes in `found` what concerns the file as a whole."""
    found.format = container.format.name
    if "mov" in found.format:  # its header says how long the others are
        found.beyond = _beyond(container, stream)
        keep_only(container, stream)
    ends: dict[int, int] = {}

    def broken(words: str) -> None:
        found.broken = words

    for packet in packets(container, broken=broken):
        ends[packet.stream_index] = max(
            ends.get(packet.stream_index, 0), (packet.pts or 0) + (packet.duration or 0)
        )
        if packet.stream_index == stream.index:
            found.packets += 1
            yield packet
    found.end = max(
        (ticks * (container.streams[place].time_base or Fraction(0)) for place, ticks in ends.items()),
        default=Fraction(0),
    )


def _beyond(container: InputContainer, stream: AvVideoStream) -> int:
    size = container.size
    return sum(entry.pos + entry.size > size for entry in stream.index_entries)


def _syntax(stream: AvVideoStream) -> Syntax:
    context = stream.codec_context
    return syntax_of(context.codec.canonical_name, bytes(context.extradata or b""))


def _entry(packet: Packet[Any], syntax: Syntax) -> bool:
    return bool(packet.is_keyframe) and syntax.entry(memoryview(packet))


def _position(packet: Packet[Any]) -> int:
    return -1 if packet.pos is None else packet.pos


def _note(found: Count, picture: VideoFrame) -> None:
    if picture.interlaced_frame and not found.fields:
        found.fields = field_order(picture)
    if not found.sizes or found.sizes[-1] != (picture.width, picture.height):
        found.sizes.append((picture.width, picture.height))


def _made_up(times: Iterable[int | None], step: int) -> Iterator[int]:
    """Strictly rising times: those that are there, and the previous one plus `step` where they are missing or repeat."""
    last: int | None = None
    for time in times:
        if time is None or (last is not None and time <= last):
            time = 0 if last is None else last + step
        last = time
        yield time


def _indexed(
    shown: list[Shown], keys: Mapping[int, int], *, lost: int = 0, counted_by: str, seekable: bool = True
) -> FrameIndex:
    """The index of pictures with distinct times.

    Args:
        shown: pictures in any order.
        keys: presentation time -> byte position of the packets at which decoding can start.
        lost: packets that gave nothing.
        counted_by: as in `FrameIndex`.
        seekable: as in `FrameIndex`.
    """
    ordered = sorted((pts or 0, duration, damaged) for pts, duration, damaged in shown)
    entries = [place for place, (pts, _, damaged) in enumerate(ordered) if pts in keys and not damaged]
    return FrameIndex(
        pts=np.array([pts for pts, _, _ in ordered], np.int64),
        keys=np.array(entries, np.int64),
        positions=np.array([keys[ordered[place][0]] for place in entries], np.int64),
        last=ordered[-1][1] if ordered else 0,
        damaged=np.array([place for place, (_, _, damaged) in enumerate(ordered) if damaged], np.int64),
        lost=lost,
        counted_by=counted_by,
        seekable=seekable,
    )
