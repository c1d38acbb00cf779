"""Transport streams for players older than CMAF: `ts/master.m3u8`, beside the one set of segments that HLS and DASH share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pipelines.packaging.argv import MASTER, PLAYLIST, TS
from pipelines.packaging.bandwidth import bandwidth, heaviest
from pipelines.packaging.check import Timeline, packaged_timeline, timeline
from pipelines.packaging.description import description, write_description
from pipelines.packaging.errors import CannotPackage, PackageWrong
from pipelines.packaging.extras import extended_master
from pipelines.packaging.manifests import corrected_master, read_playlist, steady_rate
from pipelines.packaging.packager import run_ts_packager
from pipelines.packaging.tracks import AudioTrack, TextTrack, Track, VideoTrack, arranged, listed

CARRIED = frozenset({"h264", "aac"})
"""Codecs that such players decode, by FFmpeg's names."""
TICK = Fraction(1, 90000)


def write_transport(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack],
    *,
    out: Path,
    scratch: Path,
    segment_s: Decimal,
) -> None:
    """Write transport streams of the H.264 and AAC tracks into a package that is made already; its subtitles are shared.

    Args:
        videos, audios, texts, segment_s: see `pipelines.packaging.build.build_package`.
        out: the package; `ts` is made in it.
        scratch: an existing folder for links.

    Raises:
        CannotPackage: no rendition is H.264. PackagerFailed: Shaka Packager gave up.
        PackageWrong: it wrote something else than it was given.
    """
    seen = [track for track in videos if codec_of_file(track.path) in CARRIED]
    heard = [track for track in arranged(audios) if codec_of_file(track.path) in CARRIED]
    if not seen:
        raise CannotPackage(TS, "transport streams hold H.264, and no rendition is; add --codec x264")
    if audios and not heard:
        raise CannotPackage(TS, "transport streams hold AAC, and no sound is; add --audio-codec aac")
    folder = out / TS
    folder.mkdir()
    run_ts_packager(seen, heard, out=folder, scratch=scratch, segment_s=segment_s)
    tracks: list[Track] = [*seen, *heard]
    given = [timeline(track.path) for track in tracks]
    for track, line in zip(tracks, given, strict=True):
        names = read_playlist((folder / track.folder / PLAYLIST).read_text()).segments
        _check(track, line, packaged_timeline(folder / track.folder, names))
    _manifests(tracks, listed(texts), given[0], folder)
    packets = {track.folder: len(line.times) for track, line in zip(tracks, given, strict=True)}
    shared = [replace(track, name=f"../{track.name}") for track in listed(texts)]
    write_description(description(seen, heard, shared, packets=packets, protection=None), folder)


def codec_of_file(path: Path) -> str:
    """FFmpeg's name of the codec of a file's one track."""
    import av

    with av.open(str(path)) as container:
        return str(container.streams[0].codec_context.codec.canonical_name)


def _check(track: Track, given: Timeline, got: Timeline) -> None:
    """All packets are there, at times that differ from those of the source by the same offset."""
    name = f"{TS}/{track.folder}"
    if len(given.times) != len(got.times):
        raise PackageWrong(name, f"{len(given.times)} packets went in, {len(got.times)} came out")
    offsets = [one - other for one, other in zip(sorted(got.times), sorted(given.times), strict=True)]
    if max(offsets) - min(offsets) > 2 * TICK:
        raise PackageWrong(name, f"times are off by {float(max(offsets) - min(offsets)):.4f} s")


def _manifests(tracks: Sequence[Track], texts: Sequence[TextTrack], first: Timeline, folder: Path) -> None:
    """The master playlist with real bit rates, and the subtitles of the package."""
    rates = {}
    for track in tracks:
        playlist = read_playlist((folder / track.folder / PLAYLIST).read_text())
        sizes = [(folder / track.folder / name).stat().st_size for name in playlist.segments]
        rates[f"{track.folder}/{PLAYLIST}"] = bandwidth(sizes, playlist.durations, playlist.target)
    sound = [track for track in tracks if isinstance(track, AudioTrack)]
    text = corrected_master(
        (folder / MASTER).read_text(encoding="utf-8"),
        rates,
        audio=heaviest(rates[f"{track.folder}/{PLAYLIST}"] for track in sound),
        default=next((f"{track.folder}/{PLAYLIST}" for track in sound if track.default), ""),
        rate=steady_rate(sorted(first.times)),
    )
    (folder / MASTER).write_text(extended_master(text, texts, None, root="../"), encoding="utf-8")
