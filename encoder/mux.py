"""One file with everything: the coded video, and the source's audio, subtitles, chapters and attachments."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import mezzfs
from archer.media import AudioStream, Chapter, MediaInfo, TextStream
from archer.media.container import FORMATS, opened
from archer.media.language import three_letters
from archer.process import ffmpeg_path, run
from cinemill_native.errors import CinemillError
from encoder.chunk import QUIET
from encoder.subtitles import TEXT

MARK = "cinemill"
"""Name of the tag, and first word of its text."""
MP4_AUDIO = frozenset({"aac", "ac3", "eac3", "mp3", "mp3float", "opus", "libopus", "flac", "alac"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A file whose only track goes in beside those of the source, from the first frame on.

    Attributes:
        path: where it is; mp4 for sound, WebVTT for text.
        kind: `audio` or `text`.
        language, title, default: of the track.
    """

    path: Path
    kind: Literal["audio", "text"]
    language: str
    title: str = ""
    default: bool = False


def mux_single(
    rendition: Path,
    url: str,
    info: MediaInfo,
    out: Path,
    *,
    scratch: Path,
    mark: str = "",
    extras: Sequence[Extra] = (),
    timecode: str = "",
) -> tuple[str, ...]:
    """Write `out` (.mkv or .mp4) from the coded video and every other track of the source.

    Tracks are copied where the container takes them; the video keeps its distance in time to the sound. Of a title that is put
    together of pieces no track can be copied: it has its chapters, and the extras.

    Args:
        rendition: mp4 file with the coded video, first frame at 0.
        url: the source.
        info: its facts; the tracks that it names are taken.
        out: the file to write; its suffix chooses the container.
        scratch: folder for a remote source's copy.
        mark: written into the file where the container has a free place for it; see `mark_of`.
        extras: further tracks.
        timecode: of the first frame, `HH:MM:SS:FF`; empty for none.

    Returns:
        Notices about tracks that were converted or left out.

    Raises:
        ToolFailed: ffmpeg could not write it.
    """
    info = replace(info, audio=(), subtitles=(), attachments=()) if info.edit else info
    source, offset_us, tags = _beside(url, info, scratch)
    matroska = out.suffix == ".mkv"
    choice = [*(_mkv(info) if matroska else _mp4(info)), (_added(extras, info, matroska=matroska), "")]
    late: list[str | Path] = ["-itsoffset", f"{offset_us}us", "-protocol_whitelist", "file", "-i"]
    argv: list[str | Path] = [
        ffmpeg_path(), *QUIET, *late, rendition, *source, *(word for each in extras for word in (*late, each.path)),
        "-map", "0:v:0", *(word for words, _ in choice for word in words), "-map_chapters", "1", "-map_metadata", "1",
        *_said(mark, timecode, tags, matroska=matroska), "-c:v", "copy", "-fflags", "+bitexact", "-flags:a", "+bitexact",
        "-max_interleave_delta", "0", "-f", "matroska" if matroska else "mp4", "-y", out,
    ]  # fmt: skip
    run(argv)
    return tuple(notice for _, notice in choice if notice)


def _said(mark: str, timecode: str, tags: Mapping[str, str], *, matroska: bool) -> list[str]:
    """Arguments for what the file says of itself beside the tags of the source; a timecode of those that is not kept goes."""
    free = matroska or "comment" not in {name.lower() for name in tags}
    marks = ["-metadata", f"{MARK if matroska else 'comment'}={MARK}:{mark}"] if mark and free else []
    clock = ["-metadata:s:v:0", f"timecode={timecode}"] if timecode else ["-metadata", "timecode="]
    return [*marks, *clock]


def _beside(url: str, info: MediaInfo, scratch: Path) -> tuple[list[str | Path], int, dict[str, str]]:
    """What lies beside the video: arguments of that input, microseconds by which the video is later, and its tags."""
    if info.edit is not None:
        chapters = scratch / "chapters.txt"
        chapters.write_text(chapters_text(info.chapters), encoding="utf-8")
        return ["-protocol_whitelist", "file", "-f", "ffmetadata", "-i", chapters], 0, {}
    source = _local(url, scratch)
    with opened(str(source)) as container:
        start, tags = container.start_time or 0, dict(container.metadata)
    offset_us = round(info.zero * 1_000_000) - start
    return (
        ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i", source],
        offset_us,
        tags,
    )


def chapters_text(chapters: Sequence[Chapter]) -> str:
    """Chapters as FFmpeg's metadata file. Source: FFmpeg's documentation, `ffmetadata`."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        title = re.sub(r"([=;#\\\n])", r"\\\1", chapter.title)
        ends = [round(time * 1_000_000) for time in (chapter.start, chapter.end)]
        lines += ["[CHAPTER]", "TIMEBASE=1/1000000", f"START={ends[0]}", f"END={ends[1]}", f"title={title}"]
    return "\n".join([*lines, ""])


def _added(extras: Sequence[Extra], info: MediaInfo, *, matroska: bool) -> list[str]:
    """Arguments for the tracks that come from files of their own, which are ffmpeg's inputs from the third on."""
    text = [track for track in info.subtitles if matroska or track.codec in TEXT]
    places, words = {"audio": len(info.audio), "text": len(text)}, list[str]()
    for number, extra in enumerate(extras, 2):
        letter, place = extra.kind[0].replace("t", "s"), places[extra.kind]
        codec = "copy" if letter == "a" else ("srt" if matroska else "mov_text")
        words += ["-map", f"{number}:{letter}:0", f"-c:{letter}:{place}", codec]
        spoken = extra.language if matroska else three_letters(extra.language)
        words += [f"-metadata:s:{letter}:{place}", f"language={spoken}"]
        words += [f"-metadata:s:{letter}:{place}", f"title={extra.title}"] if extra.title else []
        words += [f"-disposition:{letter}:{place}", "default" if extra.default else "0"]
        places[extra.kind] += 1
    return words


def mark_of(path: Path | str) -> str:
    """The mark that `mux_single` wrote into a file, at a path or a URL; empty where there is none, or no such file."""
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


def _language(kind: Literal["a", "s"], place: int, language: str) -> list[str]:
    """States the language of a track of a mp4 file, which takes three letters and would drop what else the source says."""
    return [f"-metadata:s:{kind}:{place}", f"language={three_letters(language)}"]


def _chosen(kind: Literal["a", "s"], place: int, track: AudioStream | TextStream) -> list[str]:
    """Makes a track the default one where none of those that go out is that in the source; its other marks stay."""
    return [f"-disposition:{kind}:{place}", "+default"] if track.default else []


def _mkv(info: MediaInfo) -> Iterator[tuple[list[str], str]]:
    for place, track in enumerate(info.audio):
        yield ["-map", f"1:{track.index}", *_chosen("a", place, track)], ""
    yield ["-c:a", "copy"] if info.audio else [], ""
    for place, text in enumerate(info.subtitles):
        codec = "srt" if text.codec == "mov_text" else "copy"
        yield ["-map", f"1:{text.index}", f"-c:s:{place}", codec, *_chosen("s", place, text)], ""
    for attachment in info.attachments:
        yield ["-map", f"1:{attachment.index}", "-c:t", "copy"], ""


def _mp4(info: MediaInfo) -> Iterator[tuple[list[str], str]]:
    for place, track in enumerate(info.audio):
        fits = track.codec in MP4_AUDIO
        notice = "" if fits else f"audio {track.language}: {track.codec} converted to aac, which mp4 takes"
        codec = [f"-c:a:{place}", "copy" if fits else "aac", *_language("a", place, track.language)]
        yield ["-map", f"1:{track.index}", *codec, *_chosen("a", place, track)], notice
    texts = [text for text in info.subtitles if text.codec in TEXT]
    for place, text in enumerate(texts):
        codec = [f"-c:s:{place}", "mov_text", *_language("s", place, text.language)]
        yield ["-map", f"1:{text.index}", *codec, *_chosen("s", place, text)], ""
    for text in info.subtitles:
        if text.codec not in TEXT:
            why = "mp4 takes text only; write a .mkv to keep them"
            yield [], f"subtitles {text.language}: {text.codec} left out, {why}"
    if info.attachments:
        yield [], f"{len(info.attachments)} attachments left out, mp4 takes none; write a .mkv to keep them"
    yield ["-movflags", "+faststart"], ""
