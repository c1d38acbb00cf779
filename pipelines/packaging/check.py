"""Does a package show what it was made from? Every packet's time, read back from the segments."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

from pipelines.packaging.argv import INIT
from pipelines.packaging.errors import CannotPackage, PackageWrong
from pipelines.packaging.tracks import AudioTrack, Track, VideoTrack

MOST_PRIMING = Fraction(1, 4)
"""Seconds of priming before the first sample, at most: Opus 6.5 ms, AAC 21 to 43 ms, HE-AAC up to 120 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """When a track is shown.

    Attributes:
        times: presentation time of every packet in decoding order, seconds, exact.
        keys: places of the packets that can be decoded without others.
    """

    times: tuple[Fraction, ...]
    keys: tuple[int, ...]

    @property
    def start(self) -> Fraction:
        """Presentation time of the earliest packet, seconds."""
        return min(self.times)


def timeline(file: Path | BinaryIO) -> Timeline:
    """The times of the one track of a file. Edit lists are applied, nothing is decoded."""
    import av

    source = str(file) if isinstance(file, Path) else file
    times: list[Fraction] = []
    keys: list[int] = []
    with av.open(source, "r") as container:
        stream = container.streams[0]
        for packet in container.demux(stream):
            if packet.pts is not None and packet.size:
                keys += [len(times)] if packet.is_keyframe else []
                times.append(packet.pts * packet.time_base)
    return Timeline(times=tuple(times), keys=tuple(keys))


def packaged_timeline(folder: Path, segments: Sequence[str]) -> Timeline:
    """The times of a track as a player sees them: init segment, then all media segments."""
    return timeline(
        cast("BinaryIO", io.BufferedReader(_Joined([folder / name for name in (INIT, *segments)])))
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


def check_text(name: str, given: Path, segments: Sequence[Path]) -> None:
    """Compare packaged subtitles with their source, cue by cue; one that spans segments stands in each.

    Raises:
        PackageWrong: names the first cue that is missing or new.
    """
    wanted = _cues(given.read_text(encoding="utf-8"))
    found = {cue for segment in segments for cue in _cues(segment.read_text(encoding="utf-8"))}
    for cue in sorted(wanted ^ found):
        state = "lost" if cue in wanted else "new"
        raise PackageWrong(name, f"the cue at {cue[0]} is {state}: {cue[2][:60]!r}")


def _cues(text: str) -> set[tuple[str, str, str]]:
    """Start, end and text of every cue of a WebVTT file."""
    found = set()
    for block in text.split("\n\n"):
        lines = block.strip().split("\n")
        place = next((place for place, line in enumerate(lines) if " --> " in line), -1)
        if place >= 0:
            start, _, rest = lines[place].partition(" --> ")
            found.add((start, rest.split(" ")[0], "\n".join(lines[place + 1 :])))
    return found


def aligned(videos: Sequence[Sequence[Fraction]]) -> bool:
    """True where all rungs are cut at the same times, so that a player can switch at every segment.

    Args:
        videos: durations of the segments of each rung.
    """
    return len({tuple(durations) for durations in videos}) <= 1


class _Joined(io.RawIOBase):
    """Files read as one, front to back: what a player's buffer gets."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._rest: Iterator[Path] = iter(paths)
        self._file: BinaryIO | None = None

    def readable(self) -> bool:
        return True

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
