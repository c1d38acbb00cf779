"""Stage `audio`: every audio track that is wanted, once over the whole title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Literal

from archer.media import AudioStream, MediaInfo, TextStream
from archer.process import ffmpeg_path, tool_build
from archer.stage import Inputs, Item, Part, Resources, Scalar, Stage, TaskContext
from encoder import encode_audio
from pipelines.encode.request import AudioCodec
from pipelines.ingest.tracks import audio_tracks


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioParams:
    """Settings of audio renditions.

    Attributes:
        codec: `aac` or `opus`.
        loudness: LUFS to bring every track to, decimal text; empty only measures.
        tracks: which tracks, see `pipelines.ingest.tracks`; empty for all.
    """

    codec: AudioCodec | Literal["flac"] = "aac"
    loudness: str = ""
    tracks: str = ""


class Audio(Stage[AudioParams]):
    """One rendition per track, its first sample heard with the first frame."""

    name, version, params = "audio", 1, AudioParams
    inputs = MappingProxyType({"asset": "asset", "media": "media@1", "passed": "shots@1?"})
    parts = MappingProxyType({"audio": "audio-rendition@1", "facts": "audio-facts@1"})
    outputs = MappingProxyType({"parts": "parts@1"})
    unit = "seconds"

    def resources(self, params: AudioParams) -> Resources:
        """Sound is small."""
        return Resources(memory_mb=1024)

    def fingerprint(self, params: AudioParams) -> str:
        """The encoder's build."""
        return tool_build(ffmpeg_path())

    def settings_of(self, params: AudioParams, item: Item) -> AudioParams:
        """Which other tracks are wanted does not count: what an item says of its own names it."""
        return replace(params, tracks="")

    def split(self, inputs: Inputs, params: AudioParams) -> Sequence[Item]:
        """One item per track, numbered and named as among all tracks of the title, whichever of them are wanted."""
        info = inputs.media()
        every = audio_tracks(info, "")
        known = {track.streams: place for place, track in enumerate(every)}
        numbered = [
            (known.get(track.streams, len(every) + place), track)
            for place, track in enumerate(audio_tracks(info, params.tracks))
        ]
        return [
            Item(
                variant=track_name("audio", place, track.shown.language),
                values={**track_values(place, _stored(track.streams)), "streams": _numbers(track.streams)},
                uses={"asset": inputs["asset"], "media": inputs["media"]},
                weight=max(1, round(info.duration)),
            )
            for place, track in numbered
        ]

    def map(self, ctx: TaskContext, item: Item, params: AudioParams) -> None:
        """Encode one track."""
        info = ctx.inputs.media()
        streams = _streams(str(item.values["streams"]), info)
        track = _stored(streams)
        samples = max(1, round(info.duration * track.rate))
        facts = encode_audio(
            ctx.inputs.asset().url,
            info,
            track,
            ctx.out("audio", ".mp4"),
            name=item.variant,
            codec=params.codec,
            loudness=params.loudness,
            streams=streams,
            on_sample=lambda done: ctx.progress(min(done, samples), samples),
        )
        ctx.out_json("facts", asdict(facts))


def _stored(streams: Sequence[AudioStream | None]) -> AudioStream:
    """What a track is: the stream of the first input that has one, as it is there."""
    return next(stream for stream in streams if stream is not None)


def _numbers(streams: Sequence[AudioStream | None]) -> str:
    """Index of the stream in each input, nothing where it has none: `1,,2`."""
    return ",".join("" if stream is None else str(stream.index) for stream in streams)


def _streams(numbers: str, info: MediaInfo) -> tuple[AudioStream | None, ...]:
    """What `_numbers` wrote, in the inputs of a title."""
    return tuple(
        next(stream for stream in source.audio if str(stream.index) == number) if number else None
        for number, source in zip(numbers.split(","), info.sources, strict=True)
    )


def chosen_first(parts: Sequence[Part]) -> int:
    """Place of the audio track that players choose: the first one that is marked as default, else the first of all."""
    return next((place for place, part in enumerate(parts) if part.item.values.get("default")), 0)


def track_values(place: int, track: AudioStream | TextStream) -> dict[str, Scalar]:
    """What an item says of its track; the package takes language, title and roles from it."""
    return {
        "place": place,
        "language": track.language,
        "title": track.title,
        "default": track.default,
        "roles": ";".join(track.roles),
    }


def track_name(kind: str, place: int, language: str) -> str:
    """`audio-0-eng`; only letters and digits of the language, since it names files."""
    plain = "".join(letter for letter in language if letter.isalnum() and letter.isascii())
    return f"{kind}-{place}-{plain or 'und'}"
