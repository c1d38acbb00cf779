"""One file with everything: the coded video, and the source's audio, subtitles, chapters and attachments."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import mezzfs
from archer.media import MediaInfo
from archer.media.container import opened
from archer.process import ffmpeg_path, run
from encoder.chunk import QUIET

MP4_AUDIO = frozenset({"aac", "ac3", "eac3", "mp3", "mp3float", "opus", "libopus", "flac", "alac"})
TEXT = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})


def mux_single(rendition: Path, url: str, info: MediaInfo, out: Path, *, scratch: Path) -> tuple[str, ...]:
    """Write `out` (.mkv or .mp4) from the coded video and every other track of the source.

    Tracks are copied where the container takes them; the video keeps its distance in time to the sound.

    Args:
        rendition: mp4 file with the coded video, first frame at 0.
        url: the source.
        info: its facts.
        out: the file to write; its suffix chooses the container.
        scratch: folder for a remote source's copy.

    Returns:
        Notices about tracks that were converted or left out.

    Raises:
        ToolFailed: ffmpeg could not write it.
    """
    source = _local(url, scratch)
    with opened(str(source)) as container:
        start = container.start_time or 0
    zero = int(info.index.pts[0]) * info.video.time_base
    offset_us = round(zero * 1_000_000) - start
    choice = list(_mkv(info) if out.suffix == ".mkv" else _mp4(info))
    maps = [word for words, _ in choice for word in words]
    argv = [
        ffmpeg_path(), *QUIET, "-protocol_whitelist", "file", "-itsoffset", f"{offset_us}us", "-i", rendition, "-i", source,
        "-map", "0:v:0", *maps, "-map_chapters", "1", "-map_metadata", "1", "-c:v", "copy", "-fflags", "+bitexact",
        "-flags:a", "+bitexact", "-max_interleave_delta", "0", "-f", "matroska" if out.suffix == ".mkv" else "mp4", "-y", out,
    ]  # fmt: skip
    run(argv)
    return tuple(notice for _, notice in choice if notice)


def _local(url: str, scratch: Path) -> Path:
    """The source as a local file; ffmpeg is never given a URL."""
    if mezzfs.is_local(url):
        return mezzfs.local_path(url).absolute()
    copy = scratch / "source"
    with mezzfs.open(url) as file, copy.open("wb") as target:
        shutil.copyfileobj(file, target, 1 << 20)
    return copy


def _mkv(info: MediaInfo) -> Iterator[tuple[list[str], str]]:
    for track in info.audio:
        yield ["-map", f"1:{track.index}"], ""
    yield ["-c:a", "copy"] if info.audio else [], ""
    for place, track in enumerate(info.subtitles):
        codec = "srt" if track.codec == "mov_text" else "copy"
        yield ["-map", f"1:{track.index}", f"-c:s:{place}", codec], ""
    for attachment in info.attachments:
        yield ["-map", f"1:{attachment.index}", "-c:t", "copy"], ""


def _mp4(info: MediaInfo) -> Iterator[tuple[list[str], str]]:
    for place, track in enumerate(info.audio):
        fits = track.codec in MP4_AUDIO
        notice = "" if fits else f"audio {track.language}: {track.codec} converted to aac, which mp4 takes"
        yield ["-map", f"1:{track.index}", f"-c:a:{place}", "copy" if fits else "aac"], notice
    place = 0
    for track in info.subtitles:
        if track.codec in TEXT:
            yield ["-map", f"1:{track.index}", f"-c:s:{place}", "mov_text"], ""
            place += 1
        else:
            yield (
                [],
                f"subtitles {track.language}: {track.codec} left out, mp4 takes text only; write a .mkv to keep them",
            )
    if info.attachments:
        yield [], f"{len(info.attachments)} attachments left out, mp4 takes none; write a .mkv to keep them"
    yield ["-movflags", "+faststart"], ""
