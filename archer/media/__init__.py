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

from archer.media.asset import Asset as Asset
from archer.media.errors import DecodeError as DecodeError
from archer.media.errors import FrameRangeError as FrameRangeError
from archer.media.errors import InvalidMedia as InvalidMedia
from archer.media.errors import MediaError as MediaError
from archer.media.errors import NoVideo as NoVideo
from archer.media.errors import ShortDecode as ShortDecode
from archer.media.frames import frames as frames
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
from archer.media.probe import identify as identify
from archer.media.probe import probe as probe
from archer.media.range import FrameRange as FrameRange

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
