"""Decode a range of a title from the best key frame, and prove every picture by its time."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from archer.media.container import keep_only, opened, packets, use_threads, video_stream
from archer.media.count import decoded
from archer.media.errors import DecodeError, FrameRangeError, ShortDecode
from archer.media.info import MediaInfo
from archer.media.range import FrameRange

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

BYTE_SEEK = frozenset({"mpegts", "mpeg"})
"""Formats without an index, in which a key frame is sought by its byte position."""

Entry = tuple[int, int] | None
"""Where decoding starts: a key frame and its byte position (-1: unknown), or the start of the file."""

SKIPPABLE = frozenset({"h264"})
"""Decoders that may leave out pictures before the range from which no other is predicted."""

REORDER = 16
"""Pictures that a decoder may give too early (H.264 and HEVC hold back at most 16)."""


class Reader:
    """Reads ranges of one title; every range opens it anew, so ranges never share a decoder's state.

    Attributes:
        decoded: pictures that came out of decoders so far.
        restarts: how often a range had to start again further back.
        hasty: decoding ends with the last packet of a range; False once that was too early.
    """

    def __init__(self, url: str, info: MediaInfo, *, threads: int = 1) -> None:
        self._url, self._info, self._threads = url, info, threads
        self._damaged = frozenset(info.index.damaged.tolist())
        self._why = ""
        self.decoded = self.restarts = 0
        self.hasty = True

    def pictures(self, wanted: FrameRange) -> Iterator[tuple[int, VideoFrame]]:
        """Exactly the pictures of a range with their frame numbers, in presentation order.

        Raises:
            FrameRangeError: the range reaches beyond the title.
            ShortDecode: decoding ended before the range did.
            DecodeError: a frame cannot be decoded, or comes out damaged, and probing did not say so.
        """
        if wanted.end > self._info.frame_count:
            text = f"frames [{wanted.start}, {wanted.end}) asked for, it has {self._info.frame_count}"
            raise FrameRangeError(self._url, text)
        following = wanted.start
        entries = self._info.index.entries(following)
        while following < wanted.end:
            try:
                entry = next(entries)
            except StopIteration:
                raise self._failure(following) from None
            for place, picture in self._from(entry, FrameRange(following, wanted.end)):
                yield place, picture
                following = place + 1
                entries = self._info.index.entries(following)
            if following < wanted.end:
                self.restarts += 1
                entries = self._info.index.entries(following) if self.hasty else entries
                self.hasty = False

    def _failure(self, frame: int) -> DecodeError:
        kind = DecodeError if self._why else ShortDecode
        why = self._why or "decoding ends before it"
        text = (
            f"frame {frame} of {self._info.frame_count}: {why}; the file is damaged there, get a clean copy"
        )
        return kind(self._url, text, frame)

    def _from(self, entry: Entry, wanted: FrameRange) -> Iterator[tuple[int, VideoFrame]]:
        """Pictures of a range that come as the index says, decoding from `entry`; ends early where they do not."""
        self._why = ""
        choose = self._by_time if self._info.index.seekable else self._by_number
        with closing(self._decode(entry, wanted)) as found:
            yield from choose(found, wanted)

    def _decode(self, entry: Entry, wanted: FrameRange) -> Generator[VideoFrame]:
        """Pictures from an entry on, without those shown before it; ends where one is damaged that should not be."""
        first = None if entry is None else int(self._info.index.pts[entry[0]])
        span = self._info.index.span(0 if entry is None else entry[0], wanted.end)
        with opened(self._url, hints=[span] if span else []) as container:
            stream = video_stream(container, self._url)
            use_threads(stream, self._threads)
            keep_only(container, stream)
            start = int(self._info.index.pts[wanted.start]) if self._skips(container, stream) else None
            for packet in self._needed(self._packets(container, stream, entry), wanted):
                if start is not None:
                    needed = packet is None or packet.pts is None or packet.pts >= start
                    stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
                pictures, error = decoded(stream, packet)
                leading = (
                    packet is not None and first is not None and packet.pts is not None and packet.pts < first
                )
                if error and not leading and not self._info.index.lost:
                    self._why = f"it cannot be decoded ({error})"
                    return
                for picture in pictures:
                    self.decoded += 1
                    if first is None or (picture.pts is not None and picture.pts >= first):
                        yield picture

    def _skips(self, container: InputContainer, stream: AvVideoStream) -> bool:
        """Whether pictures before the range may be left out: not where damage is known or likely, whose repair needs them."""
        index = self._info.index
        sound = index.seekable and not index.lost and not self._damaged
        return sound and container.format.name not in BYTE_SEEK and stream.codec_context.name in SKIPPABLE

    def _packets(
        self, container: InputContainer, stream: AvVideoStream, entry: Entry
    ) -> Iterator[Packet[Any] | None]:
        """Packets from an entry on, then None; nothing at all where the entry is not found."""
        started = entry is None
        if entry is not None:
            pts = int(self._info.index.pts[entry[0]])
            if not _seek(container, stream, pts, entry[1]):
                return
        for packet in packets(container, stream, broken=self._broken):
            if not started and entry is not None:
                started = packet.pts == pts and packet.is_keyframe
                if not started and packet.is_keyframe and packet.pts is not None and packet.pts > pts:
                    return
            if started:
                yield packet
        if started:
            yield None

    def _needed(
        self, found: Iterator[Packet[Any] | None], wanted: FrameRange
    ) -> Iterator[Packet[Any] | None]:
        """Packets up to the last one of a range in decoding order, then None, so that what the decoder holds back comes out.

        All of them where packets and pictures are not known to be one to one.
        """
        index = self._info.index
        if not (self.hasty and index.seekable and index.counted_by == "demux"):
            yield from found
            return
        left = set(index.pts[wanted.start : wanted.end].tolist())
        for packet in found:
            yield packet
            if packet is not None and not packet.is_discard:
                left.discard(packet.pts)
            if not left:
                yield None
                return

    def _broken(self, words: str) -> None:
        if self._info.index.counted_by == "demux":
            self._why = f"the container is broken there ({words})"

    def _by_time(self, found: Iterator[VideoFrame], wanted: FrameRange) -> Iterator[tuple[int, VideoFrame]]:
        """Pictures of a range by their times; ends where one is missing, unknown or damaged."""
        early: dict[int, VideoFrame] = {}
        following = wanted.start
        for picture in found:
            place = self._info.index.place(picture.pts)
            if place is None:
                self._why = f"a picture at {picture.pts} appears that the index does not know"
                return
            if picture.is_corrupt and place not in self._damaged:
                self._why = "it" if place == following else f"frame {place}, from which it is predicted,"
                self._why += " decodes with errors"
                return
            if place >= following:
                early[place] = picture
            while following in early:
                yield following, early.pop(following)
                following += 1
                if following >= wanted.end:
                    return
            if len(early) > REORDER:
                return

    def _by_number(self, found: Iterator[VideoFrame], wanted: FrameRange) -> Iterator[tuple[int, VideoFrame]]:
        """Pictures of a range of a title without usable times, counted from its start."""
        for place, picture in enumerate(found):
            if picture.is_corrupt and place not in self._damaged:
                self._why = f"frame {place} decodes with errors"
                return
            if place >= wanted.start:
                yield place, picture
            if place + 1 >= wanted.end:
                return


def _seek(container: InputContainer, stream: AvVideoStream, pts: int, position: int) -> bool:
    import av

    try:
        if position >= 0 and container.format.name in BYTE_SEEK:
            container.seek(position, stream=stream, unsupported_byte_offset=True)
        else:
            container.seek(pts, stream=stream)
    except av.FFmpegError:
        return False
    return True
