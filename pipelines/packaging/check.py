"""Does a package show what it was made from? Every packet's time, read back from the segments."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from pipelines.packaging.argv import INIT
from pipelines.packaging.errors import CannotPackage, PackageWrong
from pipelines.packaging.keys import ContentKey
from pipelines.packaging.tracks import AudioTrack, TextTrack, Track, VideoTrack
from pipelines.packaging.webvtt import read_cues

MOST_PRIMING = Fraction(1, 4)
"""Seconds of priming before the first sample, at most: Opus 6.5 ms, AAC 21 to 43 ms, HE-AAC up to 120 ms."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When a track is shown.

    Attributes:
        times: presentation time of every packet in decoding order, seconds, exact.
        keys: places of the packets that can be decoded without others.
        end: when the last one ends, seconds.
    """

    times: tuple[Fraction, ...]
    keys: tuple[int, ...]
    end: Fraction = Fraction(0)

    @property
    def start(self) -> Fraction:
        """Presentation time of the earliest packet, seconds."""
        return min(self.times)

    @cached_property
    def _ranks(self) -> dict[Fraction, int]:
        return {time: rank for rank, time in enumerate(sorted(self.times))}

    def number(self, place: int) -> int:
        """Number of the frame of a packet, in presentation order."""
        return self._ranks[self.times[place]]


def timeline(file: Path | BinaryIO) -> Timeline:
    """The times of the one track of a file. Edit lists are applied, nothing is decoded."""
    import av

    source = str(file) if isinstance(file, Path) else file
    times: list[Fraction] = []
    keys: list[int] = []
    end = Fraction(0)
    with av.open(source, "r") as container:
        stream = container.streams[0]
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                keys += [len(times)] if packet.is_keyframe else []
                times.append(packet.pts * packet.time_base)
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
    return Timeline(times=tuple(times), keys=tuple(keys), end=end)


def packaged_timeline(folder: Path, segments: Sequence[str]) -> Timeline:
    """The times of a track as a player sees them: init segment, then all media segments."""
    return timeline(joined(folder, segments))


def joined(folder: Path, segments: Sequence[str]) -> BinaryIO:
    """The init segment, where there is one, and media segments of a track as one file, read front to back."""
    names = (INIT, *segments) if (folder / INIT).is_file() else segments
    parts = [folder / name for name in names]
    return cast("BinaryIO", io.BufferedReader(_Joined(parts)))


def packet_digests(source: Path | BinaryIO, key: ContentKey | None = None) -> list[int]:
    """A checksum of every packet's bytes, decrypted where a key is given."""
    import av

    options = {"decryption_key": key.key.hex()} if key else {}
    with av.open(str(source) if isinstance(source, Path) else source, "r", options=options) as container:
        return [zlib.crc32(packet) for packet in container.demux(container.streams[0]) if packet.size]


def check_decrypts(track: Track, folder: Path, segments: Sequence[str], key: ContentKey) -> None:
    """Decrypt a packaged track with another program, and compare all bytes with the source.

    Raises:
        PackageWrong: a packet comes out different.
    """
    wanted, got = packet_digests(track.path), packet_digests(joined(folder, segments), key)
    off = next(
        (place for place, pair in enumerate(zip(wanted, got, strict=True)) if pair[0] != pair[1]), None
    )
    if off is not None:
        raise PackageWrong(track.folder, f"packet {off} does not decrypt to what went in")


def read_texts(tracks: Sequence[TextTrack], duration: Fraction, log: Callable[[str], None]) -> None:
    """Refuse subtitles that players could not read, and tell which cues they will not show.

    Raises:
        CannotPackage: a file is no WebVTT.
    """
    for track in tracks:
        try:
            cues = read_cues(track.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CannotPackage(track.folder, f"it cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise CannotPackage(track.folder, f"it is no WebVTT in UTF-8: {error}") from error
        unseen = sum(cue.start >= duration or cue.end <= cue.start for cue in cues)
        if unseen:
            log(
                f"{track.folder}: {unseen} of {len(cues)} cues begin after the title's end, or end before they begin"
            )


def segment_packets(path: Path) -> int:
    """Number of pictures in a media segment, which is read with the init segment beside it."""
    return len(packaged_timeline(path.parent, [path.name]).times)


def read_inputs(tracks: Sequence[Track]) -> list[Timeline]:
    """The times of tracks that shall share a package.

    Raises:
        CannotPackage: a track cannot be read, is empty, or does not begin where the others do.
    """
    import av

    timelines = []
    for track in tracks:
        try:
            timelines.append(timeline(track.path))
        except av.error.FFmpegError as error:
            raise CannotPackage(track.folder, f"it cannot be read: {error.strerror}") from error
        reason = _wrong_start(track, timelines[-1])
        if reason:
            raise CannotPackage(track.folder, reason)
    return timelines


def _wrong_start(track: Track, line: Timeline) -> str:
    if not line.times:
        return "it holds no packets; wanted one at least"
    if isinstance(track, VideoTrack) and line.start != 0:
        return f"its first frame is at {float(line.start):.4f} s, wanted 0; shift its times"
    if isinstance(track, AudioTrack) and not -MOST_PRIMING < line.start <= 0:
        return f"its sound begins at {float(line.start):.4f} s, wanted 0; fill or trim its beginning"
    return ""


def check_package(track: Track, given: Timeline, got: Timeline) -> None:
    """Compare a packaged track with its source, packet by packet.

    Raises:
        PackageWrong: names the first packet that is missing or at another time.
    """
    if len(got.times) != len(given.times):
        raise PackageWrong(track.folder, f"{len(given.times)} packets went in, {len(got.times)} came out")
    pairs = enumerate(zip(given.times, got.times, strict=True))
    off = next(((place, wanted, found) for place, (wanted, found) in pairs if wanted != found), None)
    if off is not None:
        place, wanted, found = off
        why = (
            "; write the rendition with an edit list, not with negative composition offsets"
            if place == 0
            else ""
        )
        raise PackageWrong(
            track.folder, f"packet {place} is at {float(found):.4f} s, was at {float(wanted):.4f} s{why}"
        )


def aligned(videos: Sequence[Sequence[int]]) -> bool:
    """True where all rungs are cut at the same frames, so that a player can switch at every segment.

    Args:
        videos: frames of the segments of each rung.
    """
    return len({tuple(frames) for frames in videos}) <= 1


class _Joined(io.RawIOBase):
    """Files read as one, front to back: what a player's buffer gets."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._rest: Iterator[Path] = iter(paths)
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._file is None:
                path = next(self._rest, None)
                if path is None:
                    return 0
                self._file = path.open("rb")
            count = self._file.readinto(buffer)  # type: ignore[attr-defined]
            if count:
                return int(count)
            self._file.close()
            self._file = None
