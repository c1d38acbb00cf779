"""What probing finds: streams, exact frame count, time base, geometry, colour, tracks, problems."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any, Self

from archer.media.edit import Edit, Piece
from archer.media.hdr import Hdr
from archer.media.index import FrameIndex, packed, unpacked
from archer.media.range import FrameRange
from archer.media.view import View
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
        mirrored: the stored picture is to be flipped left to right before it is turned.
        format: layout of the frames that `archer.media.frames` gives; the stored one where it is planar.
        field_order: `progressive`, `tff` (top field first) or `bff`.
        colour: colour facts.
        hdr: mastering display and light levels; None without.
        time_base: seconds per tick of the frame index.
        frame_rate: nominal frames per second.
        vfr: frames do not lie on a grid of constant rate (see `archer.media.rate`).
        frames: exact number of frames shown.
        hidden: coded pictures that are never shown: cut off by an edit list, or not decodable at the start.
    """

    index: int
    codec: str
    profile: str
    width: int
    height: int
    sar: Fraction
    rotation: int
    mirrored: bool = False
    format: PixelFormat
    field_order: str
    colour: Colour
    hdr: Hdr | None = None
    time_base: Fraction
    frame_rate: Fraction
    vfr: bool
    frames: int
    hidden: int = 0

    @property
    def frame_count(self) -> int:
        """Exact number of frames shown."""
        return self.frames

    @property
    def bit_depth(self) -> int:
        """Significant bits per sample, 8 to 16."""
        return self.format.bit_depth


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
        start: presentation time of its first sample behind the codec's priming, seconds.
        roles: what it is for, as DASH names it (ISO/IEC 23009-1, 5.8.5.5): `dub`, `commentary`, `description` ...
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
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStream:
    """A subtitle track or an attachment: stream index, codec, language, title (or file name), default flag, roles."""

    index: int
    codec: str
    language: str
    title: str
    default: bool
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter: its time span in seconds, and its title (empty without)."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaProblem:
    """Something wrong with a title.

    Attributes:
        code: short stable name, see `archer.media.problems`.
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
        chapters: chapters in order of time.
        timecode: start timecode `HH:MM:SS:FF`; empty without.
        index: presentation times of all frames.
        problems: what is wrong with it.
        view: how the frames above are made of the stored ones; None where they are as stored.
        edit: what the title is put together of; None where it is one whole file. Then there is no view, and stream indexes
            are those of the first file that has such tracks.
    """

    container: str
    video: VideoStream
    audio: tuple[AudioStream, ...] = ()
    subtitles: tuple[TextStream, ...] = ()
    attachments: tuple[TextStream, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    timecode: str = ""
    index: FrameIndex
    problems: tuple[MediaProblem, ...] = ()
    view: View | None = None
    edit: Edit | None = None

    @property
    def sources(self) -> tuple[MediaInfo, ...]:
        """Facts of the files that it is made of, in order; mostly its own."""
        return self.edit.sources if self.edit else (self,)

    @property
    def stored(self) -> Self:
        """The same title as it is stored, without a view."""
        if self.view is None:
            return self
        return replace(self, video=self.view.stored, index=self.view.index or self.index, view=None)

    @property
    def frame_count(self) -> int:
        """Exact number of frames shown."""
        return self.video.frames

    @property
    def duration(self) -> Fraction:
        """From the first frame's start to the last one's end, seconds."""
        pts, video = self.index.pts, self.video
        last = self.index.last * video.time_base or 1 / video.frame_rate
        return (int(pts[-1]) - int(pts[0])) * video.time_base + last

    @property
    def zero(self) -> Fraction:
        """When the first frame is shown, by the clock of the container, seconds."""
        return int(self.index.pts[0]) * self.video.time_base

    def time_of(self, frame: int) -> Fraction:
        """When a frame is shown, seconds from the first one; that of the number behind the last is the end."""
        pts = self.index.pts
        return self.duration if frame == len(pts) else (int(pts[frame]) - int(pts[0])) * self.video.time_base

    def remarks(self) -> list[str]:
        """What its view or its edit changes, for people."""
        made = self.edit or self.view
        return made.remarks() if made else []

    def to_json(self) -> dict[str, Any]:
        """A JSON object without floats; fractions are text `num/den`."""
        return {
            "schema": SCHEMA,
            "container": self.container,
            "video": _video_json(self.video),
            **{name: [_plain(entry) for entry in getattr(self, name)] for name in _LISTS},
            "timecode": self.timecode,
            "index": self.index.to_json(),
            **({"view": _view_json(self.view)} if self.view else {}),
            **({"edit": _edit_json(self.edit)} if self.edit else {}),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The facts that `to_json` wrote.

        Raises:
            ValueError: another schema.
        """
        if value["schema"] != SCHEMA:
            raise ValueError(
                f"media facts: wanted schema {SCHEMA}, got {value['schema']}; probe the title again"
            )
        lists: dict[str, Any] = {
            name: tuple(_typed(kind, entry) for entry in value[name]) for name, kind in _LISTS.items()
        }
        return cls(
            container=value["container"],
            video=_video(value["video"]),
            timecode=value["timecode"],
            index=FrameIndex.from_json(value["index"]),
            view=_view(value["view"]) if "view" in value else None,
            edit=_edit(value["edit"]) if "edit" in value else None,
            **lists,
        )


_LISTS: dict[str, type] = {
    "audio": AudioStream,
    "subtitles": TextStream,
    "attachments": TextStream,
    "chapters": Chapter,
    "problems": MediaProblem,
}


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


def _plain(record: Any) -> dict[str, Any]:
    """A flat dataclass as a JSON object."""
    return {
        key: str(entry) if isinstance(entry, Fraction) else entry for key, entry in asdict(record).items()
    }


def _typed(kind: type, value: dict[str, Any]) -> Any:
    """The flat dataclass that `_plain` wrote."""
    exact = {field.name for field in fields(kind) if field.type == "Fraction"}
    made: dict[str, Any] = {
        name: tuple(entry) if isinstance(entry, list) else entry for name, entry in value.items()
    }
    return kind(**{name: Fraction(entry) if name in exact else entry for name, entry in made.items()})


def _video(value: dict[str, Any]) -> VideoStream:
    shift = value["format"]["chroma_shift"]
    layout = PixelFormat(**{**value["format"], "chroma_shift": tuple(shift) if shift else None})
    hdr = Hdr.from_json(value["hdr"]) if value["hdr"] else None
    stream: VideoStream = _typed(
        VideoStream, {**value, "format": layout, "colour": Colour(**value["colour"]), "hdr": hdr}
    )
    return stream


def _video_json(video: VideoStream) -> dict[str, Any]:
    return {**_plain(video), "hdr": video.hdr and video.hdr.to_json()}


def _view_json(view: View) -> dict[str, Any]:
    return {
        "fields": view.fields,
        "crop": view.crop and list(view.crop),
        "pad": view.pad and list(view.pad),
        "sdr": view.sdr,
        "stored": _video_json(view.stored),
        "index": view.index and view.index.to_json(),
        "sources": None if view.sources is None else packed(view.sources),
    }


def _view(value: dict[str, Any]) -> View:
    return View(
        fields=value["fields"],
        crop=value["crop"] and tuple(value["crop"]),
        pad=value["pad"] and tuple(value["pad"]),
        sdr=value["sdr"],
        stored=_video(value["stored"]),
        index=FrameIndex.from_json(value["index"]) if value["index"] else None,
        sources=None if value["sources"] is None else unpacked(value["sources"]),
    )


def _edit_json(edit: Edit) -> dict[str, Any]:
    return {
        "sources": [source.to_json() for source in edit.sources],
        "pieces": [[piece.source, piece.frames.start, piece.frames.end] for piece in edit.pieces],
        "notes": list(edit.notes),
    }


def _edit(value: dict[str, Any]) -> Edit:
    return Edit(
        sources=tuple(MediaInfo.from_json(source) for source in value["sources"]),
        pieces=tuple(
            Piece(source=source, frames=FrameRange(start, end)) for source, start, end in value["pieces"]
        ),
        notes=tuple(value["notes"]),
    )
