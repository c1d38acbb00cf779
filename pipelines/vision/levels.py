"""What samples of a title mean: black, white, its colour matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from archer.media import VideoStream

WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""Luma weights of red and blue by matrix (ITU-T H.273)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels of a title.

    Attributes:
        full_range: samples use their full range; False where the file does not say.
        bit_depth: 8 to 16.
        red, blue: weights of red and blue in luma.
    """

    full_range: bool
    bit_depth: int
    red: float
    blue: float

    @classmethod
    def of(cls, video: VideoStream) -> Self:
        """As the stream says; an unspecified matrix is BT.709 for 720 rows and more, BT.601 below."""
        usual = 1 if min(video.width, video.height) >= 720 else 6
        red, blue = WEIGHTS.get(video.colour.matrix, WEIGHTS[usual])
        return cls(full_range=bool(video.colour.full_range), bit_depth=video.bit_depth, red=red, blue=blue)

    @property
    def scale(self) -> int:
        """Samples of an 8-bit unit."""
        return 1 << (self.bit_depth - 8)

    @property
    def black(self) -> int:
        """Luma of black, 8-bit units."""
        return 0 if self.full_range else 16

    @property
    def zeros(self) -> tuple[float, float]:
        """Samples that stand for black in luma and for no colour in chroma."""
        return float(self.black * self.scale), float(128 * self.scale)

    @property
    def matrix(self) -> tuple[float, float, float, float, float]:
        """Factors of samples that give R'G'B' of 0 to 1, as `cinemill_native.inspect_chroma` takes them."""
        luma, chroma = (255, 255) if self.full_range else (219, 224)
        y, c = 1 / (luma * self.scale), 1 / (chroma * self.scale)
        green = 1 - self.red - self.blue
        red, blue = 2 * (1 - self.red) * c, 2 * (1 - self.blue) * c
        return y, red, self.blue / green * blue, self.red / green * red, blue
