"""Errors of archer.media, drawn as a tree.

    CinemillError
    └── MediaError
        ├── InvalidMedia(ValueError)    not a media file, or broken beyond opening
        ├── NoVideo(ValueError)         it holds no video stream
        ├── DecodeError(ValueError)     a frame cannot be decoded, or comes out damaged
        │   └── ShortDecode             decoding ended before a frame that the index promises
        └── FrameRangeError(IndexError) frames were asked for that the title does not have

None is retryable: the same bytes give the same error. What may pass by itself (a server that does not answer) is a
`mezzfs.MezzError`.
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class MediaError(CinemillError):
    """A title cannot be read as media.

    Attributes:
        url: the title.
        reason: what is wrong and what to do.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}"


class InvalidMedia(MediaError, ValueError):
    """Not a media file, or broken beyond opening."""


class NoVideo(MediaError, ValueError):
    """It holds no video stream."""


class DecodeError(MediaError, ValueError):
    """A frame cannot be decoded, or comes out damaged.

    Attributes:
        frame: its index in presentation order; None where it is not known.
    """

    def __init__(self, url: str, reason: str, frame: int | None = None) -> None:
        super().__init__(url, reason)
        self.frame = frame
        self.args = (url, reason, frame)  # what pickle rebuilds it from


class ShortDecode(DecodeError):
    """Decoding ended before a frame that the index promises."""


class FrameRangeError(MediaError, IndexError):
    """Frames were asked for that the title does not have."""
