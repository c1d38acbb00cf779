"""Measured rate and quality of a shot."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Size = tuple[int, int]
"""Width and height of coded pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RDPoint:
    """One encode of a shot.

    Attributes:
        width, height: coded size.
        crf: constant quality value.
        size: bytes of the coded pictures.
        mean, harmonic: VMAF of its frames, pooled.
    """

    width: int
    height: int
    crf: Decimal
    size: int
    mean: float
    harmonic: float

    @property
    def area(self) -> int:
        """Samples of a picture."""
        return self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotPoints:
    """Everything measured of one shot (or of a chunk of it).

    Attributes:
        frames: how many it has.
        seconds: how long it is shown.
        points: in any order.
        crf: the quality value that it has whatever is wanted, as a zone asks for; None where it is to be chosen.
    """

    frames: int
    seconds: float
    points: tuple[RDPoint, ...]
    crf: Decimal | None = None
