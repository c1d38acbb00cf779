"""Image trick play: sheets of small pictures that players show while the viewer looks for a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import av

COLUMNS, ROWS = 5, 5
HEIGHT = 90
"""Of one picture, samples."""
MOST = 400
"""Pictures of a title, about; so a film has one every 15 to 20 s."""
QUALITY = 6
"""mjpeg's quantiser, 2 (best) to 31."""
EXACT_BICUBIC = 0x4 | 0x2000 | 0x40000 | 0x80000
"""SWS_BICUBIC, FULL_CHR_H_INT, ACCURATE_RND and BITEXACT: the same bytes from run to run."""
FOLDER, PLAYLIST = "images", "images/media.m3u8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """What was written.

    Attributes:
        width, height: of one picture, samples.
        step: seconds from one picture to the next.
        sheets: number of sheets `images/1.jpg` and on, each of 5 x 5 pictures, row by row.
        sizes: bytes of each.
        duration: of the title, seconds.
    """

    width: int
    height: int
    step: Fraction
    sizes: tuple[int, ...]
    duration: Fraction

    @property
    def sheets(self) -> int:
        """Number of sheets."""
        return len(self.sizes)

    @property
    def sheet_s(self) -> Fraction:
        """Seconds that a whole sheet covers."""
        return self.step * COLUMNS * ROWS

    @property
    def bandwidth(self) -> int:
        """Bits per second of the heaviest sheet."""
        lengths = [min(self.sheet_s, self.duration - place * self.sheet_s) for place in range(self.sheets)]
        spans = zip(self.sizes, lengths, strict=True)
        return max((-(-size * 8 // length) for size, length in spans if length > 0), default=1)


def step_of(duration: Fraction, shortest: Fraction = Fraction(2)) -> Fraction:
    """Whole seconds between pictures: 2 at least, and about 400 pictures for the title at most."""
    return max(shortest, Fraction(-(-duration // MOST)))


def write_tiles(video: Path, out: Path, duration: Fraction) -> Tiles:
    """Write the sheets of a rendition into the folder `out`; only key frames are decoded.

    Args:
        video: a rendition; the smallest one that is not below the height of a picture costs least.
        out: an existing folder.
        duration: of the title, seconds.
    """
    step = step_of(duration)
    count = max(1, int(-(-duration // step)))
    sizes: list[int] = []
    sheet: npt.NDArray[np.uint8] | None = None
    width = 0
    for place, picture in enumerate(_pictures(video, step, count)):
        if sheet is None:
            width = picture.shape[1]
            sheet = np.zeros((HEIGHT * ROWS, width * COLUMNS, 3), np.uint8)
        row, column = divmod(place % (COLUMNS * ROWS), COLUMNS)
        sheet[row * HEIGHT : (row + 1) * HEIGHT, column * width : (column + 1) * width] = picture
        if (place + 1) % (COLUMNS * ROWS) == 0 or place + 1 == count:
            content = _jpeg(sheet)
            (out / f"{len(sizes) + 1}.jpg").write_bytes(content)
            sizes.append(len(content))
            sheet[:] = 0
    return Tiles(width=width, height=HEIGHT, step=step, sizes=tuple(sizes), duration=duration)


def _pictures(video: Path, step: Fraction, count: int) -> Iterator[npt.NDArray[np.uint8]]:
    """For each instant the last key frame at or before it (the first one before that), as (90, width, 3) RGB."""
    import av

    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        shown: npt.NDArray[np.uint8] | None = None
        place = 0
        for frame in container.decode(stream):
            time = (frame.pts or 0) * (frame.time_base or Fraction(0))
            while shown is not None and place < count and time > place * step:
                yield shown
                place += 1
            shown = _small(frame, stream)
        for _ in range(place, count):
            if shown is not None:
                yield shown


def _small(frame: av.VideoFrame, stream: Any) -> npt.NDArray[np.uint8]:
    aspect = Fraction(stream.sample_aspect_ratio or 1) * Fraction(frame.width, frame.height)
    width = max(2, 2 * round(HEIGHT * aspect / 2))
    scaled = frame.reformat(width, HEIGHT, format="rgb24", interpolation=EXACT_BICUBIC)
    return np.asarray(scaled.to_ndarray())


def _jpeg(rgb: npt.NDArray[np.uint8]) -> bytes:
    import av

    height, width = rgb.shape[:2]
    picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuvj420p", interpolation=EXACT_BICUBIC
    )
    picture.pts = 0
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    encoder.options = {"qmin": str(QUALITY), "qmax": str(QUALITY), "flags": "+bitexact"}
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
