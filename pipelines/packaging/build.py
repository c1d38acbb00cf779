"""Make a package: run Shaka Packager on tracks, put its manifests right, check what it wrote."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from archer.errors import DiskFull, ToolFailed
from archer.process import Limits, packager_path, run
from encoder.boxes import copy_static_hdr
from pipelines.packaging.argv import INIT, MANIFEST, MASTER, PLAYLIST, packager_argv
from pipelines.packaging.bandwidth import Bandwidth, bandwidth
from pipelines.packaging.check import aligned, check_package, check_text, packaged_timeline, read_inputs
from pipelines.packaging.errors import PackagerFailed
from pipelines.packaging.manifests import Playlist, corrected_master, corrected_mpd, read_playlist
from pipelines.packaging.tracks import AudioTrack, TextTrack, Track, VideoTrack, arranged, checked, listed

SEGMENT_S = Decimal(4)
_NO_ROOM = 1 << 20
_LOG_PREFIX = re.compile(r"^[A-Z]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\] ")


def build_package(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack] = (),
    *,
    out: Path,
    scratch: Path,
    segment_s: Decimal = SEGMENT_S,
    log: Callable[[str], None] = lambda _: None,
) -> None:
    """Write CMAF segments with `master.m3u8` and `manifest.mpd`; the same tracks give the same bytes.

    Args:
        videos: renditions in the order of the ladder, key frames at the same times.
        audios: audio tracks, in any number.
        texts: subtitles, in any number.
        out: an existing, empty folder.
        scratch: an existing folder for links, free of `in` and `out`.
        segment_s: wanted length of a segment, seconds; a multiple of the distance of key frames.
        log: is told what is worth a remark.

    Raises:
        CannotPackage: the tracks do not make a package. DiskFull: no space left.
        PackagerFailed: Shaka Packager gave up. PackageWrong: it wrote something else than it was given.
    """
    sounds, words = arranged(audios), listed(texts)
    checked(videos, sounds, words)
    tracks: list[Track] = [*videos, *sounds]
    given = read_inputs(tracks)
    _run_packager(videos, sounds, words, out, scratch, segment_s)
    playlists = [read_playlist((out / track.folder / PLAYLIST).read_text()) for track in tracks]
    for track, line, playlist in zip(tracks, given, playlists, strict=True):
        check_package(track, line, packaged_timeline(out / track.folder, playlist.segments))
    for video in videos:
        copy_static_hdr(video.path, out / video.folder / INIT)
    for text in words:
        check_text(text.folder, text.path, sorted((out / text.folder).glob("*.vtt")))
    if not aligned([playlist.durations for playlist in playlists[: len(videos)]]):
        log("the rungs are cut at different frames: players cannot switch between them at every segment")
    shown = next((f"{text.folder}/{PLAYLIST}" for text in words if text.default), "")
    _correct_manifests(tracks, playlists, out, shown)


def _run_packager(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    texts: Sequence[TextTrack],
    out: Path,
    scratch: Path,
    segment_s: Decimal,
) -> None:
    """Run it in `scratch`, where tracks and output have short names: argv holds no path of the machine."""
    (scratch / "out").symlink_to(out.absolute(), target_is_directory=True)
    (scratch / "in").mkdir()
    argv = packager_argv(
        packager_path(),
        [replace(track, path=_link(track, scratch, place)) for place, track in enumerate(videos)],
        [
            replace(track, path=_link(track, scratch, len(videos) + place))
            for place, track in enumerate(audios)
        ],
        [
            replace(track, path=_link(track, scratch, len(videos) + len(audios) + place))
            for place, track in enumerate(texts)
        ],
        out="out",
        segment_s=segment_s,
    )
    try:
        run(argv, cwd=scratch, limits=Limits(memory_mb=2048))
    except ToolFailed as error:
        if shutil.disk_usage(out).free < _NO_ROOM:  # it then says that it cannot parse its input
            raise DiskFull(str(out)) from error
        raise PackagerFailed(_last_words(error.stderr_tail), error.exit_code, error.stderr_tail) from error
    finally:
        (scratch / "out").unlink()


def _link(track: Track | TextTrack, scratch: Path, place: int) -> Path:
    """A name in `scratch` that sorts by place: the packager reads its inputs in the order of their names."""
    suffix = "vtt" if isinstance(track, TextTrack) else "mp4"
    link = Path("in") / f"{place:03d}-{track.folder}.{suffix}"
    (scratch / link).symlink_to(track.path.absolute())
    return link


def _last_words(stderr_tail: str) -> str:
    lines = [_LOG_PREFIX.sub("", line).strip() for line in stderr_tail.splitlines()]
    return next((line for line in reversed(lines) if line), "no message")


def _correct_manifests(tracks: Sequence[Track], playlists: Sequence[Playlist], out: Path, shown: str) -> None:
    rates = [_rates(out / track.folder, playlist) for track, playlist in zip(tracks, playlists, strict=True)]
    sound = [rate for track, rate in zip(tracks, rates, strict=True) if isinstance(track, AudioTrack)]
    heaviest = Bandwidth(
        peak=max((rate.peak for rate in sound), default=0),
        average=max((rate.average for rate in sound), default=0),
    )
    default = next((track.folder for track in tracks if isinstance(track, AudioTrack) and track.default), "")
    by_uri = {f"{track.folder}/{PLAYLIST}": rate for track, rate in zip(tracks, rates, strict=True)}
    _rewrite(
        out / MASTER,
        lambda text: corrected_master(
            text,
            by_uri,
            audio=heaviest,
            default=f"{default}/{PLAYLIST}" if default else "",
            shown=shown,
        ),
    )
    _rewrite(
        out / MANIFEST,
        lambda text: corrected_mpd(text, {place: rate.peak for place, rate in enumerate(rates)}),
    )


def _rates(folder: Path, playlist: Playlist) -> Bandwidth:
    sizes = [(folder / name).stat().st_size for name in playlist.segments]
    return bandwidth(sizes, playlist.durations, playlist.target)


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
