"""Stage `subtitles`: subtitle tracks of text, and files that the user brings, as WebVTT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archer.media import MediaInfo
from archer.stage import Inputs, Item, Resources, Scalar, Stage, TaskContext
from encoder.captions import read_captions
from encoder.subtitles import TEXT, Cue, title_cues, write_cues, write_webvtt
from pipelines.encode.audio import track_name, track_values
from pipelines.encode.captions import BroughtTrack, brought_tracks
from pipelines.encode.embedded import SCHEMA, channels, service_cues
from pipelines.ingest.tracks import text_tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class SubtitlesParams:
    """Which subtitles.

    Attributes:
        tracks: of the title, see `pipelines.ingest.tracks`; empty for all.
        brought: one word per file of the input `captions`, see `pipelines.encode.captions`.
    """

    tracks: str = ""
    brought: str = ""


class Subtitles(Stage[SubtitlesParams]):
    """One WebVTT file per track, times counted from the first frame: those of the title, those brought along, closed captions."""

    name, version, params = "subtitles", 1, SubtitlesParams
    inputs = MappingProxyType(
        {"asset": "asset", "media": "media@1", "captions": "asset?", "embedded": f"{SCHEMA}?"}
    )
    parts = MappingProxyType({"text": "webvtt@1", "facts": "text-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})

    def resources(self, params: SubtitlesParams) -> Resources:
        """Text is small; the file is read through once."""
        return Resources(memory_mb=512)

    def split(self, inputs: Inputs, params: SubtitlesParams) -> Sequence[Item]:
        """One item per track."""
        info = inputs.media()
        tracks, uses = text_tracks(info, params.tracks), {"asset": inputs["asset"], "media": inputs["media"]}
        items = [
            _item(place, track_values(place, track.shown), uses)
            for place, track in enumerate(tracks)
            if track.shown.codec in TEXT
        ]
        for place, brought in enumerate(brought_tracks(params.brought)):
            values: dict[str, Scalar] = {"place": place, "language": brought.language, "brought": True}
            values |= {"title": "", "default": False, "roles": ""}
            uses = {"captions": inputs["captions"], "media": inputs["media"]}
            items.append(_item(len(tracks) + place, values, uses))
        carried = channels(inputs.json("embedded")) if "embedded" in inputs and not params.tracks else ()
        for service in carried:
            values = {"place": 0, "language": "und", "title": service, "default": False, "roles": "caption"}
            uses = {"embedded": inputs["embedded"], "media": inputs["media"]}
            items += [_item(len(items), {**values, "service": service}, uses)] if service[:2] == "CC" else []
        return items

    def map(self, ctx: TaskContext, item: Item, params: SubtitlesParams) -> None:
        """Convert one track."""
        info, out, place = ctx.inputs.media(), ctx.out("text", ".vtt"), int(item.values["place"])
        if item.values.get("brought"):
            urls = ctx.inputs.asset("captions").urls
            cues = write_cues(
                list(title_cues(_read(brought_tracks(params.brought)[place], urls, info), info)), out
            )
        elif service := str(item.values.get("service", "")):
            cues = write_cues(service_cues(ctx.inputs.json("embedded"), service), out)
        else:
            track = text_tracks(info, params.tracks)[place]
            cues = write_webvtt(ctx.inputs.asset().url, info, track.shown, out, streams=track.streams)
        ctx.out_json("facts", {"name": item.variant, "language": item.values["language"], "cues": cues})


def _item(number: int, values: Mapping[str, Scalar], uses: Mapping[str, Any]) -> Item:
    return Item(variant=track_name("text", number, str(values["language"])), values=values, uses=uses)


def _read(track: BroughtTrack, urls: Sequence[str], info: MediaInfo) -> list[list[Cue]]:
    """The cues of each input."""
    places = range(len(info.sources))
    return [read_captions(urls[track.files[place]]) if place in track.files else [] for place in places]


def left_out(info: MediaInfo, wanted: str) -> Iterator[str]:
    """Notices about subtitle tracks that no package holds."""
    for track in text_tracks(info, wanted):
        if track.shown.codec not in TEXT:
            why = "pictures cannot become WebVTT" + ("" if info.edit else "; one .mkv file keeps them")
            yield f"subtitles {track.shown.language}: {track.shown.codec} left out, {why}"
