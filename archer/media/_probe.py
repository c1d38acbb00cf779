"""Find out everything about a title that later stages need, once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING

import mezzfs
from archer.media.asset import Asset, joined, urls_of
from archer.media.container import opened, packets, video_stream, video_streams
from archer.media.count import Count, count, decoded
from archer.media.errors import InvalidMedia
from archer.media.facts import audio_facts, chapter_facts, orientation, text_facts, timecode_of, video_facts
from archer.media.index import FrameIndex
from archer.media.info import MediaInfo, MediaProblem
from archer.media.problems import problems
from archer.media.rate import frame_rate

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvVideoStream

HEADED = frozenset({"matroska", "webm", "avi", "flv", "mxf", "asf"})
"""Formats whose header says how long the title is; elsewhere FFmpeg guesses from the end of the file."""


def identify(url: str) -> Asset:
    """The asset behind `url` (or several, see `archer.media.asset.joined`), named by its content. Raises: see `mezzfs.open`."""
    urls = urls_of(url)
    if len(urls) > 1:
        return joined([identify(each) for each in urls])
    identity, size = mezzfs.identify(url)
    return Asset(url=url, identity=identity, size=size)


def probe(url: str, *, threads: int = 1, decode: bool = False) -> MediaInfo:
    """Facts and exact frame index of the title at `url`.

    Args:
        url: path or URL.
        threads: threads of the decoder, where frames must be decoded to be counted.
        decode: decode the whole title even where its packets say how many frames there are; finds damage early.

    Raises:
        InvalidMedia: not a media file, or no frame of it can be decoded.
        NoVideo: audio only; a cover picture is not video.
        mezzfs.MezzError: it cannot be read.
    """
    with opened(url) as container:
        stream = video_stream(container, url)
        declared = _declared(container, stream)
        warnings = tuple(_warnings(container, stream))
        picture = _first_picture(container, stream, url)
        info = MediaInfo(
            container=container.format.name,
            video=video_facts(stream, picture),
            audio=audio_facts(container),
            subtitles=text_facts(container, "subtitle"),
            attachments=text_facts(container, "attachment"),
            chapters=chapter_facts(container),
            timecode=timecode_of(container),
            index=FrameIndex.empty(),
            problems=(*warnings, *_turning(picture)),
        )
    return _completed(info, count(url, threads=threads, decode=decode), declared)


def _completed(info: MediaInfo, found: Count, declared: Fraction | None) -> MediaInfo:
    index, video = found.index, info.video
    rate, vfr = frame_rate(index, video.time_base, video.frame_rate)
    video = replace(
        video,
        frames=len(index),
        hidden=max(0, found.packets - len(index) - index.lost),
        frame_rate=rate,
        vfr=vfr,
        field_order=(found.fields or "progressive")
        if video.field_order == "progressive"
        else video.field_order,
    )
    info = replace(info, video=video, index=index)
    return replace(info, problems=info.problems + problems(info, found, declared))


def _declared(container: InputContainer, stream: AvVideoStream) -> Fraction | None:
    """Seconds that the header promises."""
    if container.format.name == "avi" and stream.frames and stream.time_base:
        return stream.frames * stream.time_base  # FFmpeg shortens the duration to what the file's size allows
    if not HEADED & set(container.format.name.split(",")) or not container.duration:
        return None
    return Fraction(container.duration, 1_000_000)


def _warnings(container: InputContainer, stream: AvVideoStream) -> list[MediaProblem]:
    others = len(video_streams(container)) - 1
    if not others:
        return []
    text = f"{others + 1} video streams; only stream {stream.index} is used, name the others in files of their own"
    return [MediaProblem(code="several videos", message=text, fatal=False)]


def _turning(picture: VideoFrame) -> list[MediaProblem]:
    rotation, _, exact = orientation(picture)
    if exact:
        return []
    text = f"it asks to be turned by an odd angle for display; it is turned by {rotation} degrees instead"
    return [MediaProblem(code="display matrix", message=text, fatal=False)]


def _first_picture(container: InputContainer, stream: AvVideoStream, url: str) -> VideoFrame:
    errors: list[str] = []
    for packet in chain(packets(container, stream, broken=errors.append), [None]):
        pictures, error = decoded(stream, packet)
        errors += [error] if error else []
        if pictures:
            return pictures[0]
    raise InvalidMedia(
        url, f"no frame of its video can be decoded ({len(errors)} errors); wanted at least one"
    )
