"""What goes into a package: a video track per rung and codec, an audio track per language or mix, subtitles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipelines.packaging.errors import CannotPackage
from pipelines.packaging.languages import language_name

AUDIO_ROLES = ("dub", "commentary", "description")
TEXT_ROLES = ("subtitle", "caption", "forced-subtitle", "commentary")
FORCED = "forced-subtitle"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoTrack:
    """One rendition. Renditions of several codecs may share a package; players take a codec that they know.

    Attributes:
        name: its rung; the track is written to `video-<name>/`.
        path: mp4 file with this one track.
        captions: closed captions that its pictures carry: `CC1` to `CC4`, or `SERVICE1` of CEA-708.
    """

    name: str
    path: Path
    captions: tuple[str, ...] = ()

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
        default: players choose it unless the viewer asks for another.
        roles: what else it is for, as DASH names it: `dub`, `commentary`, `description`.
    """

    name: str
    path: Path
    language: str = "und"
    label: str = ""
    default: bool = False
    roles: tuple[str, ...] = ()

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
        default: players show it unless the viewer asks for another or none.
        roles: what it is for, as DASH names it: `subtitle` where none is named, `caption` (also says what is to be heard),
            `forced-subtitle` (shown even when subtitles are off), `commentary`.
    """

    name: str
    path: Path
    language: str = "und"
    label: str = ""
    default: bool = False
    roles: tuple[str, ...] = ()

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
    return labelled([replace(audios[place], default=place == chosen) for place in order], "Audio")


def listed(texts: Sequence[TextTrack]) -> list[TextTrack]:
    """Subtitles as players shall list them, in their order: labels differ, and at most one is shown unasked."""
    chosen = next((place for place, track in enumerate(texts) if track.default), -1)
    return labelled(
        [replace(track, default=place == chosen) for place, track in enumerate(texts)], "Subtitles"
    )


def labelled(tracks: Sequence[Named], kind: str) -> list[Named]:
    """The tracks with labels that differ."""
    named = [replace(track, label=_label(track, kind, number)) for number, track in enumerate(tracks, 1)]
    names = [track.label for track in named]
    return [
        replace(track, label=f"{track.label} ({number})") if names.count(track.label) > 1 else track
        for number, track in enumerate(named, 1)
    ]


def _label(track: AudioTrack | TextTrack, kind: str, number: int) -> str:
    """Its label, its language, or its number; without characters that end a word in argv, in HLS or in XML."""
    label = track.label or language_name(track.language) or f"{kind} {number}"
    return re.sub(r"[\s\x00-\x1f\x7f,;=\"<>&]+", " ", label).strip() or f"{kind} {number}"
