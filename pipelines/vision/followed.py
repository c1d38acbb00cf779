"""Tables of faces and of the tracks that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from pipelines.vision.box import Box
from pipelines.vision.columns import FACE_COLUMNS, TRACK_COLUMNS
from pipelines.vision.link import Track, linked

Rows = dict[str, list[Any]]
EDGES = ("left", "top", "width", "height", "score")


def followed(
    samples: Sequence[tuple[int, int]], found: Mapping[str, Sequence[Any]], gap: int
) -> tuple[Rows, Rows]:
    """Columns of `vision-faces@1` and `vision-tracks@1`.

    Args:
        samples: shots and frames that were looked at, in order.
        found: columns of faces, their tracks not known.
        gap: frames over which a face may not be seen, and still be the same.
    """
    boxes: dict[int, list[Box]] = {frame: [] for _, frame in samples}
    for frame, *edges in zip(found["frame"], *(found[edge] for edge in EDGES), strict=True):
        boxes[frame].append(Box(**dict(zip(EDGES, edges, strict=True))))
    faces: list[dict[str, Any]] = []
    tracks: list[dict[str, Any]] = []
    for shot, listed in groupby(samples, key=lambda sample: sample[0]):
        frames = [frame for _, frame in listed]
        for track in linked([(frame, boxes[frame]) for frame in frames], gap):
            number = len(tracks)
            faces += [_row(box, shot=shot, track=number, frame=frame) for frame, box in track.boxes]
            tracks.append(_track(track, shot, number, frames))
    faces.sort(key=lambda row: (row["frame"], row["track"]))
    return (
        {each.name: [row[each.name] for row in faces] for each in FACE_COLUMNS},
        {each.name: [row[each.name] for row in tracks] for each in TRACK_COLUMNS},
    )


def _row(box: Box, **others: int) -> dict[str, Any]:
    return {**others, **{edge: getattr(box, edge) for edge in EDGES}}


def _track(track: Track, shot: int, number: int, frames: Sequence[int]) -> dict[str, Any]:
    first, last = track.boxes[0][0], track.last
    best, box = max(track.boxes, key=lambda each: (each[1].score, -each[0]))
    looked = sum(first <= frame <= last for frame in frames)
    return _row(
        box,
        track=number,
        shot=shot,
        start=first,
        end=last + 1,
        seen=len(track.boxes),
        looked=looked,
        frame=best,
    )
