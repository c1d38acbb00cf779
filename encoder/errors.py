"""Errors of encoder, drawn as a tree.

CinemillError
└── EncoderError
    ├── BadOption(ValueError)    a codec, preset, quality or parameter does not exist or fit
    ├── BadLadder(ValueError)    a ladder cannot be read, or does not fit the source
    ├── CannotCode(ValueError)   a codec does not take such pictures
    ├── BadCaptions(ValueError)  a subtitle file cannot be used
    ├── PeakBroken(ValueError)   a chunk cannot be coded within its peak rate
    ├── NoneUsable(ValueError)   an encoder broke at all qualities that were tried
    ├── NoneRight(ValueError)    a chunk broke at its quality, and at those near it
    └── ChunkBroken(ValueError)  a coded chunk or rendition is not what was asked for
"""

from __future__ import annotations

from cinemill_native.errors import CinemillError


class EncoderError(CinemillError):
    """Something about encoding."""


class BadOption(EncoderError, ValueError):
    """A codec, preset, quality or parameter does not exist or fit.

    Attributes:
        option: its name on the command line.
        got: what was given.
        wanted: what fits, and what to do.
    """

    def __init__(self, option: str, got: str, wanted: str) -> None:
        super().__init__(option, got, wanted)
        self.option, self.got, self.wanted = option, got, wanted

    def __str__(self) -> str:
        return f"{self.option} {self.got}: {self.wanted}"


class BadLadder(EncoderError, ValueError):
    """A ladder cannot be read, or does not fit the source."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text, self.problem = text, problem

    def __str__(self) -> str:
        wanted = (
            "wanted heights as 720p,540p or 1280x720, each with @crf23, @vmaf90 or @1500k if it is to differ"
        )
        return f"--ladder {self.text}: {self.problem}; {wanted}"


class CannotCode(EncoderError, ValueError):
    """A codec does not take such pictures.

    Attributes:
        codec: its name.
        got: what it was to code.
        wanted: what it takes, and what to do.
    """

    def __init__(self, codec: str, got: str, wanted: str) -> None:
        super().__init__(codec, got, wanted)
        self.codec, self.got, self.wanted = codec, got, wanted

    def __str__(self) -> str:
        return f"{self.codec} cannot code {self.got}: {self.wanted}"


class PeakBroken(EncoderError, ValueError):
    """A chunk cannot be coded within its peak rate.

    Attributes:
        rung: its name.
        frame: at which the chunk begins.
        kbps: the peak rate.
        share: of its bytes that would fit.
    """

    def __init__(self, rung: str, frame: int, kbps: int, share: float) -> None:
        super().__init__(rung, frame, kbps, share)
        self.rung, self.frame, self.kbps, self.share = rung, frame, kbps, share

    def __str__(self) -> str:
        return (
            f"rung {self.rung}, chunk at frame {self.frame}: only {self.share:.0%} of its bytes fit into a peak of "
            f"{self.kbps} kb/s with the least that was tried; allow a higher peak, a larger buffer, or a smaller size"
        )


class NoneUsable(EncoderError, ValueError):
    """An encoder gave no right stream at the qualities that were tried, so that nothing is known to decide by.

    Attributes:
        codec: its name.
        tried: what was tried, and what was wrong with it.
    """

    SHOWN = 3

    def __init__(self, codec: str, tried: tuple[str, ...]) -> None:
        super().__init__(codec, tried)
        self.codec, self.tried = codec, tried

    def __str__(self) -> str:
        more = len(self.tried) - self.SHOWN
        shown = "; ".join(self.tried[: self.SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return (
            f"{self.codec} gave no usable stream to choose a quality by: {shown}; use another --codec or --preset, "
            "or another build of ffmpeg (cinemill doctor names the one in use)"
        )


class NoneRight(EncoderError, ValueError):
    """A chunk cannot be coded: the encoder gave no right stream at its quality value, nor at those near it.

    Attributes:
        rung: its name.
        frame: at which the chunk begins.
        codec: name of the codec.
        tried: quality values and what was wrong at each, in words.
    """

    def __init__(self, rung: str, frame: int, codec: str, tried: str) -> None:
        super().__init__(rung, frame, codec, tried)
        self.rung, self.frame, self.codec, self.tried = rung, frame, codec, tried

    def __str__(self) -> str:
        return (
            f"rung {self.rung}, chunk at frame {self.frame}: {self.codec} gave no right stream at any quality that was tried "
            f"({self.tried}); use another --codec or --preset, or another build of ffmpeg (cinemill doctor names the one in use)"
        )


class ChunkBroken(EncoderError, ValueError):
    """A coded chunk or rendition is not what was asked for: the encoder dropped, repeated or damaged frames.

    Attributes:
        name: the file.
        problem: what was wanted and got.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


class BadCaptions(EncoderError, ValueError):
    """A subtitle file cannot be used.

    Attributes:
        url: where it is.
        reason: what is wrong with it, and what is wanted.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"subtitles {self.url}: {self.reason}"
