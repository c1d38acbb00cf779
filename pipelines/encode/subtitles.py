"""Stage `subtitles`: every subtitle track of text as WebVTT, for a package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archer.stage import Inputs, Item, Resources, Stage, TaskContext
from encoder.subtitles import TEXT, write_webvtt
from pipelines.encode.audio import track_name, track_values


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesParams:
    """Subtitles have no settings."""


class Subtitles(Stage[SubtitlesParams]):
    """One WebVTT file per track of text, times counted from the first frame."""

    name, version, params = "subtitles", 1, SubtitlesParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1"})
    parts = MappingProxyType({"text": "webvtt@1", "facts": "text-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})

    def resources(self, params: SubtitlesParams) -> Resources:
        """Text is small; the file is read through once."""
        return Resources(memory_mb=512)

    def split(self, inputs: Inputs, params: SubtitlesParams) -> Sequence[Item]:
        """One item per track of text."""
        info = inputs.media()
        return [
            Item(
                variant=track_name("text", place, track.language),
                values=track_values(place, track),
            )
            for place, track in enumerate(info.subtitles)
            if track.codec in TEXT
        ]

    def map(self, ctx: TaskContext, item: Item, params: SubtitlesParams) -> None:
        """Convert one track."""
        info = ctx.inputs.media()
        track = info.subtitles[int(item.values["place"])]
        cues = write_webvtt(ctx.inputs.asset().url, info, track, ctx.out("text", ".vtt"))
        ctx.out_json("facts", {"name": item.variant, "language": track.language, "cues": cues})


def left_out(media: Mapping[str, Any]) -> Iterator[str]:
    """Notices about subtitle tracks that no package holds."""
    for track in media["subtitles"]:
        if track["codec"] not in TEXT:
            why = "pictures cannot become WebVTT; one .mkv file keeps them"
            yield f"subtitles {track['language']}: {track['codec']} left out, {why}"
