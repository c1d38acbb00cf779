"""Shots in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.shots.formats.base import Found, Media
from pipelines.shots.formats.timing import clock, frame_times


def table_rows(found: Found, media: Media) -> Iterator[str]:
    """One line per shot: number, half-open frames, times, how it begins, certainty."""
    times = frame_times(media)
    for number, shot in enumerate(found["shots"], 1):
        start, end = shot["start"], shot["end"]
        span = f"{clock(times[start])} - {clock(times[end])}"
        yield f"{number:5}  {start:8} - {end:<8}  {span}  {shot['transition']:8}  {shot['confidence_pct']:3} %"
