"""Run Shaka Packager on tracks; keys reach it through a file that only the two of us can open."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from archer.errors import DiskFull, ToolFailed
from archer.process import Limits, packager_path, run
from pipelines.packaging.argv import encryption_flags, key_flags, packager_argv, ts_argv
from pipelines.packaging.errors import PackagerFailed
from pipelines.packaging.index import file_hash
from pipelines.packaging.keys import IV_BYTES, Protection
from pipelines.packaging.tracks import AudioTrack, Track, VideoTrack

_NO_ROOM = 1 << 20
_LOG_PREFIX = re.compile(r"^[A-Z]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\] ")


def run_packager(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    *,
    out: Path,
    scratch: Path,
    segment_s: Decimal,
    protection: Protection | None,
) -> None:
    """Run it in `scratch`, where tracks and output have short names: argv holds no path of the machine, and no key.

    Raises:
        PackagerFailed: it gave up. DiskFull: no space left.
    """
    with (
        _linked([*videos, *audios], out, scratch) as links,
        _keys([*videos, *audios], protection, segment_s) as (flags, descriptors),
    ):
        argv = packager_argv(
            packager_path(),
            [replace(track, path=link) for track, link in zip(videos, links, strict=False)],
            [replace(track, path=link) for track, link in zip(audios, links[len(videos) :], strict=True)],
            out="out",
            segment_s=segment_s,
            encryption=flags,
        )
        _run(argv, scratch, out, descriptors)


def run_ts_packager(
    videos: Sequence[VideoTrack],
    audios: Sequence[AudioTrack],
    *,
    out: Path,
    scratch: Path,
    segment_s: Decimal,
) -> None:
    """The same for transport streams, which are not encrypted.

    Raises:
        PackagerFailed: it gave up. DiskFull: no space left.
    """
    with _linked([*videos, *audios], out, scratch) as links:
        argv = ts_argv(
            packager_path(),
            [replace(track, path=link) for track, link in zip(videos, links, strict=False)],
            [replace(track, path=link) for track, link in zip(audios, links[len(videos) :], strict=True)],
            out="out",
            segment_s=segment_s,
        )
        _run(argv, scratch, out, [])


@contextmanager
def _linked(tracks: Sequence[Track], out: Path, scratch: Path) -> Iterator[list[Path]]:
    """Short names for output and tracks; the packager reads its inputs in the order of their names."""
    (scratch / "out").symlink_to(out.absolute(), target_is_directory=True)
    (scratch / "in").mkdir()
    links = [Path("in") / f"{place:03d}-{track.folder}.mp4" for place, track in enumerate(tracks)]
    try:
        for track, link in zip(tracks, links, strict=True):
            (scratch / link).symlink_to(track.path.absolute())
        yield links
    finally:
        (scratch / "out").unlink()
        shutil.rmtree(scratch / "in")


def _run(argv: Sequence[str], scratch: Path, out: Path, descriptors: Sequence[int]) -> None:
    try:
        run(argv, cwd=scratch, limits=Limits(memory_mb=2048), pass_fds=descriptors)
    except ToolFailed as error:
        if shutil.disk_usage(out).free < _NO_ROOM:  # it then says that it cannot parse its input
            raise DiskFull(str(out)) from error
        raise PackagerFailed(_last_words(error.stderr_tail), error.exit_code, error.stderr_tail) from error


@contextmanager
def _keys(
    tracks: Sequence[Track], protection: Protection | None, segment_s: Decimal
) -> Iterator[tuple[list[str], list[int]]]:
    """The flags that encrypt, and the descriptor that carries the keys: memory without a name, gone with us."""
    if protection is None:
        yield [], []
        return
    keys = {track.folder: protection.keys.key(track.folder) for track in tracks}
    subject = f"{protection.scheme} {protection.clear_lead_s} {segment_s} " + " ".join(
        f"{track.folder} {file_hash(track.path)}" for track in tracks
    )
    iv = protection.keys.derived_iv(subject, IV_BYTES[protection.scheme])
    descriptor = os.memfd_create("flags")
    try:
        os.write(descriptor, key_flags(keys, iv).encode())
        place = f"/proc/self/fd/{descriptor}"
        yield encryption_flags(protection.scheme, protection.clear_lead_s, place), [descriptor]
    finally:
        os.close(descriptor)


def _last_words(stderr_tail: str) -> str:
    lines = [_LOG_PREFIX.sub("", line).strip() for line in stderr_tail.splitlines()]
    return next((line for line in reversed(lines) if line), "no message")
