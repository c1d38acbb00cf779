"""Raw pictures as a NUT stream: how frames go through a pipe without losing format or order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import BinaryIO

from archer.media.convert import Converter
from archer.media.info import VideoStream
from cinemill_native.frames import Frame


def write_nut(
    file: BinaryIO,
    frames: Iterable[Frame],
    video: VideoStream,
    *,
    convert: Converter | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> int:
    """Write pictures as raw video, the first at time 0 and each next one frame later; returns how many.

    Times are ordinals on purpose: both ends match frames by their number, so a title of variable rate goes through
    like any other, and whoever needs the source's times puts them back by number.

    Args:
        file: where to; needs no seeking.
        frames: pictures with their decoder's `owner`, all of the stream's size and format.
        video: what they are.
        convert: makes of each what goes through the pipe; None for the pictures as they are.
        on_frame: called with the count so far, before each picture is written.
    """
    import av

    rate = video.frame_rate
    with av.open(file, "w", format="nut") as container:
        stream = container.add_stream("rawvideo", rate=rate)
        shape = convert or video
        layout = convert.pixels if convert else video.format
        stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, layout.name
        stream.codec_context.time_base = 1 / Fraction(rate)
        count = 0
        for count, frame in enumerate(frames, start=1):
            if on_frame is not None:
                on_frame(count - 1)
            picture = convert.picture(frame) if convert else frame.owner
            if picture.format.name != layout.name:  # yuvj420p is yuv420p of full range by another name
                picture = picture.reformat(format=layout.name, src_color_range="JPEG", dst_color_range="JPEG")
            picture.pts, picture.time_base = count - 1, 1 / Fraction(rate)
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return count
