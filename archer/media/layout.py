"""How samples lie in memory: ffmpeg's names of layouts, sizes of planes, decoded pictures as frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archer.media.colour import colour_of, layout_of, planar
from archer.media.errors import DecodeError
from archer.media.info import MediaInfo
from cinemill_native import plane_view
from cinemill_native.frames import Frame, PixelFormat

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def as_frame(picture: VideoFrame, index: int, info: MediaInfo, url: str = "") -> Frame:
    """A decoded picture as a `Frame`: planar YUV or grey, without copying where it is so already.

    Raises:
        DecodeError: its size is not the title's.
    """
    layout, video = info.video.format, info.video
    if (picture.width, picture.height) != (video.width, video.height):
        text = f"frame {index} is {picture.width}x{picture.height}, the title {video.width}x{video.height}; split it there"
        raise DecodeError(url, text, index)
    plain = planar(picture, layout)
    plain.pts, plain.time_base = int(info.index.pts[index]), video.time_base
    planes = tuple(
        plane_view(plane, width=width, height=height, bit_depth=layout.bit_depth)
        for plane, (width, height) in zip(
            plain.planes, plane_sizes(picture.width, picture.height, layout), strict=False
        )
    )
    return Frame(
        planes=planes,
        format=layout,
        index=index,
        pts=plain.pts,
        time_base=video.time_base,
        colour=colour_of(plain),
        owner=plain,
    )


def layout_named(name: str) -> PixelFormat:
    """The planar layout of ffmpeg's name, as `yuv420p10le`."""
    from av import VideoFormat

    return layout_of(VideoFormat(name))


def plane_sizes(width: int, height: int, layout: PixelFormat) -> list[tuple[int, int]]:
    """(width, height) of each plane of a picture; odd sizes are rounded up for chroma."""
    if layout.chroma_shift is None:
        return [(width, height)]
    across, down = layout.chroma_shift
    chroma = (-(-width >> across), -(-height >> down))
    return [(width, height), chroma, chroma]
