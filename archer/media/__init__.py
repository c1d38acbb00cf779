"""Frames as first-class things: probe a title, index it exactly, decode any range of it frame-exactly.

    from archer.media import FrameRange, frames, identify, probe

    asset = identify("title.mov")
    info = probe(asset.url)
    print(info.frame_count, info.video.frame_rate, info.video.vfr)
    for frame in frames(asset, FrameRange(100, 110), info=info):
        print(frame.index, frame.time, frame.luma.samples.mean())

This package does not know the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cinemill_native.lazy import lazily

if TYPE_CHECKING:
    from archer.media._frames import frames as frames
    from archer.media._probe import identify as identify
    from archer.media._probe import probe as probe
    from archer.media.asset import Asset as Asset
    from archer.media.errors import DecodeError as DecodeError
    from archer.media.errors import FrameRangeError as FrameRangeError
    from archer.media.errors import InvalidMedia as InvalidMedia
    from archer.media.errors import MediaError as MediaError
    from archer.media.errors import NoVideo as NoVideo
    from archer.media.errors import ShortDecode as ShortDecode
    from archer.media.hdr import Hdr as Hdr
    from archer.media.hdr import Mastering as Mastering
    from archer.media.index import FrameIndex as FrameIndex
    from archer.media.info import AudioStream as AudioStream
    from archer.media.info import Chapter as Chapter
    from archer.media.info import MediaInfo as MediaInfo
    from archer.media.info import MediaProblem as MediaProblem
    from archer.media.info import TextStream as TextStream
    from archer.media.info import VideoStream as VideoStream
    from archer.media.info import display_size as display_size
    from archer.media.range import FrameRange as FrameRange

_HOMES = {
    "Asset": "asset",
    "AudioStream": "info",
    "Chapter": "info",
    "DecodeError": "errors",
    "FrameIndex": "index",
    "FrameRange": "range",
    "FrameRangeError": "errors",
    "Hdr": "hdr",
    "InvalidMedia": "errors",
    "Mastering": "hdr",
    "MediaError": "errors",
    "MediaInfo": "info",
    "MediaProblem": "info",
    "NoVideo": "errors",
    "ShortDecode": "errors",
    "TextStream": "info",
    "VideoStream": "info",
    "display_size": "info",
    "frames": "_frames",
    "identify": "_probe",
    "probe": "_probe",
}

__all__ = [
    "Asset",
    "AudioStream",
    "Chapter",
    "DecodeError",
    "FrameIndex",
    "FrameRange",
    "FrameRangeError",
    "Hdr",
    "InvalidMedia",
    "Mastering",
    "MediaError",
    "MediaInfo",
    "MediaProblem",
    "NoVideo",
    "ShortDecode",
    "TextStream",
    "VideoStream",
    "display_size",
    "frames",
    "identify",
    "probe",
]

__getattr__ = lazily(__name__, _HOMES)  # an engine without media needs no NumPy
