"""One file with everything: the coded video, and the source's audio, subtitles, chapters and attachments."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import mezzfs
from archer.media import MediaInfo
from archer.media.container import FORMATS, opened
from archer.process import ffmpeg_path, run
from cinemill_native.errors import CinemillError
from encoder.chunk import QUIET

MARK = "cinemill"
"""Name of the tag, and first word of its text."""
MP4_AUDIO = frozenset({"aac", "ac3", "eac3", "mp3", "mp3float", "opus", "libopus", "flac", "alac"})
TEXT = frozenset({"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"})


def mux_single(
    rendition: Path, url: str, info: MediaInfo, out: Path, *, scratch: Path, mark: str = ""
) -> tuple[str, ...]:
    """Write `out` (.mkv or .mp4) from the coded video and every other track of the source.

    Tracks are copied where the container takes them; the video keeps its distance in time to the sound.

    Args:
        rendition: mp4 file with the coded video, first frame at 0.
        url: the source.
        info: its facts.
        out: the file to write; its suffix chooses the container.
        scratch: folder for a remote source's copy.
        mark: written into the file where the container has a free place for it; see `mark_of`.

    Returns:
        Notices about tracks that were converted or left out.

    Raises:
        ToolFailed: ffmpeg could not write it.
    """
    source = _local(url, scratch)
    with opened(str(source)) as container:
        start, tags = container.start_time or 0, dict(container.metadata)
    offset_us = round(int(info.index.pts[0]) * info.video.time_base * 1_000_000) - start
    matroska = out.suffix == ".mkv"
    choice = list(_mkv(info) if matroska else _mp4(info))
    maps = [word for words, _ in choice for word in words]
    free = matroska or "comment" not in {name.lower() for name in tags}
    marks = ["-metadata", f"{MARK if matroska else 'comment'}={MARK}:{mark}"] if mark and free else []
    argv = [
        ffmpeg_path(), *QUIET, "-protocol_whitelist", "file", "-itsoffset", f"{offset_us}us", "-i", rendition,
        "-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", source,
        "-map", "0:v:0", *maps, "-map_chapters", "1", "-map_metadata", "1", *marks, "-c:v", "copy", "-fflags", "+bitexact",
        "-flags:a", "+bitexact", "-max_interleave_delta", "0", "-f", "matroska" if matroska else "mp4", "-y", out,
    ]  # fmt: skip
    run(argv)
    return tuple(notice for _, notice in choice if notice)


def mark_of(path: Path) -> str:
    """The mark that `mux_single` wrote into a file; empty where there is none, or no such file."""
    try:
        with opened(str(path)) as container:
            tags = {name.lower(): value for name, value in container.metadata.items()}
    except CinemillError:
        return ""
    found = next((tags[name] for name in (MARK, "comment") if tags.get(name, "").startswith(f"{MARK}:")), "")
    return found.partition(":")[2]


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
    for place, text in enumerate(info.subtitles):
        codec = "srt" if text.codec == "mov_text" else "copy"
        yield ["-map", f"1:{text.index}", f"-c:s:{place}", codec], ""
    for attachment in info.attachments:
        yield ["-map", f"1:{attachment.index}", "-c:t", "copy"], ""


def _mp4(info: MediaInfo) -> Iterator[tuple[list[str], str]]:
    for place, track in enumerate(info.audio):
        fits = track.codec in MP4_AUDIO
        notice = "" if fits else f"audio {track.language}: {track.codec} converted to aac, which mp4 takes"
        yield ["-map", f"1:{track.index}", f"-c:a:{place}", "copy" if fits else "aac"], notice
    texts = [text for text in info.subtitles if text.codec in TEXT]
    for place, text in enumerate(texts):
        yield ["-map", f"1:{text.index}", f"-c:s:{place}", "mov_text"], ""
    for text in info.subtitles:
        if text.codec not in TEXT:
            why = "mp4 takes text only; write a .mkv to keep them"
            yield [], f"subtitles {text.language}: {text.codec} left out, {why}"
    if info.attachments:
        yield [], f"{len(info.attachments)} attachments left out, mp4 takes none; write a .mkv to keep them"
    yield ["-movflags", "+faststart"], ""
