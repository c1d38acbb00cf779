"""Find out everything about a title that later stages need, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

import mezzfs
from archer.media.asset import Asset
from archer.media.colour import colour_of, layout_of
from archer.media.container import opened, video_stream
from archer.media.count import Count, count
from archer.media.errors import InvalidMedia
from archer.media.index import FrameIndex
from archer.media.info import AudioStream, MediaInfo, MediaProblem, TextStream, VideoStream
from cinemill_native.frames import Colour

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

GAP_FRAMES = 4
"""Frame distances of a constant-rate title from which a hole is reported."""


def identify(url: str) -> Asset:
    """The asset behind `url`, named by its content. Raises: see `mezzfs.open`."""
    identity, size = mezzfs.identify(url)
    return Asset(url=url, identity=identity, size=size)


def probe(url: str, *, threads: int = 1) -> MediaInfo:
    """Facts and exact frame index of the title at `url`.

    Args:
        url: path or URL.
        threads: threads of the decoder, where frames must be decoded to be counted.

    Raises:
        InvalidMedia: not a media file, or no frame of it can be decoded.
        NoVideo: audio only; a cover picture is not video.
        mezzfs.MezzError: it cannot be read.
    """
    with opened(url) as container:
        stream = video_stream(container, url)
        picture = _first_picture(container, stream, url)
        facts = _Facts(container, stream)
        video = facts.video(picture)
        info = MediaInfo(
            container=container.format.name,
            video=video,
            audio=facts.audio(),
            subtitles=facts.texts("subtitle"),
            attachments=facts.texts("attachment"),
            chapters=len(container.chapters()),
            timecode=facts.timecode(),
            index=FrameIndex(pts=np.array([], np.int64), keys=np.array([], np.int64), counted_by="demux"),
        )
        declared = (stream.frames, float(container.duration or 0) / 1e6)
    found = count(url, threads=threads)
    return _completed(info, found, declared)


def _completed(info: MediaInfo, found: Count, declared: tuple[int, float]) -> MediaInfo:
    index, video = found.index, info.video
    rate, vfr = frame_rate(index, video.time_base, video.frame_rate)
    video = replace(video, frames=len(index), frame_rate=rate, vfr=vfr)
    info = replace(info, video=video, index=index)
    return replace(info, problems=tuple(_problems(info, found, declared)))


def frame_rate(index: FrameIndex, time_base: Fraction, nominal: Fraction) -> tuple[Fraction, bool]:
    """Frames per second, and whether their distances vary by more than rounding to ticks explains.

    A title is of constant rate where every frame lies within one and a half ticks of the grid of the nominal rate, or
    of the mean rate.
    """
    if len(index) < 2:
        return nominal, False
    ticks = index.pts - index.pts[0]
    slack = Fraction(3, 2) * time_base
    for rate in (nominal, _mean_rate(index, time_base)):
        wanted = np.arange(len(index)) * float(1 / rate)
        if np.all(np.abs(ticks * float(time_base) - wanted) <= float(slack)):
            return rate, False
    return nominal, True


def _mean_rate(index: FrameIndex, time_base: Fraction) -> Fraction:
    span = (int(index.pts[-1]) - int(index.pts[0])) * time_base
    return ((len(index) - 1) / span).limit_denominator(100_000)


def _problems(info: MediaInfo, found: Count, declared: tuple[int, float]) -> Iterator[MediaProblem]:
    frames, seconds = declared
    video, index = info.video, info.index
    if "mov" in info.container and found.packets < frames:
        text = f"its header promises {frames} frames, the data ends after {found.packets}; get the whole file"
        yield MediaProblem(code="truncated", message=text, fatal=True)
    if found.errors:
        text = f"{found.errors} damaged packets or frames; the picture is broken there, check it or get a clean copy"
        yield MediaProblem(code="damaged", message=text, fatal=False)
    if len(found.sizes) > 1:
        text = "the picture size changes: " + ", ".join(f"{w}x{h}" for w, h in found.sizes) + "; split the title there"
        yield MediaProblem(code="resolution change", message=text, fatal=True)
    if not video.vfr or len(index) < 2:
        return
    steps = np.diff(index.pts)
    holes = steps[steps > GAP_FRAMES * np.median(steps)]
    if index.counted_by == "decode" and 0 < len(holes) <= max(3, len(index) // 100):
        longest = float(int(holes.max()) * video.time_base)
        text = f"frames are missing in {len(holes)} places (up to {longest:.2f} s); times are kept, so sound stays in sync"
        yield MediaProblem(code="gap", message=text, fatal=False)


def _first_picture(container: InputContainer, stream: Any, url: str) -> VideoFrame:
    import av

    errors = 0
    for packet in container.demux(stream):
        try:
            for frame in packet.decode():
                return frame  # type: ignore[no-any-return]
        except av.FFmpegError:
            errors += 1
    raise InvalidMedia(url, f"no frame of its video can be decoded ({errors} damaged packets); wanted at least one")


class _Facts:
    """Reads the facts of an open container."""

    def __init__(self, container: InputContainer, stream: Any) -> None:
        self._container, self._stream = container, stream

    def video(self, picture: VideoFrame) -> VideoStream:
        stream = self._stream
        codec = stream.codec_context
        rate = stream.guessed_rate or stream.average_rate or stream.base_rate or Fraction(25)
        return VideoStream(
            index=stream.index,
            codec=codec.codec.name if codec.codec else codec.name,
            profile=str(stream.profile or ""),
            width=picture.width,
            height=picture.height,
            sar=Fraction(stream.sample_aspect_ratio or 0) or Fraction(1),
            rotation=-picture.rotation % 360,
            format=layout_of(picture.format),
            field_order=_field_order(int(codec.field_order), picture),
            colour=_merged(colour_of(picture), codec),
            hdr=_hdr(picture),
            time_base=stream.time_base,
            frame_rate=Fraction(rate),
            vfr=False,
            frames=0,
        )

    def audio(self) -> tuple[AudioStream, ...]:
        return tuple(
            AudioStream(
                index=track.index,
                codec=track.codec_context.name,
                layout=track.layout.name,
                rate=track.rate or track.codec_context.sample_rate,
                channels=track.channels,
                language=track.language or "und",
                title=track.metadata.get("title", ""),
                default=bool(int(track.disposition) & 1),
                start=(track.start_time or 0) * Fraction(track.time_base),
            )
            for track in self._container.streams.audio
        )

    def texts(self, kind: str) -> tuple[TextStream, ...]:
        return tuple(
            TextStream(
                index=track.index,
                codec=getattr(track.codec_context, "name", "") if track.codec_context else "",
                language=track.metadata.get("language", "und"),
                title=track.metadata.get("title", track.metadata.get("filename", "")),
                default=bool(int(track.disposition) & 1),
            )
            for track in self._container.streams
            if track.type == kind
        )

    def timecode(self) -> str:
        for holder in (self._container, *self._container.streams):
            if "timecode" in holder.metadata:
                return str(holder.metadata["timecode"])
        return ""


def _field_order(code: int, picture: VideoFrame) -> str:
    """AVFieldOrder: 2 and 4 show the top field first, 3 and 5 the bottom one; the first picture's flag decides with it."""
    if code in (3, 5):
        return "bff"
    return "tff" if code in (2, 4) or picture.interlaced_frame else "progressive"


def _merged(colour: Colour, codec: Any) -> Colour:
    """The picture's colour facts, and the stream's where the picture says nothing."""
    return replace(
        colour,
        primaries=int(codec.color_primaries) if colour.primaries == 2 else colour.primaries,
        transfer=int(codec.color_trc) if colour.transfer == 2 else colour.transfer,
        matrix=int(codec.colorspace) if colour.matrix == 2 else colour.matrix,
    )


def _hdr(picture: VideoFrame) -> dict[str, str]:
    """Static HDR metadata: raw 32-bit integers of FFmpeg's structures, as text."""
    found = {}
    for data in picture.side_data:
        name = data.type.name
        if name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"):
            found[name.lower()] = " ".join(map(str, np.frombuffer(bytes(data), np.int32).tolist()))
    return found
