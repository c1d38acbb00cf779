"""Shots as other tools write them, and as people read them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from archer.media import MediaInfo

Found = Mapping[str, Any]
"""A `shots@1` object."""


def write_shots(path: Path, found: Found, media: Mapping[str, Any]) -> None:
    """Write shots in the format that the suffix of `path` names: `.json` (ours) or `.csv` (PySceneDetect's).

    Raises:
        ValueError: another suffix.
    """
    writers = {".json": _json, ".csv": _csv}
    if path.suffix.lower() not in writers:
        raise ValueError(f"{path.name}: wanted a name that ends with {' or '.join(writers)}")
    path.write_text(writers[path.suffix.lower()](found, media), newline="")


def table_rows(found: Found, media: Mapping[str, Any]) -> Iterator[str]:
    """One line per shot for a terminal: number, frames, timecodes, how it begins, certainty."""
    times = _times(media)
    for number, shot in enumerate(found["shots"], 1):
        start, end = shot["start"], shot["end"]
        span = f"{timecode(times[start])} - {timecode(times[end])}"
        yield (
            f"{number:5}  {start:8} - {end:<8}  {span}  {shot['transition']:8}  {shot['confidence_pct']:3} %"
        )


def timecode(seconds: Fraction) -> str:
    """`HH:MM:SS.mmm`, rounded to the nearest millisecond."""
    total = round(seconds * 1000)
    return f"{total // 3_600_000:02}:{total // 60_000 % 60:02}:{total // 1000 % 60:02}.{total % 1000:03}"


def _times(media: Mapping[str, Any]) -> list[Fraction]:
    """Seconds of every frame from the first one, and of the end."""
    info = MediaInfo.from_json(dict(media))
    first, base = int(info.index.pts[0]) if len(info.index) else 0, info.video.time_base
    return [(pts - first) * base for pts in info.index.pts.tolist()] + [info.duration]


def _json(found: Found, media: Mapping[str, Any]) -> str:
    return json.dumps(found, indent=1) + "\n"


def _csv(found: Found, media: Mapping[str, Any]) -> str:
    """PySceneDetect's scene list: frame numbers 1-based and inclusive, times of VFR titles as they are."""
    times, text = _times(media), io.StringIO()
    rows = csv.writer(text)
    marks = [timecode(times[shot["start"]]) for shot in found["shots"][1:]]
    rows.writerow(["Timecode List:", *marks])
    names = ("Frame", "Timecode", "Time (seconds)")
    rows.writerow(
        [
            "Scene Number",
            *(f"{edge} {name}" for edge in ("Start", "End") for name in names),
            *(f"Length ({unit})" for unit in ("frames", "timecode", "seconds")),
        ]
    )
    for number, shot in enumerate(found["shots"], 1):
        start, end = shot["start"], shot["end"]
        begin, stop = times[start], times[end]
        edges = [start + 1, timecode(begin), _seconds(begin), end, timecode(stop), _seconds(stop)]
        rows.writerow([number, *edges, end - start, timecode(stop - begin), _seconds(stop - begin)])
    return text.getvalue()


def _seconds(time: Fraction) -> str:
    return f"{float(time):.3f}"
