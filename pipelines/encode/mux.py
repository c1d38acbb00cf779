"""Stage `mux`: one file with the coded video and every other track of the source that is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from archer.media import MediaInfo
from archer.process import ffmpeg_path, tool_build
from archer.stage import Item, Resources, Stage, TaskContext, Trial
from encoder import mux_single
from encoder.mux import Extra
from pipelines.encode.audio import chosen_first
from pipelines.ingest.clips import timecode_frames
from pipelines.ingest.tracks import audio_tracks, text_tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxParams:
    """Settings of the file.

    Attributes:
        container: `mkv` or `mp4`.
        mark: names the order that the file fulfils; written into it, so that the same order finds it done.
        audio, subtitles: which tracks of the source, see `pipelines.ingest.tracks`; empty for all.
    """

    container: str = "mkv"
    mark: str = ""
    audio: str = ""
    subtitles: str = ""


class Mux(Stage[MuxParams]):
    """Audio, subtitles, chapters and attachments are kept as they are, where the container takes them.

    Of a title that is put together of pieces, sound and text come from stages of their own. Of another one only the text that the
    user brought along does.
    """

    name, version, params = "mux", 2, MuxParams
    inputs = MappingProxyType(
        {
            "asset": "asset",
            "media": "media@1",
            "renditions": "parts@1",
            "audio": "parts@1?",
            "texts": "parts@1?",
        }
    )
    outputs = MappingProxyType({"file": "single@1", "facts": "single-facts@1"})

    def resources(self, params: MuxParams) -> Resources:
        """Copying packets needs little memory."""
        return Resources(memory_mb=1024)

    def fingerprint(self, params: MuxParams) -> str:
        """The build of ffmpeg, which writes the file."""
        return tool_build(ffmpeg_path())

    def trial(self) -> Trial:
        """The one rung of the title that is tried."""
        return Trial(feeds={"renditions": "assemble.parts"})

    def map(self, ctx: TaskContext, item: Item, params: MuxParams) -> None:
        """Write the file, and what had to be changed or left out."""
        info = ctx.inputs.media()
        (part,) = ctx.inputs.parts("renditions")
        out = ctx.out("file", f".{params.container}")
        extras = [
            *_extras(ctx, "audio", whole=info.edit is not None),
            *_extras(ctx, "text", whole=info.edit is not None),
        ]
        kept, lost = start_timecode(info)
        audio, texts = audio_tracks(info, params.audio), text_tracks(info, params.subtitles)
        notices = mux_single(
            ctx.path(part.outputs["rendition"]),
            ctx.inputs.asset().url,
            replace(
                info, audio=tuple(each.shown for each in audio), subtitles=tuple(each.shown for each in texts)
            ),
            out,
            scratch=ctx.scratch,
            mark=params.mark,
            extras=extras,
            timecode=kept,
        )
        ctx.out_json("facts", {"notices": [*notices, *lost]})


def start_timecode(info: MediaInfo) -> tuple[str, tuple[str, ...]]:
    """The timecode of the first frame of one file, empty for none; and a notice where the source's cannot be kept.

    Args:
        info: the title.
    """
    stored = info.stored
    found = next((source.timecode for source in info.sources if source.timecode), "")
    if not found:
        return "", ()
    try:
        timecode_frames(found, stored.video.frame_rate)
    except ValueError as error:
        return "", (f"timecode left out: {error}",)
    if info.edit:
        return "", (f"timecode {found} left out: the title is put together of pieces",)
    if info.video.vfr or info.video.frame_rate != stored.video.frame_rate:
        return "", (f"timecode {found} left out: it counts frames, and the rate of those is another one",)
    return found, ()


def _extras(ctx: TaskContext, kind: Literal["audio", "text"], *, whole: bool) -> Iterator[Extra]:
    """Tracks from stages of their own: all of them, or those that are not in the source."""
    name = {"audio": "audio", "text": "texts"}[kind]
    parts = ctx.inputs.parts(name) if name in ctx.inputs else ()
    first = chosen_first(parts) if kind == "audio" else -1
    for place, part in enumerate(parts):
        values = part.item.values
        if whole or values.get("brought"):
            yield Extra(
                path=ctx.path(part.outputs[kind]),
                kind=kind,
                language=str(values["language"]),
                title=str(values["title"]),
                default=place == first or bool(values["default"]),
            )
