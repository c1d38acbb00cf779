"""What probing finds: streams, exact frame count, time base, geometry, colour, tracks, problems."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self

from archer.media.index import FrameIndex
from cinemill_native.frames import Colour, PixelFormat

SCHEMA = "media@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The video stream of a title.

    Attributes:
        index: stream index in the container.
        codec, profile: FFmpeg's names.
        width, height: stored samples, before SAR and rotation.
        sar: sample aspect ratio, 1 where the file says nothing.
        rotation: clockwise degrees to turn the stored picture for display: 0, 90, 180 or 270.
        format: pixel format.
        field_order: `progressive`, `tff` (top field first) or `bff`.
        colour: colour facts.
        hdr: mastering display and content light level, as `name -> text of integers`; empty without.
        time_base: seconds per tick of the frame index.
        frame_rate: nominal frames per second.
        vfr: frame distances differ by more than the container's rounding.
        frames: exact number of frames shown.
    """

    index: int
    codec: str
    profile: str
    width: int
    height: int
    sar: Fraction
    rotation: int
    format: PixelFormat
    field_order: str
    colour: Colour
    hdr: dict[str, str] = field(default_factory=dict)
    time_base: Fraction
    frame_rate: Fraction
    vfr: bool
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An audio track.

    Attributes:
        index: stream index in the container.
        codec, layout: FFmpeg's names.
        rate: samples per second.
        channels: number of channels.
        language: ISO 639 code, `und` where unknown.
        title: name for people; empty without.
        default: the track that players choose.
        start: presentation time of its first sample, seconds.
    """

    index: int
    codec: str
    layout: str
    rate: int
    channels: int
    language: str
    title: str
    default: bool
    start: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStream:
    """A subtitle track or an attachment: stream index, codec, language, title, default flag."""

    index: int
    codec: str
    language: str
    title: str
    default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProblem:
    """Something wrong with a title.

    Attributes:
        code: short stable name (`truncated`, `damaged`, `gap`).
        message: what was found, and what to do.
        fatal: True where a result would be wrong.
    """

    code: str
    message: str
    fatal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """Facts of a title, with the exact index of its frames.

    Attributes:
        container: FFmpeg's name of the format.
        video: the video stream.
        audio, subtitles, attachments: the other tracks, in container order.
        chapters: number of chapters.
        timecode: start timecode `HH:MM:SS:FF`; empty without.
        index: presentation times of all frames.
        problems: what is wrong with it.
    """

    container: str
    video: VideoStream
    audio: tuple[AudioStream, ...]
    subtitles: tuple[TextStream, ...]
    attachments: tuple[TextStream, ...]
    chapters: int
    timecode: str
    index: FrameIndex
    problems: tuple[MediaProblem, ...] = ()

    @property
    def frame_count(self) -> int:
        """Exact number of frames shown."""
        return self.video.frames

    @property
    def duration(self) -> Fraction:
        """From the first frame's start to the last one's nominal end, seconds."""
        pts, video = self.index.pts, self.video
        return (int(pts[-1]) - int(pts[0])) * video.time_base + 1 / video.frame_rate

    def to_json(self) -> dict[str, Any]:
        """A JSON object without floats; fractions are text `num/den`."""
        return {
            "schema": SCHEMA,
            "container": self.container,
            "video": _plain(asdict(self.video)),
            "audio": [_plain(asdict(track)) for track in self.audio],
            "subtitles": [asdict(track) for track in self.subtitles],
            "attachments": [asdict(track) for track in self.attachments],
            "chapters": self.chapters,
            "timecode": self.timecode,
            "problems": [asdict(problem) for problem in self.problems],
            "index": self.index.to_json(),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The facts that `to_json` wrote."""
        return cls(
            container=value["container"],
            video=_video(value["video"]),
            audio=tuple(AudioStream(**{**track, "start": Fraction(track["start"])}) for track in value["audio"]),
            subtitles=tuple(TextStream(**track) for track in value["subtitles"]),
            attachments=tuple(TextStream(**track) for track in value["attachments"]),
            chapters=value["chapters"],
            timecode=value["timecode"],
            problems=tuple(MediaProblem(**problem) for problem in value["problems"]),
            index=FrameIndex.from_json(value["index"]),
        )


def display_size(video: VideoStream) -> tuple[int, int]:
    """Width and height of the picture as shown, in square pixels: SAR widens, rotation swaps.

    The larger count of samples is kept (an anamorphic 720x576 at 64:45 is shown as 1024x576).
    """
    width, height = video.width, video.height
    if video.sar >= 1:
        width = round(width * video.sar)
    else:
        height = round(height / video.sar)
    return (height, width) if video.rotation in (90, 270) else (width, height)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {key: str(entry) if isinstance(entry, Fraction) else entry for key, entry in value.items()}


def _video(value: dict[str, Any]) -> VideoStream:
    fractions = {key: Fraction(value[key]) for key in ("sar", "time_base", "frame_rate")}
    shift = value["format"]["chroma_shift"]
    layout = PixelFormat(**{**value["format"], "chroma_shift": tuple(shift) if shift else None})
    return VideoStream(**{**value, **fractions, "format": layout, "colour": Colour(**value["colour"])})
