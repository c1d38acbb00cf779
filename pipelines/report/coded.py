"""What a rendition is, read from the file itself: size, codec, and the bytes of each frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from encoder.loudness import Loudness

_NAMES = {"h264": "H.264", "hevc": "HEVC", "av1": "AV1", "vp9": "VP9", "aac": "AAC", "opus": "Opus"}
_RANGES = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of H.273 that are no SDR -> as HLS names their range."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodedVideo:
    """A rendition.

    Attributes:
        name: its rung.
        width, height: samples.
        codec: for people, with its profile, and its dynamic range where that is not SDR: `AV1 Main, PQ`.
        file_bytes: size of the file.
        frame_bytes: (n,) int64, coded size of each frame in presentation order.
        keys: (n,) bool, True where a decoder can start.
    """

    name: str
    width: int
    height: int
    codec: str
    file_bytes: int
    frame_bytes: npt.NDArray[np.int64]
    keys: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedAudio:
    """An audio rendition: language code, name for people, codec, samples per second, layout, mean kb/s, loudness, gain."""

    language: str
    title: str
    codec: str
    rate: int
    layout: str
    kbps: int
    default: bool
    loudness: Loudness = field(default_factory=Loudness)
    gain_db: str = "0"


def read_video(path: Path, name: str) -> CodedVideo:
    """Facts of a rendition; packets are read, nothing is decoded."""
    import av

    with av.open(str(path), "r") as container:
        stream = container.streams.video[0]
        packets = sorted(
            (packet.pts, packet.size, packet.is_keyframe)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        )
        return CodedVideo(
            name=name,
            width=stream.width,
            height=stream.height,
            codec=", ".join(
                filter(None, (codec_name(stream), _RANGES.get(stream.codec_context.color_trc, "")))
            ),
            file_bytes=path.stat().st_size,
            frame_bytes=np.array([size for _, size, _ in packets], np.int64),
            keys=np.array([key for _, _, key in packets], np.bool_),
        )


def read_audio(
    path: Path, *, language: str, title: str, default: bool, loudness: Loudness, gain_db: str
) -> CodedAudio:
    """Facts of an audio rendition."""
    import av

    with av.open(str(path), "r") as container:
        stream = container.streams.audio[0]
        sizes = [(packet.size, packet.duration or 0) for packet in container.demux(stream) if packet.size]
        ticks = sum(duration for _, duration in sizes) * Fraction(stream.time_base or 1)
        return CodedAudio(
            language=language,
            title=title,
            codec=codec_name(stream),
            rate=stream.rate,
            layout=stream.layout.name,
            kbps=round(sum(size for size, _ in sizes) * 8 / 1000 / ticks) if ticks else 0,
            default=default,
            loudness=loudness,
            gain_db=gain_db,
        )


def codec_name(stream: Any) -> str:
    """`H.264 High`, `AV1 Main`, `Opus`."""
    context = stream.codec_context
    name = _NAMES.get(context.codec.canonical_name, context.codec.canonical_name)
    return f"{name} {context.profile}".strip() if context.profile else name


def rate_over_time(
    frame_bytes: npt.NDArray[np.int64], times: npt.NDArray[np.float64], *, duration: float, step: float
) -> list[float]:
    """Kilobits per second in windows of `step` seconds from 0; the last one is between half and one and a half as long.

    Args:
        frame_bytes: (n,) size of each frame.
        times: (n,) seconds from the first frame.
        duration: of the title, seconds.
        step: seconds.
    """
    count = max(1, int(duration / step + 0.5))
    window = np.minimum((times / step + 1e-9).astype(int), count - 1)
    bits = np.bincount(window, weights=frame_bytes * 8.0, minlength=count)
    lengths = np.append(np.full(count - 1, step), duration - step * (count - 1))
    return [float(value) for value in np.round(bits / lengths / 1000, 1)]
