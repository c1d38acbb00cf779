"""Small pictures of frames as data URIs: whole frames, and the part that suffered most at full size."""

from __future__ import annotations

import base64
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from archer.media import VideoStream, display_size
from cinemill_native.frames import Frame

if TYPE_CHECKING:
    import av

QUALITY = 78
CROP = (320, 180)
"""Size of a part shown at full size, samples."""
STEP = 8
EXACT_BICUBIC = 0x4 | 0x2000 | 0x40000 | 0x80000
"""SWS_BICUBIC, FULL_CHR_H_INT, ACCURATE_RND and BITEXACT: without, the right edge may differ from run to run."""


def shown(frame: Frame, video: VideoStream, size: tuple[int, int], pixels: str) -> npt.NDArray[np.uint8]:
    """A frame as it is shown: turned upright, square pixels, scaled.

    Args:
        frame: decoded, with its `owner`.
        video: rotation, pixel aspect and colour of the stream.
        size: width and height of the result.
        pixels: `gray` (height, width) or `bgra` (height, width, 4).
    """
    stored = size[::-1] if video.rotation in (90, 270) else size
    picture: av.VideoFrame = frame.owner
    matrix = _matrix(video) if pixels == "bgra" else None
    scaled = picture.reformat(*stored, format=pixels, src_colorspace=matrix, interpolation=EXACT_BICUBIC)
    upright = np.rot90(scaled.to_ndarray(), k=-(video.rotation // 90))
    return np.ascontiguousarray(upright)


def thumbnail(frame: Frame, video: VideoStream, width: int) -> str:
    """The whole frame as it is shown, `width` samples wide, as data URI."""
    wide, high = display_size(video)
    if high > wide:
        width = max(1, width * wide // high)
    return data_uri(shown(frame, video, (width, max(1, round(width * high / wide))), "bgra"))


def data_uri(bgra: npt.NDArray[np.uint8]) -> str:
    """A WebP picture of (height, width, 4) samples; the same samples give the same text."""
    import av

    height, width = bgra.shape[:2]
    frame = av.VideoFrame.from_ndarray(bgra, format="bgra")
    frame.pts = 0
    encoder: Any = av.CodecContext.create("libwebp", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "bgra"
    encoder.time_base, encoder.thread_count = Fraction(1, 25), 1
    encoder.options = {"quality": str(QUALITY), "compression_level": "4"}
    content = b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    return f"data:image/webp;base64,{base64.b64encode(content).decode()}"


def worst_window(
    source: npt.NDArray[np.uint8], coded: npt.NDArray[np.uint8], *, size: tuple[int, int] = CROP
) -> tuple[int, int, int, int]:
    """Where the squared error of luma is greatest.

    Args:
        source: (height, width) uint8 luma of a frame.
        coded: the same after coding.
        size: width and height of the window, clipped to the picture.

    Returns:
        Left, top, width, height; left and top are multiples of 8, or the last place where the window fits.
    """
    height, width = source.shape
    wide, high = min(size[0], width), min(size[1], height)
    error = (source.astype(np.int64) - coded) ** 2
    total = np.zeros((height + 1, width + 1), np.int64)
    total[1:, 1:] = error.cumsum(0).cumsum(1)
    lefts = np.unique(np.append(np.arange(0, width - wide + 1, STEP), width - wide))
    tops = np.unique(np.append(np.arange(0, height - high + 1, STEP), height - high))
    rows, columns = np.ix_(tops, lefts)
    sums = total[rows + high, columns + wide] - total[rows, columns + wide]
    sums += total[rows, columns] - total[rows + high, columns]
    top, left = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return int(lefts[left]), int(tops[top]), wide, high


def cropped(bgra: npt.NDArray[np.uint8], window: tuple[int, int, int, int]) -> str:
    """The window of a picture as data URI."""
    left, top, width, height = window
    return data_uri(np.ascontiguousarray(bgra[top : top + height, left : left + width]))


def _matrix(video: VideoStream) -> int:
    """FFmpeg's number of the YUV matrix; where the file is silent, BT.709 from 720 lines up, else BT.601."""
    named = {1: 1, 5: 5, 6: 5, 9: 9, 10: 9}
    return named.get(video.colour.matrix, 1 if min(video.width, video.height) >= 720 else 5)
