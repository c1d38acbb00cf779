"""Make a package: run Shaka Packager on tracks, put its manifests right, check what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from encoder.boxes import copy_static_hdr
from pipelines.packaging.argv import INIT, MANIFEST, MASTER, PLAYLIST
from pipelines.packaging.bandwidth import Bandwidth, bandwidth, heaviest
from pipelines.packaging.boxes import Fragment, read_fragment, read_init
from pipelines.packaging.check import (
    Timeline,
    aligned,
    check_decrypts,
    check_package,
    packaged_timeline,
    read_inputs,
    read_texts,
)
from pipelines.packaging.cuts import Cuts, plan_cuts
from pipelines.packaging.description import description, write_description
from pipelines.packaging.extras import (
    TEXT_FILE,
    TEXT_PLAYLIST,
    captioned_master,
    captioned_mpd,
    extended_master,
    extended_mpd,
    image_playlist,
    text_playlist,
)
from pipelines.packaging.images import FOLDER, Tiles, write_tiles
from pipelines.packaging.images import PLAYLIST as IMAGES
from pipelines.packaging.index import IndexedTrack, segment_table, write_index
from pipelines.packaging.joining import join_pieces
from pipelines.packaging.keys import Protection
from pipelines.packaging.manifests import (
    Playlist,
    corrected_master,
    corrected_mpd,
    keyed_playlist,
    read_playlist,
    steady_rate,
)
from pipelines.packaging.packager import run_packager
from pipelines.packaging.tracks import (
    AudioTrack,
    TextTrack,
    Track,
    VideoTrack,
    arranged,
    checked,
    listed,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SEGMENT_S = Decimal(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """A track that Shaka Packager wrote, beside what it was given."""

    track: Track
    given: Timeline
    playlist: Playlist
    fragments: tuple[Fragment, ...]
    rates: Bandwidth

    @property
    def uri(self) -> str:
        """Its playlist in the master playlist."""
        return f"{self.track.folder}/{PLAYLIST}"


def build_package(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack] = (),
    *,
    out: Path,
    scratch: Path,
    segment_s: Decimal = SEGMENT_S,
    protection: Protection | None = None,
    images: bool = True,
    vmaf: Mapping[str, npt.NDArray[np.float64]] | None = None,
    shots: Sequence[int] = (),
    log: Callable[[str], None] = lambda _: None,
) -> None:
    """Write CMAF segments with `master.m3u8` and `manifest.mpd`; the same tracks give the same bytes.

    Args:
        videos: renditions in the order of the ladder, key frames at the same times.
        audios, texts: tracks of sound and of subtitles, in any number; subtitles are never encrypted.
        out: an existing, empty folder. scratch: an existing folder for links, free of `in` and `out`.
        segment_s: wanted length of a segment, seconds; a multiple of the distance of key frames.
        protection: how to encrypt; None for a clear package.
        images: write sheets of pictures for trick play. log: is told what is worth a remark.
        shots: numbers of the frames at which shots begin; where all rungs have key frames there, segments begin there, too.
        vmaf: scores of every frame in presentation order, by the name of the rung, for the index.

    Raises:
        CannotPackage: the tracks do not make a package. DiskFull: no space left.
        PackagerFailed: Shaka Packager gave up. PackageWrong: it wrote something else than it was given.
    """
    checked(videos, sounds := arranged(audios), subtitles := listed(texts))
    tracks: list[Track] = [*videos, *sounds]
    given = read_inputs(tracks)
    duration = given[0].end
    read_texts(subtitles, duration, log)
    cuts = _cuts(given[: len(videos)], shots, segment_s)
    _segment(videos, sounds, cuts, segment_s, protection, out, scratch)
    written = [_read(track, line, out) for track, line in zip(tracks, given, strict=True)]
    _check(written, out, protection, log)
    tiles = _images(videos, out, duration) if images else None
    sizes = [_text(track, out, duration) for track in subtitles]
    _manifests(written, subtitles, sizes, tiles, out)
    _keys(written, out, protection)
    write_index(segment_table([_indexed(each, vmaf or {}) for each in written], out), out)
    write_description(_described(videos, sounds, subtitles, written, protection), out)


def _described(
    videos: Sequence[VideoTrack],
    sounds: Sequence[AudioTrack],
    subtitles: Sequence[TextTrack],
    written: Sequence[_Written],
    protection: Protection | None,
) -> dict[str, Any]:
    packets = {each.track.folder: len(each.given.times) for each in written}
    return description(videos, sounds, subtitles, packets=packets, protection=protection)


def _segment(
    videos: Sequence[VideoTrack],
    sounds: Sequence[AudioTrack],
    cuts: Cuts | None,
    segment_s: Decimal,
    protection: Protection | None,
    out: Path,
    scratch: Path,
) -> None:
    """Let the packager write the segments; where cuts are planned, pieces of them, which are joined then."""
    run_packager(
        videos,
        sounds,
        out=out,
        scratch=scratch,
        segment_s=cuts.step if cuts else segment_s,
        protection=_led(protection, cuts),
    )
    if cuts:
        join_pieces([*videos, *sounds], cuts.times, out)


def _cuts(given: Sequence[Timeline], shots: Sequence[int], segment_s: Decimal) -> Cuts | None:
    """Where the segments of all rungs begin; None where the packager decides: no shots are known, or none is near."""
    first = given[0]
    shown = sorted(first.times)
    numbers = set.intersection(*({line.number(place) for place in line.keys} for line in given))
    keys = [shown[number] for number in sorted(numbers) if number < len(shown)]
    begins = [shown[number] for number in shots if 0 < number < len(shown)]
    if not begins or keys[:1] != [Fraction(0)] or len({len(line.times) for line in given}) > 1:
        return None
    every = sorted({shown[line.number(place)] for line in given for place in line.keys})
    return plan_cuts(keys, every, begins, segment_s, first.end)


def _led(protection: Protection | None, cuts: Cuts | None) -> Protection | None:
    """The protection with a clear lead that ends where a segment does."""
    if protection is None or cuts is None:
        return protection
    return replace(protection, clear_lead_s=cuts.after(protection.clear_lead_s))


def _read(track: Track, given: Timeline, out: Path) -> _Written:
    """Read back what was written; HDR metadata, which the packager leaves out, is put into its init segment first."""
    folder = out / track.folder
    playlist = read_playlist((folder / PLAYLIST).read_text())
    if isinstance(track, VideoTrack):
        copy_static_hdr(track.path, folder / INIT)
    init = read_init((folder / INIT).read_bytes())
    sizes = [(folder / name).stat().st_size for name in playlist.segments]
    return _Written(
        track=track,
        given=given,
        playlist=playlist,
        fragments=tuple(read_fragment((folder / name).read_bytes(), init) for name in playlist.segments),
        rates=bandwidth(sizes, playlist.durations, playlist.target),
    )


def _check(
    written: Sequence[_Written], out: Path, protection: Protection | None, log: Callable[[str], None]
) -> None:
    """Compare every track with what went in; say what is worth a remark."""
    for each in written:
        folder, segments = out / each.track.folder, each.playlist.segments
        check_package(each.track, each.given, packaged_timeline(folder, segments))
        if protection:
            check_decrypts(each.track, folder, segments, protection.keys.key(each.track.folder))
    if protection and not all(any(part.encrypted for part in each.fragments) for each in written):
        log("the clear lead is as long as the title: nothing is encrypted")
    pictures = [each for each in written if isinstance(each.track, VideoTrack)]
    if not aligned([[part.samples for part in each.fragments] for each in pictures]):
        log("the rungs are cut at different frames: players cannot switch between them at every segment")


def _images(videos: Sequence[VideoTrack], out: Path, duration: Fraction) -> Tiles:
    """Sheets of the last rung, which costs least to decode."""
    (out / FOLDER).mkdir()
    tiles = write_tiles(videos[-1].path, out / FOLDER, duration)
    (out / IMAGES).write_text(image_playlist(tiles))
    return tiles


def _text(track: TextTrack, out: Path, duration: Fraction) -> int:
    """Copy a subtitle track; returns its size in bytes."""
    folder = out / track.folder
    folder.mkdir()
    content = track.path.read_bytes()
    (folder / TEXT_FILE).write_bytes(content)
    (folder / TEXT_PLAYLIST).write_text(text_playlist(duration))
    return len(content)


def _manifests(
    written: Sequence[_Written],
    texts: Sequence[TextTrack],
    sizes: Sequence[int],
    tiles: Tiles | None,
    out: Path,
) -> None:
    sound = [each for each in written if isinstance(each.track, AudioTrack)]
    default = next(
        (each.uri for each in sound if isinstance(each.track, AudioTrack) and each.track.default), ""
    )
    rates = {each.uri: each.rates for each in written}
    rate = steady_rate(sorted(written[0].given.times))
    master = corrected_master(
        _text_of(out / MASTER),
        rates,
        audio=heaviest(each.rates for each in sound),
        default=default,
        rate=rate,
    )
    carried = [each.track.captions if isinstance(each.track, VideoTrack) else () for each in written]
    master = captioned_master(
        master, {each.uri: channels for each, channels in zip(written, carried, strict=True)}
    )
    _write(out / MASTER, extended_master(master, texts, tiles))
    peaks = {place: each.rates.peak for place, each in enumerate(written)}
    mpd = corrected_mpd(_text_of(out / MANIFEST), peaks, rate)
    _write(out / MANIFEST, extended_mpd(captioned_mpd(mpd, dict(enumerate(carried))), texts, sizes, tiles))


def _keys(written: Sequence[_Written], out: Path, protection: Protection | None) -> None:
    """Name the key of each encrypted track in its playlist."""
    if protection is None:
        return
    for each in written:
        clear = next((n for n, part in enumerate(each.fragments) if part.encrypted), len(each.fragments))
        key_id = protection.keys.key(each.track.folder).key_id
        path = out / each.track.folder / PLAYLIST
        _write(path, keyed_playlist(_text_of(path), scheme=protection.scheme, key_id=key_id, clear=clear))


def _indexed(each: _Written, vmaf: Mapping[str, npt.NDArray[np.float64]]) -> IndexedTrack:
    track = each.track
    return IndexedTrack(
        folder=track.folder,
        kind="video" if isinstance(track, VideoTrack) else "audio",
        segments=each.playlist.segments,
        fragments=each.fragments,
        durations=each.playlist.durations,
        vmaf=vmaf.get(track.name) if isinstance(track, VideoTrack) else None,
    )


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
