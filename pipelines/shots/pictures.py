"""Pictures of a title's shots: contact sheets and a timeline.

    write_pictures(Path("pictures"), asset, info, found)

`contact-001.png`, `contact-002.png` ... show the middle frame of each shot with its number, first frame and, as a bar,
how it begins (white: cut, blue: dissolve, orange: fade; as long as it is certain). `timeline.png` shows the title from
left to right, each shot as wide as it is long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from archer.media import Asset, FrameRange, MediaInfo, display_size, frames
from pipelines.shots.lettering import lettered

if TYPE_CHECKING:
    import av

    from pipelines.shots.formats import Found

Picture = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, RGB."""

HEIGHT = 120
COLUMNS = 6
PAGE = 96
"""Shots of one contact sheet."""
CAPTION = 16
GAP = 6
LINE = 1800
"""Width of the timeline, samples."""
COLOURS = {"start": (90, 90, 90), "cut": (240, 240, 240), "dissolve": (70, 140, 255), "fade": (255, 150, 40)}


def write_pictures(folder: Path, asset: Asset, info: MediaInfo, found: Found) -> list[Path]:
    """Write contact sheets and the timeline; memory holds one sheet's pictures.

    Args:
        folder: made where it is not there.
        asset, info: the title and its facts.
        found: its shots.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shots = found["shots"]
    written, stripes = [], []
    for page, start in enumerate(range(0, len(shots), PAGE), 1):
        listed = shots[start : start + PAGE]
        pictures = list(middle_pictures(asset, info, listed))
        stripes += [
            _narrow(picture, shot, found["frames"]) for picture, shot in zip(pictures, listed, strict=True)
        ]
        path = folder / f"contact-{page:03d}.png"
        path.write_bytes(png(contact_sheet(pictures, listed, first=start + 1)))
        written.append(path)
    if shots:
        path = folder / "timeline.png"
        path.write_bytes(png(timeline(stripes, shots, found["frames"])))
        written.append(path)
    return written


def middle_pictures(asset: Asset, info: MediaInfo, shots: Sequence[dict[str, Any]]) -> Iterator[Picture]:
    """The middle frame of each shot as it is shown: upright, square pixels, `HEIGHT` samples high."""
    wide, high = display_size(info.video)
    size = max(2, round(HEIGHT * wide / high)), HEIGHT
    turned = info.video.rotation in (90, 270)
    for shot in shots:
        middle = (shot["start"] + shot["end"]) // 2
        frame = next(frames(asset, FrameRange(middle, middle + 1), info=info))
        picture: av.VideoFrame = frame.owner
        small = picture.reformat(*(size[::-1] if turned else size), format="rgb24", interpolation="AREA")
        yield np.ascontiguousarray(np.rot90(small.to_ndarray(), k=-(info.video.rotation // 90)))


def contact_sheet(pictures: Sequence[Picture], shots: Sequence[dict[str, Any]], *, first: int) -> Picture:
    """Pictures in rows, each over its caption.

    Args:
        pictures: of one size.
        shots: `shots@1` entries.
        first: number of the first one, from 1.
    """
    high, wide = pictures[0].shape[:2]
    rows, columns = -(-len(pictures) // COLUMNS), min(COLUMNS, len(pictures))
    sheet = np.full((rows * (high + CAPTION + GAP) + GAP, columns * (wide + GAP) + GAP, 3), 24, np.uint8)
    for place, (picture, shot) in enumerate(zip(pictures, shots, strict=True)):
        row, column = divmod(place, COLUMNS)
        top, left = GAP + row * (high + CAPTION + GAP), GAP + column * (wide + GAP)
        sheet[top : top + high, left : left + wide] = picture
        bar = max(1, wide * shot["confidence_pct"] // 100)
        sheet[top + high : top + high + 3, left : left + bar] = COLOURS[shot["transition"]]
        caption = lettered(f"{first + place} @ {shot['start']}")[:, :wide]
        place_y = slice(top + high + 5, top + high + 5 + caption.shape[0])
        sheet[place_y, left : left + caption.shape[1]][caption] = 220
    return sheet


def timeline(stripes: Sequence[Picture], shots: Sequence[dict[str, Any]], frame_count: int) -> Picture:
    """Shots side by side; the marks above them say where each begins and how, and how long gradual ones last."""
    picture = np.full((HEIGHT + 24, LINE, 3), 24, np.uint8)
    for stripe, shot in zip(stripes, shots, strict=True):
        left, right = _columns(shot["start"], shot["end"], frame_count)
        picture[24:, left:right] = stripe[:, : right - left]
    for shot in shots:
        start, end = shot.get("mixed", [shot["start"], shot["start"]])
        left, right = _columns(start, end, frame_count)
        picture[4:20, left:right] = COLOURS[shot["transition"]]
        if "fade_out" in shot:
            first, last = shot["fade_out"]
            left, right = _columns(first, last, frame_count)
            picture[12:20, left:right] = COLOURS["fade"]
    return picture


def _columns(start: int, end: int, frame_count: int) -> tuple[int, int]:
    left = min(LINE - 1, start * LINE // frame_count)
    return left, max(left + 1, end * LINE // frame_count)


def _narrow(picture: Picture, shot: dict[str, Any], frame_count: int) -> Picture:
    """The picture as wide as its shot is on the timeline."""
    left, right = _columns(shot["start"], shot["end"], frame_count)
    places = (np.arange(right - left) + 0.5) * picture.shape[1] / (right - left)
    return picture[:, places.astype(int)]


def png(picture: Picture) -> bytes:
    """A PNG file; the same samples give the same bytes."""
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    frame.pts = 0
    encoder: Any = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "rgb24"
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
