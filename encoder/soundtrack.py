"""Decoded sound at its place in the title, to the sample: of one file, or of the pieces that a title is put together of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, Any

from archer.media import AudioStream, MediaInfo
from archer.media.asset import urls_of
from archer.media.container import opened
from archer.media.edit import Span

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

SLACK_S = Fraction(1, 50)
"""Container times are rounded to its ticks; only a larger difference is a real hole or overlap."""

Block = tuple[int, Any]
"""Place of the first sample, and (n, channels) float32 samples."""


def soundtrack(
    url: str, info: MediaInfo, streams: Sequence[AudioStream | None], layout: str, rate: int
) -> Iterator[Block]:
    """Blocks of decoded sound, counted from the first video frame of the title; what no block covers is silent.

    Args:
        url, info: the title and its facts.
        streams: the stream of each of its inputs; None for silence.
        layout: FFmpeg's name of the channel layout wanted.
        rate: samples per second wanted.
    """
    import numpy as np

    urls = urls_of(url)
    if info.edit is None:
        if streams[0] is not None:
            yield from placed(url, info, streams[0], layout, rate)
        return
    for source, spans in _passes(info.edit.spans()):
        stream = streams[source]
        if stream is not None:
            yield from _cut(placed(urls[source], info.sources[source], stream, layout, rate), spans, rate)
    yield round(info.duration * rate), np.empty((0, 1), np.float32)  # as long as the pictures


def _passes(spans: Sequence[Span]) -> Iterator[tuple[int, list[Span]]]:
    """Spans that one decode of their file gives: in a row, of one file, each behind the one before."""
    number, numbers = 0, []
    for place, span in enumerate(spans):
        before = spans[place - 1] if place else None
        number += before is not None and (before.source != span.source or span.start < before.end)
        numbers.append(number)
    for _, group in groupby(zip(numbers, spans, strict=True), key=lambda pair: pair[0]):
        together = [span for _, span in group]
        yield together[0].source, together


def _cut(blocks: Iterator[Block], spans: Sequence[Span], rate: int) -> Iterator[Block]:
    """What lies in the spans, at its place in the title: every span is rounded to whole samples by its ends there."""
    windows = []
    for span in spans:
        at, end = round(span.at * rate), round((span.at + span.end - span.start) * rate)
        windows.append((round(span.start * rate), at, end - at))
    last, _, length = windows[-1]
    for place, samples in blocks:
        for first, at, size in windows:
            begin, end = max(place, first), min(place + len(samples), first + size)
            if begin < end:
                yield at + begin - first, samples[begin - place : end - place]
        if place >= last + length:
            return


def placed(url: str, info: MediaInfo, track: AudioStream, layout: str, rate: int) -> Iterator[Block]:
    """Blocks of decoded sound of a file, counted from its first video frame; what is before that is left out.

    Blocks follow each other without rounding gaps; only a difference above 20 ms moves one.
    """
    import av

    zero = info.zero
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
    following: int | None = None
    for frame in _decoded(url, track.index):
        stated = None
        if frame is not None and frame.pts is not None:
            stated = round((frame.pts * Fraction(frame.time_base or 0) - zero) * rate)
        place = following if following is not None else (stated or 0)
        if stated is not None and abs(stated - place) > SLACK_S * rate:
            place = stated
        if frame is None and rate == track.rate:
            return  # nothing is held back
        for samples in _samples(resampler, frame):
            following = place + len(samples)
            if following > 0:
                cut = max(0, -place)
                yield place + cut, samples[cut:]
            place = following


def _samples(resampler: Any, frame: AudioFrame | None) -> Iterator[Any]:
    import numpy as np

    for block in resampler.resample(frame):
        flat = np.frombuffer(bytes(block.planes[0]), np.float32)
        yield flat[: block.samples * len(block.layout.channels)].reshape(block.samples, -1)


def _decoded(url: str, stream: int) -> Iterator[AudioFrame | None]:
    """Frames of a stream, then None."""
    import av

    with opened(url) as container:
        for packet in container.demux(container.streams[stream]):
            try:
                yield from packet.decode()  # type: ignore[misc]  # an audio stream gives audio frames
            except av.FFmpegError:
                continue  # the hole is filled with silence
    yield None
