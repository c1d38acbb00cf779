"""Frames of a title as its view shows them: stored frames through ffmpeg's filters, with the context that these need."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from archer.media.info import VideoStream
from archer.media.range import FrameRange
from archer.media.view import View

if TYPE_CHECKING:
    from av.filter import Graph
    from av.video.frame import VideoFrame

    from cinemill_native.frames import Frame

TICK = Fraction(1, 1000)
"""Time base inside the filters, in which frame k is at k: they count frames, not seconds."""
REFERENCE_NITS = 100
"""Linear light 1.0 while tone-mapping, cd/m2: diffuse white of SDR."""
USUAL_NITS = 1000
"""Brightest light of a title that does not say its own, cd/m2."""
QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"]


def viewed_pictures(
    stored: Iterable[Frame], view: View, wanted: FrameRange
) -> Iterator[tuple[int, VideoFrame]]:
    """Numbers and pictures of a range of the title.

    Args:
        stored: the stored frames of `view.needed(wanted)`.
        view: what is done to them.
        wanted: frames of the title.
    """
    pictures = _toned(stored, view) if view.sdr else ((frame.index, frame.owner) for frame in stored)
    steps = filter_steps(view)
    following = wanted.start
    for number, picture in filtered_pictures(pictures, steps) if steps else pictures:
        while following < wanted.end and view.source(following) == number:
            yield following, picture
            following += 1


def filter_steps(view: View) -> list[tuple[str, str]]:
    """Names and arguments of the filters of a view, without tone-mapping."""
    steps = []
    parity = "bff" if view.stored.field_order == "bff" else "tff"
    if view.fields == "bwdif":
        steps.append(("bwdif", f"mode=send_frame:parity={parity}:deint=all"))
    if view.fields == "match":
        order = "bff" if parity == "bff" else "tff"
        steps.append(("fieldmatch", f"order={order}:combmatch=full:mode=pc_n"))
        steps.append(("bwdif", f"mode=send_frame:parity={parity}:deint=interlaced"))
    if view.crop:
        left, top, width, height = view.crop
        steps.append(("crop", f"{width}:{height}:{left}:{top}:exact=1"))
    if view.pad:
        left, top, width, height = view.pad
        steps.append(("pad", f"{width}:{height}:{left}:{top}:black"))
    return steps


def filtered_pictures(
    pictures: Iterable[tuple[int, VideoFrame]], steps: list[tuple[str, str]]
) -> Iterator[tuple[int, VideoFrame]]:
    """Numbered pictures through ffmpeg's filters, which are given by name and arguments."""
    import av

    graph: Graph | None = None
    for number, picture in pictures:
        graph = graph or _graph(picture, steps)
        picture.pts, picture.time_base = number, TICK
        graph.push(picture)
        yield from _pulled(graph)
    if graph is not None:
        try:
            graph.push(None)
        except av.EOFError:
            return
        yield from _pulled(graph)


def _pulled(graph: Graph) -> Iterator[tuple[int, VideoFrame]]:
    import av

    while True:
        try:
            picture: Any = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield round(picture.pts * Fraction(picture.time_base) / TICK), picture


def _graph(picture: VideoFrame, steps: list[tuple[str, str]]) -> Graph:
    from av.filter import Graph as Made

    graph = Made()
    graph.threads = 1
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=TICK
    )
    chain = [source, *(graph.add(name, arguments) for name, arguments in steps), graph.add("buffersink")]
    for one, other in pairwise(chain):
        one.link_to(other)
    graph.configure()
    return graph


def _toned(stored: Iterable[Frame], view: View) -> Iterator[tuple[int, VideoFrame]]:
    """Stored frames tone-mapped by an ffmpeg of its own: zscale, which knows PQ and HLG, is not in PyAV's FFmpeg."""
    import av

    from archer.process import Child, ffmpeg_path

    numbers: list[int] = []
    reader, writer = os.pipe()
    argv: list[str | Path] = [
        ffmpeg_path(), *QUIET, "-protocol_whitelist", "pipe", "-xerror", "-threads", "1", "-f", "nut",
        "-i", Child.feed_url(0), "-vf", tone_filters(view.stored), "-filter_threads", "1", "-fps_mode", "passthrough",
        "-c:v", "rawvideo", "-fflags", "+bitexact", "-f", "nut", f"pipe:{writer}",
    ]  # fmt: skip
    with os.fdopen(reader, "rb") as file:
        try:
            child = Child(argv, feeds=1, pass_fds=[writer])
        finally:
            os.close(writer)
        with child:
            child.feed(0, lambda pipe: _write(pipe, _numbered(stored, numbers), view.stored))
            try:
                with av.open(file, "r", format="nut", buffer_size=1 << 20) as container:
                    for place, picture in enumerate(container.decode(video=0)):
                        yield numbers[place], picture
            except av.InvalidDataError:
                child.finish()  # its own words say more
                raise
            child.finish()


def _write(pipe: BinaryIO, frames: Iterable[Frame], video: VideoStream) -> None:
    from archer.media.nut import write_nut

    write_nut(pipe, frames, video)


def _numbered(stored: Iterable[Frame], numbers: list[int]) -> Iterator[Frame]:
    for frame in stored:
        numbers.append(frame.index)
        yield frame


def tone_filters(video: VideoStream) -> str:
    """The filters from PQ or HLG of BT.2020 to BT.709, limited range, 10 bits, same chroma.

    Light is made linear, taken to the primaries of BT.709, bent by Hable's curve from the title's brightest light, and
    coded again. Source: the chain of FFmpeg's documentation of `tonemap`.
    """
    colour, hdr = video.colour, video.hdr
    nits = (hdr and (hdr.max_cll or (hdr.mastering and hdr.mastering.max_luminance))) or USUAL_NITS
    peak = max(Fraction(1), Fraction(nits) / REFERENCE_NITS)
    matrix = 10 if colour.matrix == 10 else 9
    return ",".join(
        [
            f"setparams=color_primaries=9:color_trc={colour.transfer}:colorspace={matrix}",
            f"setparams=range={'full' if colour.full_range else 'limited'}",
            f"zscale=t=linear:npl={REFERENCE_NITS}",
            "format=gbrpf32le",
            "zscale=p=709",
            f"tonemap=hable:desat=0:peak={float(peak):g}",
            "zscale=t=709:m=709:r=limited:d=none",
            f"format={toned_format(video)}",
        ]
    )


def toned_format(video: VideoStream) -> str:
    """Pixel format of tone-mapped pictures: 10 bits, the stored chroma where that is usual, else 4:2:0."""
    name = video.format.name
    chroma = name[3:6] if name[:3] == "yuv" and name[3:6] in ("420", "422", "444") else "420"
    return f"yuv{chroma}p10le"
