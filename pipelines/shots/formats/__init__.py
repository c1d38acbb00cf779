"""Shots as other tools keep them, and as people read them.

    write_shots(Path("scenes.otio"), found, media)
    found = read_shots(Path("scenes.csv"), frame_rate=Fraction(24))

Every format keeps all that a `shots@1` object says, in places that its own readers pass over; what other tools wrote is
read as well, with what they do not say at its default.
"""

from __future__ import annotations

from pipelines.shots.formats.base import Details as Details
from pipelines.shots.formats.base import Format as Format
from pipelines.shots.formats.base import Found as Found
from pipelines.shots.formats.base import Media as Media
from pipelines.shots.formats.registry import format_of as format_of
from pipelines.shots.formats.registry import read_shots as read_shots
from pipelines.shots.formats.registry import write_shots as write_shots
from pipelines.shots.formats.table import table_rows as table_rows

__all__ = [
    "Details",
    "Format",
    "Found",
    "Media",
    "format_of",
    "read_shots",
    "table_rows",
    "write_shots",
]
