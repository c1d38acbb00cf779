"""The scene list of PySceneDetect 0.7: CSV, frame numbers 1-based, the last one included.

Its ten columns are followed by ours, which its `load-scenes` passes over.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pipelines.shots.formats.base import (
    Format,
    Found,
    Media,
    details_text,
    found,
    known_rate,
    nearest_rate,
)
from pipelines.shots.formats.timing import clock, frame_times

COLUMNS = (
    "Scene Number",
    *(f"{edge} {name}" for edge in ("Start", "End") for name in ("Frame", "Timecode", "Time (seconds)")),
    *(f"Length ({unit})" for unit in ("frames", "timecode", "seconds")),
)
OURS = ("Frame Rate", "Details")


class PySceneDetect(Format):
    """Scene lists of PySceneDetect."""

    name, suffix = "pyscenedetect", ".csv"

    def write(self, shots: Found, media: Media) -> str:
        """The list with PySceneDetect's first line, the times of all cuts."""
        times, text = frame_times(media), io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["Timecode List:", *(clock(times[shot["start"]]) for shot in shots["shots"][1:])])
        rows.writerow([*COLUMNS, *OURS])
        for number, shot in enumerate(shots["shots"], 1):
            start, end = shot["start"], shot["end"]
            begin, stop = times[start], times[end]
            edges = [start + 1, clock(begin), _seconds(begin), end, clock(stop), _seconds(stop)]
            length = [end - start, clock(stop - begin), _seconds(stop - begin)]
            rows.writerow([number, *edges, *length, shots["frame_rate"], details_text(shot)])
        return text.getvalue()

    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """A list with or without the first line, and with or without our columns.

        Raises:
            ValueError: no such columns, or the rate can neither be read nor guessed.
        """
        lines = text.splitlines()
        head = next(
            (place for place, line in enumerate(lines[:2]) if line.startswith(COLUMNS[0])),
            None,
        )
        if head is None:
            raise ValueError(f"wanted a header that begins with {COLUMNS[0]!r}")
        rows = list(csv.DictReader(lines[head:]))
        return found((_shot(row) for row in rows), _rate(rows, frame_rate))


def _shot(row: Mapping[str, str]) -> tuple[int, int, dict[str, Any]]:
    said = json.loads(row.get("Details") or "{}")
    return int(row["Start Frame"]) - 1, int(row["End Frame"]), said


def _rate(rows: list[dict[str, str]], given: Fraction | None) -> Fraction:
    if not rows or rows[0].get("Frame Rate"):
        return known_rate(rows[0]["Frame Rate"] if rows else None, given)
    last = rows[-1]
    guessed = nearest_rate(int(last["End Frame"]), Fraction(last["End Time (seconds)"]))
    return given or known_rate(str(guessed) if guessed else None, None)


def _seconds(time: Fraction) -> str:
    return f"{float(time):.3f}"
