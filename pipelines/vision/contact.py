"""Contact sheets of key frames, with what was found in them.

`stills-001.png`, `stills-002.png` ... show the key frame of each shot with its number and first frame: text in yellow, faces in
green, the box of interest in blue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archer.media import Asset, FrameRange, MediaInfo, display_size, frames
from pipelines.shots.pictures import contact_sheet, png
from pipelines.vision.still import upright

Picture = npt.NDArray[np.uint8]
Row = Mapping[str, Any]

HEIGHT = 180
PAGE = 48
"""Shots of one sheet."""
COLOURS = {"text": (255, 220, 0), "faces": (60, 255, 60), "interest": (70, 140, 255)}


def write_stills(
    folder: Path, asset: Asset, info: MediaInfo, shots: Sequence[Row], stills: Mapping[str, Sequence[Any]]
) -> list[Path]:
    """Write the sheets; memory holds one sheet's pictures.

    Args:
        folder: made where it is not there.
        asset, info: the title and its facts.
        shots: entries of `shots@1`.
        stills: columns of `vision-stills@1`.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [dict(zip(stills, values, strict=True)) for values in zip(*stills.values(), strict=True)]
    written = []
    for page, start in enumerate(range(0, len(rows), PAGE), 1):
        listed = rows[start : start + PAGE]
        pictures = list(marked_pictures(asset, info, listed))
        path = folder / f"stills-{page:03d}.png"
        sheet = contact_sheet(pictures, [dict(shots[row["shot"]]) for row in listed], first=start + 1)
        path.write_bytes(png(sheet))
        written.append(path)
    return written


def marked_pictures(asset: Asset, info: MediaInfo, rows: Sequence[Row]) -> Iterator[Picture]:
    """The frame of each row of `vision-stills@1`, `HEIGHT` samples high, with what was found in it."""
    wide, high = display_size(info.video)
    side = round(HEIGHT * max(wide, high) / high)
    for row in rows:
        frame = next(frames(asset, FrameRange(row["frame"], row["frame"] + 1), info=info))
        yield marked(upright(frame, info.video, side), row)


def marked(picture: Picture, row: Row) -> Picture:
    """A picture with the boxes of its row, on a copy."""
    picture = picture.copy()
    if row["interest_left"] is not None:
        edges = {edge: row[f"interest_{edge}"] for edge in ("left", "top", "width", "height")}
        draw(picture, edges, COLOURS["interest"])
    for kind in ("text", "faces"):
        for box in row[kind] or ():
            draw(picture, box, COLOURS[kind])
    return picture


def draw(picture: Picture, box: Mapping[str, float], colour: tuple[int, int, int]) -> None:
    """The outline of a box, two samples wide, inside of it.

    Args:
        picture: drawn into.
        box: `left`, `top`, `width` and `height`, as shares of the picture.
        colour: RGB.
    """
    high, wide = picture.shape[:2]
    rows = slice(round(box["top"] * high), max(1, round((box["top"] + box["height"]) * high)))
    columns = slice(round(box["left"] * wide), max(1, round((box["left"] + box["width"]) * wide)))
    part = picture[rows, columns]
    part[:2], part[-2:], part[:, :2], part[:, -2:] = colour, colour, colour, colour
