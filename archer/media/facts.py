"""Read the facts of an open container, but for the frame index."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from archer.media.colour import UNSPECIFIED, colour_of, layout_of, planar
from archer.media.fields import field_order
from archer.media.hdr import hdr_of
from archer.media.info import AudioStream, Chapter, TextStream, VideoStream
from archer.media.sidedata import side_data
from cinemill_native.frames import Colour

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

DEFAULT = 1  # AV_DISPOSITION_DEFAULT
ROLES = {2: "dub", 8: "commentary", 64: "forced-subtitle", 128: "caption", 256: "description"}
"""AV_DISPOSITION_* (dub, comment, forced, hearing impaired, visual impaired) -> roles of DASH."""


def video_facts(stream: AvVideoStream, picture: VideoFrame) -> VideoStream:
    """Facts of the video stream, of which `picture` is the first decoded one; what needs the index is left open."""
    rate = stream.guessed_rate or stream.average_rate or stream.base_rate or Fraction(25)
    rotation, mirrored, _ = orientation(picture)
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        profile=str(stream.profile or ""),
        width=picture.width,
        height=picture.height,
        sar=Fraction(stream.sample_aspect_ratio or 0) or Fraction(1),
        rotation=rotation,
        mirrored=mirrored,
        format=layout_of(picture.format),
        field_order=field_order(picture, int(stream.codec_context.field_order)),
        colour=_colour(stream, picture),
        hdr=hdr_of(picture),
        time_base=stream.time_base or Fraction(1, 90000),
        frame_rate=Fraction(rate),
        vfr=False,
        frames=0,
    )


def orientation(picture: VideoFrame) -> tuple[int, bool, bool]:
    """How to show a picture: clockwise degrees to turn it, whether to flip it left to right first, whether that is exact.

    The display matrix (ISO/IEC 14496-12, 8.3.2) maps stored (x, y) to shown (a x + c y, b x + d y).
    """
    data = side_data(picture).get("DISPLAYMATRIX")
    if data is None:
        return 0, False, True
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].astype(np.float64).tolist()
    mirrored = a * d - b * c < 0
    turn = np.degrees(np.arctan2(b, a) if not mirrored else np.arctan2(-b, -a))
    quarter = round(turn / 90) % 4 * 90
    return quarter, mirrored, abs(turn - round(turn / 90) * 90) < 1


def _colour(stream: AvVideoStream, picture: VideoFrame) -> Colour:
    """The colour facts that `frames` gives, and the stream's where the picture says nothing."""
    codec: Any = stream.codec_context
    colour = colour_of(planar(picture, layout_of(picture.format)))
    return replace(
        colour,
        primaries=int(codec.color_primaries) if colour.primaries == UNSPECIFIED else colour.primaries,
        transfer=int(codec.color_trc) if colour.transfer == UNSPECIFIED else colour.transfer,
        matrix=int(codec.colorspace) if colour.matrix == UNSPECIFIED else colour.matrix,
    )


def audio_facts(container: InputContainer) -> tuple[AudioStream, ...]:
    """Audio tracks with a decoder, in container order."""
    return tuple(
        AudioStream(
            index=track.index,
            codec=track.codec_context.codec.canonical_name,
            layout=track.layout.name,
            rate=track.rate or track.codec_context.sample_rate,
            channels=track.channels,
            language=track.language or "und",
            title=track.metadata.get("title", ""),
            default=bool(int(track.disposition) & DEFAULT),
            start=(track.start_time or 0) * Fraction(track.time_base or 0),
            roles=_roles(int(track.disposition)),
        )
        for track in container.streams.audio
        if track.codec_context
    )


def text_facts(container: InputContainer, kind: str) -> tuple[TextStream, ...]:
    """Tracks of a kind (`subtitle`, `attachment`), in container order."""
    return tuple(
        TextStream(
            index=track.index,
            codec=track.codec_context.codec.canonical_name if track.codec_context else "",
            language=track.metadata.get("language", "und"),
            title=track.metadata.get("title", track.metadata.get("filename", "")),
            default=bool(int(track.disposition) & DEFAULT),
            roles=_roles(int(track.disposition)),
        )
        for track in container.streams
        if track.type == kind
    )


def _roles(disposition: int) -> tuple[str, ...]:
    return tuple(role for flag, role in ROLES.items() if disposition & flag)


def chapter_facts(container: InputContainer) -> tuple[Chapter, ...]:
    """Chapters, in order of time."""
    return tuple(
        Chapter(
            start=chapter["start"] * (chapter["time_base"] or Fraction(1)),
            end=chapter["end"] * (chapter["time_base"] or Fraction(1)),
            title=chapter["metadata"].get("title", ""),
        )
        for chapter in sorted(container.chapters(), key=lambda chapter: chapter["start"])
    )


def timecode_of(container: InputContainer) -> str:
    """Start timecode `HH:MM:SS:FF` of the container or the first track that has one; empty without.

    Matroska writes names of tags in capitals.
    """
    for holder in (container, *container.streams):
        for name, value in holder.metadata.items():
            if name.lower() == "timecode":
                return str(value)
    return ""
