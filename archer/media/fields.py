"""Which of its two fields an interlaced picture shows first."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

TOP_CODES, BOTTOM_CODES = (2, 4), (3, 5)
"""AVFieldOrder of a stream. Documentation and use differ for 4 and 5; FFmpeg's own encoders write 4 for top field first."""


def field_order(picture: VideoFrame, code: int = 0) -> str:
    """`progressive`, `tff` (top field first) or `bff` (bottom field first).

    Args:
        picture: a decoded picture.
        code: AVFieldOrder of its stream, which goes before what the picture says; 0 and 1 say nothing.
    """
    if code in TOP_CODES + BOTTOM_CODES:
        return "tff" if code in TOP_CODES else "bff"
    if not picture.interlaced_frame:
        return "progressive"
    return "bff" if _bottom_first(picture) else "tff"


def _bottom_first(picture: VideoFrame) -> bool:
    """PyAV does not give the flag; FFmpeg's `select` filter lets the picture through by it."""
    import av
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        time_base=picture.time_base or Fraction(1, 25),
    )
    choice = graph.add("select", "eq(interlace_type,BOTTOMFIRST)")
    graph.link_nodes(source, choice, graph.add("buffersink")).configure()
    graph.push(picture)
    try:
        return graph.pull() is not None
    except av.BlockingIOError:
        return False
