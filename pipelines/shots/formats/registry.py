"""All formats, by name and by suffix."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from pipelines.shots.errors import ShotFileError
from pipelines.shots.formats.av1an import Av1an
from pipelines.shots.formats.base import Format, Found, Media
from pipelines.shots.formats.cinemill import Cinemill
from pipelines.shots.formats.edl import Edl
from pipelines.shots.formats.otio import Otio
from pipelines.shots.formats.pyscenedetect import PySceneDetect

FORMATS: dict[str, Format] = {
    entry.name: entry for entry in (Cinemill(), PySceneDetect(), Av1an(), Edl(), Otio())
}
"""Formats by name. Of several with one suffix the first is meant when a name does not say which."""


def format_of(path: Path, name: str | None = None, *, hint: str = "") -> Format:
    """The named format, or the one that the suffix means; `hint` says how else it can be named.

    Raises:
        ShotFileError: no such format.
    """
    if name is not None and name not in FORMATS:
        raise ShotFileError(path.name, f"format {name!r}: wanted one of {', '.join(FORMATS)}")
    if name is not None:
        return FORMATS[name]
    for entry in FORMATS.values():
        if path.suffix.lower() == entry.suffix:
            return entry
    wanted = ", ".join(dict.fromkeys(entry.suffix for entry in FORMATS.values()))
    raise ShotFileError(path.name, f"suffix {path.suffix!r}: wanted one of {wanted}{hint}")


def write_shots(path: Path, found: Found, media: Media, *, name: str | None = None) -> None:
    """Write shots.

    Args:
        path: where to.
        found: the shots.
        media: facts of the title: times of its frames, its start timecode.
        name: of the format; None for the one that the suffix means.

    Raises:
        ShotFileError: no such format.
    """
    text = format_of(path, name).write(found, media)
    path.write_text(text, encoding="utf-8", newline="")


def read_shots(path: Path, *, frame_rate: Fraction | None = None, name: str | None = None) -> Found:
    """Read shots that we or another tool wrote.

    Args:
        path: the file. A `.json` file may be ours or Av1an's.
        frame_rate: of the title, for files that do not say it.
        name: of the format; None for the one that the suffix means.

    Raises:
        ShotFileError: no such format, or the file is not of it.
    """
    chosen = format_of(path, name)
    text = path.read_text(encoding="utf-8-sig")
    if name is None and chosen is FORMATS[Cinemill.name] and '"start_frame"' in text:
        chosen = FORMATS[Av1an.name]
    try:
        return chosen.read(text, frame_rate)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        reason = f"no shots that {chosen.name} describes: {type(error).__name__}: {error}"
        raise ShotFileError(path.name, reason) from error
