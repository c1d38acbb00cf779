"""What goes into a package: a video track per rung and codec, an audio track per language or mix, subtitles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.languages import language_name

AudioRole = Literal["", "main", "alternate", "dub", "commentary", "description"]
TextRole = Literal["subtitle", "caption", "forced"]
AUDIO_ROLES: tuple[AudioRole, ...] = ("main", "alternate", "dub", "commentary", "description")
TEXT_ROLES: tuple[TextRole, ...] = ("subtitle", "caption", "forced")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """One rendition. Renditions of several codecs may share a package; players take a codec that they know.

    Attributes:
        name: its rung; the track is written to `video-<name>/`.
        path: mp4 file with this one track.
    """

    name: str
    path: Path

    @property
    def folder(self) -> str:
        """Where its segments go, below the package."""
        return f"video-{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioTrack:
    """One audio rendition.

    Attributes:
        name: the track is written to a folder of this name.
        path: mp4 file with this one track.
        language: ISO 639 or BCP 47 code; `und` or empty where unknown.
        label: what players call it; empty for the language's name.
        role: what it is for; empty for `main` where it is the default, else `alternate`.
        default: players choose it unless the viewer asks for another.
    """

    name: str
    path: Path
    language: str = "und"
    label: str = ""
    role: AudioRole = ""
    default: bool = False

    @property
    def folder(self) -> str:
        """Where its segments go, below the package."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTrack:
    """One subtitle track.

    Attributes:
        name: the track is written to a folder of this name.
        path: WebVTT file, UTF-8, whose cues are in order and begin within the title.
        language: ISO 639 or BCP 47 code; `und` or empty where unknown.
        label: what players call it; empty for the language's name.
        role: `subtitle`, `caption` (also says what is to be heard) or `forced` (shown even when subtitles are off).
        default: players show it unless the viewer asks for another or none.
    """

    name: str
    path: Path
    language: str = "und"
    label: str = ""
    role: TextRole = "subtitle"
    default: bool = False

    @property
    def folder(self) -> str:
        """Where it goes, below the package."""
        return self.name


Track = VideoTrack | AudioTrack
Named = TypeVar("Named", AudioTrack, TextTrack)


def checked(
    videos: Sequence[VideoTrack], audios: Sequence[AudioTrack], texts: Sequence[TextTrack] = ()
) -> None:
    """Refuse tracks that cannot share a package.

    Raises:
        CannotPackage: there is no video, a name is no plain file name, or two are equal.
    """
    if not videos:
        raise CannotPackage("the title", "there is no rendition; wanted one at least")
    named: list[VideoTrack | AudioTrack | TextTrack] = [*videos, *audios, *texts]
    folders = [track.folder for track in named]
    for folder in folders:
        if not _PLAIN.fullmatch(folder):
            raise CannotPackage(
                folder, "its name must be letters, digits, dot, dash and underscore; rename the rung"
            )
        if folders.count(folder) > 1:
            raise CannotPackage(folder, "two tracks have this name; rename one")
        if folder == "images":
            raise CannotPackage(folder, "that folder is for the pictures of trick play; rename the track")


def arranged(audios: Sequence[AudioTrack]) -> list[AudioTrack]:
    """The tracks as players shall list them: exactly one default, and it comes first; labels differ.

    The first track marked default is the default, else the first of all.
    """
    if not audios:
        return []
    chosen = next((place for place, track in enumerate(audios) if track.default), 0)
    order = [chosen, *(place for place in range(len(audios)) if place != chosen)]
    marked = [replace(audios[place], default=place == chosen) for place in order]
    return labelled([replace(track, role=track.role or _role(track)) for track in marked], "Audio")


def arranged_texts(texts: Sequence[TextTrack]) -> list[TextTrack]:
    """The same for subtitles, of which at most one is default; forced ones come after the others."""
    order = sorted(texts, key=lambda track: (track.role == "forced", not track.default))
    first = next((track.name for track in order if track.default), "")
    return labelled([replace(track, default=track.name == first) for track in order], "Subtitles")


def labelled(tracks: Sequence[Named], kind: str) -> list[Named]:
    """The tracks with labels that differ."""
    named = [replace(track, label=_label(track, kind, number)) for number, track in enumerate(tracks, 1)]
    names = [track.label for track in named]
    return [
        replace(track, label=f"{track.label} ({number})") if names.count(track.label) > 1 else track
        for number, track in enumerate(named, 1)
    ]


def _role(track: AudioTrack) -> AudioRole:
    return "main" if track.default else "alternate"


def _label(track: AudioTrack | TextTrack, kind: str, number: int) -> str:
    """Its label, its language, or its number; without characters that end a word in argv, in HLS or in XML."""
    label = track.label or language_name(track.language) or f"{kind} {number}"
    return re.sub(r"[\s\x00-\x1f\x7f,;=\"<>&]+", " ", label).strip() or f"{kind} {number}"
