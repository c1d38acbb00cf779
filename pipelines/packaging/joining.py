"""Pieces that Shaka Packager cut become the segments of a plan: files are joined, playlists and the MPD written anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipelines.packaging.argv import IFRAMES, MANIFEST, PLAYLIST
from pipelines.packaging.cuts import SLACK, groups
from pipelines.packaging.errors import PackageWrong
from pipelines.packaging.manifests import read_playlist
from pipelines.packaging.tracks import Track, VideoTrack

_TIMELINE = re.compile(
    r'(timescale="(\d+)"[^>]*media="([^"/]+)/[^>]*>\s*<SegmentTimeline>\n)(.*?)(\s*</SegmentTimeline>)',
    re.DOTALL,
)
_STEP = re.compile(r'<S(?: t="(\d+)")? d="(\d+)"(?: r="(\d+)")?/>')
_RANGE = re.compile(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\S+)")
_LEADING = (b"styp", b"sidx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A media segment as the packager cut it: when it begins and how long it is, in ticks of so many per second."""

    start: int
    length: int
    scale: int

    @property
    def time(self) -> Fraction:
        """When it begins, seconds."""
        return Fraction(self.start, self.scale)


def join_pieces(tracks: Sequence[Track], times: Sequence[Fraction], out: Path) -> None:
    """Make the segments of a package begin at `times`; those of sound at their first piece from then on.

    Args:
        tracks: what the packager wrote.
        times: when each segment but the first begins.
        out: the package.

    Raises:
        PackageWrong: a rendition has no piece that begins at one of the times.
    """
    path = out / MANIFEST
    text = path.read_text(encoding="utf-8")
    plans: dict[str, tuple[list[Piece], list[list[int]]]] = {}
    for track in tracks:
        found = read_pieces(text, track.folder)
        made = groups([piece.time for piece in found], times)
        if isinstance(track, VideoTrack):
            _check(track, [found[one[0]].time for one in made[1:]], times)
        plans[track.folder] = found, made
        _join(out / track.folder, [found[one[0]].time for one in made], found, made)
    path.write_text(_TIMELINE.sub(lambda match: _timeline(match, plans), text), encoding="utf-8")


def read_pieces(mpd: str, folder: str) -> list[Piece]:
    """The segments of a track, as the MPD lists them."""
    found = next(match for match in _TIMELINE.finditer(mpd) if match[3] == folder)
    pieces: list[Piece] = []
    at = 0
    for start, length, more in _STEP.findall(found[4]):
        at = int(start) if start else at
        for _ in range(1 + int(more or 0)):
            pieces.append(Piece(start=at, length=int(length), scale=int(found[2])))
            at += int(length)
    return pieces


def _check(track: VideoTrack, got: Sequence[Fraction], wanted: Sequence[Fraction]) -> None:
    if len(got) != len(wanted) or any(
        abs(one - other) > SLACK for one, other in zip(got, wanted, strict=True)
    ):
        raise PackageWrong(
            track.folder, f"it is not cut at {', '.join(f'{float(time):.3f}' for time in wanted)} s"
        )


def _join(
    folder: Path, starts: Sequence[Fraction], found: Sequence[Piece], made: Sequence[Sequence[int]]
) -> None:
    """Join the files of a track, and write its playlists anew."""
    playlist = folder / PLAYLIST
    names = read_playlist(playlist.read_text(encoding="utf-8")).segments
    moved: dict[str, tuple[str, int]] = {}
    for number, places in enumerate(made, 1):
        moved |= _joined(folder, [names[place] for place in places], f"{number}.m4s")
    for name in names:
        (folder / name).unlink()
    for number in range(1, len(made) + 1):
        (folder / f"{number}.m4s.joined").rename(folder / f"{number}.m4s")
    end = Fraction(found[-1].start + found[-1].length, found[-1].scale)
    lengths = [other - one for one, other in zip(starts, [*starts[1:], end], strict=True)]
    playlist.write_text(_playlist(playlist.read_text(encoding="utf-8"), lengths), encoding="utf-8")
    if (folder / IFRAMES).is_file():
        text = (folder / IFRAMES).read_text(encoding="utf-8")
        (folder / IFRAMES).write_text(_RANGE.sub(lambda match: _range(match, moved), text), encoding="utf-8")


def _joined(folder: Path, names: Sequence[str], name: str) -> dict[str, tuple[str, int]]:
    """Write pieces one after the other, one segment type box before them; returns where each went, and by how many bytes."""
    moved: dict[str, tuple[str, int]] = {}
    with (folder / f"{name}.joined").open("wb") as file:
        for place, piece in enumerate(names):
            data = (folder / piece).read_bytes()
            kind, media = _split(data)
            if place == 0:
                file.write(kind)
            moved[piece] = name, file.tell() - (len(data) - len(media))
            file.write(media)
    return moved


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The segment type box, and the fragments; the index between them, which counts one piece only, is left out."""
    at, kind = 0, b""
    while data[at + 4 : at + 8] in _LEADING:
        size = int.from_bytes(data[at : at + 4])
        kind = kind or (data[at : at + size] if data[at + 4 : at + 8] == b"styp" else b"")
        at += size
    return kind, data[at:]


def _range(match: re.Match[str], moved: dict[str, tuple[str, int]]) -> str:
    name, shift = moved[match[3]]
    return f"#EXT-X-BYTERANGE:{match[1]}@{int(match[2]) + shift}\n{name}"


def _playlist(text: str, lengths: Sequence[Fraction]) -> str:
    head = re.sub(
        r"(#EXT-X-TARGETDURATION:)\d+", rf"\g<1>{-(-max(lengths) // 1)}", text.partition("#EXTINF:")[0]
    )
    lines = (f"#EXTINF:{float(length):.3f},\n{number}.m4s\n" for number, length in enumerate(lengths, 1))
    return f"{head}{''.join(lines)}#EXT-X-ENDLIST\n"


def _timeline(match: re.Match[str], plans: dict[str, tuple[list[Piece], list[list[int]]]]) -> str:
    if match[3] not in plans:
        return match[0]
    found, made = plans[match[3]]
    indent = re.match(r"\s*", match[4])
    starts = [found[places[0]].start for places in made]
    ends = [*starts[1:], found[-1].start + found[-1].length]
    lines = (f'<S t="{one}" d="{other - one}"/>' for one, other in zip(starts, ends, strict=True))
    gap = indent[0] if indent else ""
    return match[1] + "\n".join(f"{gap}{line}" for line in lines) + match[5]
