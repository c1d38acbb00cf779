"""Data that travels beside a decoded picture: how to turn it, how it was mastered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def side_data(picture: VideoFrame) -> dict[str, bytes]:
    """FFmpeg's name of each kind (`DISPLAYMATRIX`, ...) -> its bytes, laid out as FFmpeg's C structures."""
    # PyAV declares one entry; it is a container of them
    return {entry.type.name: bytes(entry) for entry in cast("Iterable[Any]", picture.side_data)}
