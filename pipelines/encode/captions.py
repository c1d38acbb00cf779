"""Subtitle files that the user brings: of which input and language they are, and which are one track; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.encode.errors import BadSetting
from pipelines.packaging.languages import language_tag

WORD = re.compile(r"(?:(\d+)@)?([A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtTrack:
    """A subtitle track.

    Attributes:
        language: its code.
        files: number of the input -> number of the file, both from 0.
    """

    language: str
    files: Mapping[int, int] = field(default_factory=dict)


def brought_tracks(text: str) -> tuple[BroughtTrack, ...]:
    """Tracks from one word per file, `[INPUT@]LANGUAGE` separated by commas: files of one language for other inputs go on.

    Raises:
        BadSetting: a word cannot be read.
    """
    found: list[tuple[str, dict[int, int]]] = []
    for number, (source, language) in enumerate(words_of(text)):
        files = next((files for name, files in found if name == language and source not in files), None)
        if files is None:
            files = {}
            found.append((language, files))
        files[source] = number
    return tuple(BroughtTrack(language=language, files=files) for language, files in found)


def words_of(text: str) -> Sequence[tuple[int, str]]:
    """(number of the input from 0, language) of each file. Raises: BadSetting."""
    found = []
    for word in text.split(",") if text else ():
        match = WORD.fullmatch(word.strip())
        if match is None or not (language_tag(match[2]) or match[2] == "und") or match[1] == "0":
            raise BadSetting(
                "--captions", word, "wanted [INPUT@]LANGUAGE=FILE, as eng=title.srt or 2@fra=next.vtt"
            )
        found.append((int(match[1] or 1) - 1, match[2]))
    return found
