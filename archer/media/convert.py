"""From a decoded picture to one as it is shown: upright, square pixels, limited range, a wanted size."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from archer.media.info import MediaInfo
from archer.media.layout import plane_sizes
from archer.media.picture import picture_filters
from cinemill_native import plane_view
from cinemill_native.frames import Frame, PixelFormat, Plane

if TYPE_CHECKING:
    from av.filter import Graph

NO_WORK = frozenset({"setsar", "format"})


class Converter:
    """Converts frames of one title by ffmpeg's own filters, in this process; not thread-safe, make one per thread.

    Frames that are already as wanted pass through without a copy.

    Attributes:
        width, height: of the pictures it makes.
        pixels: their format.
    """

    def __init__(self, info: MediaInfo, width: int, height: int, pixels: PixelFormat, *, kernel: str) -> None:
        self._info, self.width, self.height, self.pixels = info, width, height, pixels
        self._chain = picture_filters(info, width, height, pixels.name, kernel=kernel)
        names = {step.partition("=")[0] for step in self._chain.split(",")}
        self._passes = names <= NO_WORK and info.video.format.name == pixels.name
        self._graph: Graph | None = None

    def planes(self, frame: Frame) -> tuple[Plane, ...]:
        """The frame's planes as they are wanted; valid as long as they are referenced."""
        if self._passes:
            return frame.planes
        made = self.picture(frame)
        sizes = plane_sizes(self.width, self.height, self.pixels)
        return tuple(
            plane_view(plane, width=width, height=height, bit_depth=self.pixels.bit_depth)
            for plane, (width, height) in zip(made.planes, sizes, strict=True)
        )

    def picture(self, frame: Frame) -> Any:
        """The frame as a picture of ffmpeg's."""
        if self._passes:
            return picture_of(frame)
        graph = self._graph = self._graph or self._made()
        graph.push(picture_of(frame))
        return graph.pull()

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


def scaler_version() -> str:
    """What does the scaling; part of the identity of what is made from its pictures."""
    import av

    return "swscale {}.{}.{}".format(*av.library_versions["libswscale"])


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
