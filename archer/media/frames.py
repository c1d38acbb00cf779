"""Frame-exact decoding of any range, whatever the GOP structure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archer.media.asset import Asset
from archer.media.colour import colour_of
from archer.media.container import opened, use_threads, video_stream
from archer.media.count import Count, decoded
from archer.media.errors import DecodeError, FrameRangeError
from archer.media.info import MediaInfo
from archer.media.range import FrameRange
from cinemill_native import plane_view
from cinemill_native.frames import Frame, PixelFormat

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

EARLIER = (0, 1, 3, 1 << 30)
"""Key frames to go back on each try; the last one is the start of the title."""


def frames(
    asset: Asset | str, frames: FrameRange | None = None, *, info: MediaInfo | None = None, threads: int = 1
) -> Iterator[Frame]:
    """Exactly the frames of a range, in presentation order, with the source's times.

    Decoding starts at the key frame before the range. Where that does not give the very frames of a straight decode
    (leading pictures of an open GOP, an index that lies), it starts again further back, at the start if need be.

    Args:
        asset: the title, or its URL.
        frames: half-open range; None for all of them.
        info: facts from `probe`, to save probing again.
        threads: threads of the decoder.

    Yields:
        Frames whose planes are views of the decoder's memory; keep a frame and its planes stay valid.

    Raises:
        FrameRangeError: the range reaches beyond the title.
        DecodeError: a frame cannot be decoded or comes out damaged.
    """
    from archer.media.probe import probe

    url = asset.url if isinstance(asset, Asset) else asset
    facts = info or probe(url)
    wanted = frames or FrameRange(0, facts.frame_count)
    if wanted.end > facts.frame_count:
        raise FrameRangeError(url, f"frames [{wanted.start}, {wanted.end}) asked for, it has {facts.frame_count}")
    following = wanted.start
    for back in EARLIER:
        if following >= wanted.end:
            return
        start = facts.index.key_before(following, back)
        for frame in _from(url, facts, start, FrameRange(following, wanted.end), threads):
            following = frame.index + 1
            yield frame
        if start == 0:
            break
    if following < wanted.end:
        raise DecodeError(url, f"frame {following} of {facts.frame_count} cannot be decoded; the file is damaged there")


def _from(url: str, info: MediaInfo, start: int, wanted: FrameRange, threads: int) -> Iterator[Frame]:
    """Frames of `wanted` as long as they come as the index says, decoding from key frame `start`."""
    pts = info.index.pts
    with opened(url) as container:
        stream = video_stream(container, url)
        use_threads(stream, threads)
        if start > 0:
            container.seek(int(pts[start]), stream=stream, backward=True)
        following, ordinal = wanted.start, 0
        found = Count(index=info.index, packets=0)
        for picture in decoded(container, stream.index, found):
            if info.index.seekable:
                if picture.pts is None or picture.pts < pts[following]:
                    continue
                if picture.pts != pts[following] or found.errors:
                    return  # not what a straight decode gives: start further back
            elif ordinal < following:
                ordinal += 1
                continue
            yield as_frame(picture, following, info, url)
            following, ordinal = following + 1, ordinal + 1
            if following >= wanted.end:
                return


def as_frame(picture: VideoFrame, index: int, info: MediaInfo, url: str = "") -> Frame:
    """A decoded picture as a `Frame`: planar YUV or grey, without copying where it is so already.

    Raises:
        DecodeError: its size is not the title's.
    """
    layout, video = info.video.format, info.video
    if (picture.width, picture.height) != (video.width, video.height):
        raise DecodeError(
            url, f"frame {index} is {picture.width}x{picture.height}, the title {video.width}x{video.height}; split it there"
        )
    same = picture.format.name.replace("yuvj", "yuv") == layout.name
    plain = picture if same else picture.reformat(format=layout.name)
    sizes = _plane_sizes(picture.width, picture.height, layout)
    planes = tuple(
        plane_view(plane, width=width, height=height, bit_depth=layout.bit_depth)
        for plane, (width, height) in zip(plain.planes, sizes, strict=False)
    )
    return Frame(
        planes=planes,
        format=layout,
        index=index,
        pts=int(info.index.pts[index]),
        time_base=video.time_base,
        colour=colour_of(picture),
        owner=plain,
    )


def _plane_sizes(width: int, height: int, layout: PixelFormat) -> list[tuple[int, int]]:
    if layout.chroma_shift is None:
        return [(width, height)]
    across, down = layout.chroma_shift
    chroma = (-(-width >> across), -(-height >> down))
    return [(width, height), chroma, chroma]
