"""From a decoded picture to the planes that are scored: upright, square pixels, limited range, the model's display size."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from archer.media import MediaInfo
from archer.media.frames import plane_sizes
from archer.media.picture import picture_filters
from cinemill_native import plane_view
from cinemill_native.frames import Frame, PixelFormat, Plane

if TYPE_CHECKING:
    from av.filter import Graph

NO_WORK = frozenset({"setsar", "format"})


class Converter:
    """Converts frames of one title by ffmpeg's own filters, in this process; not thread-safe, make one per thread.

    Frames that are already as wanted pass through without a copy.
    """

    def __init__(self, info: MediaInfo, width: int, height: int, pixels: PixelFormat) -> None:
        self._info, self._size, self._pixels = info, (width, height), pixels
        self._chain = picture_filters(info, width, height, pixels.name, kernel="bicubic")
        names = {step.partition("=")[0] for step in self._chain.split(",")}
        self._passes = names <= NO_WORK and info.video.format.name == pixels.name
        self._graph: Graph | None = None

    def planes(self, frame: Frame) -> tuple[Plane, ...]:
        """The frame's planes as they are scored; valid as long as they are referenced."""
        if self._passes:
            return frame.planes
        graph = self._graph = self._graph or self._made()
        graph.push(picture_of(frame))
        made: Any = graph.pull()
        sizes = plane_sizes(*self._size, self._pixels)
        return tuple(
            plane_view(plane, width=width, height=height, bit_depth=self._pixels.bit_depth)
            for plane, (width, height) in zip(made.planes, sizes, strict=True)
        )

    def _made(self) -> Graph:
        from av import VideoFormat
        from av.filter import Graph

        video = self._info.video
        graph = Graph()
        graph.threads = 1
        steps = [
            graph.add_buffer(
                width=video.width,
                height=video.height,
                format=VideoFormat(video.format.name, video.width, video.height),
                time_base=video.time_base,
            )
        ]
        for step in self._chain.split(","):
            name, _, arguments = step.partition("=")
            steps.append(graph.add(name, arguments or None))
        steps.append(graph.add("buffersink"))
        for one, other in pairwise(steps):
            one.link_to(other)
        graph.configure()
        return graph


def picture_of(frame: Frame) -> Any:
    """The decoder's own picture, or a copy of the planes where there is none."""
    if frame.owner is not None:
        return frame.owner
    import numpy as np
    from av import VideoFrame

    made = VideoFrame(frame.luma.width, frame.luma.height, frame.format.name)
    for plane, target in zip(frame.planes, made.planes, strict=True):
        pitch = target.line_size // plane.samples.itemsize
        rows = np.frombuffer(memoryview(target), plane.samples.dtype)[: pitch * plane.height].reshape(
            plane.height, pitch
        )
        rows[:, : plane.width] = plane.samples
    made.pts, made.time_base = frame.pts, frame.time_base
    return made
