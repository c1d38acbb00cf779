"""The settings that each shot may be coded with at one size, and what they would cost and give; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil, floor

import numpy as np
import numpy.typing as npt

from encoder.codecs.base import Codec
from encoder.point import ShotPoints, Size
from encoder.surface import Surface

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
FINEST = Decimal("0.2")
"""Quality values nearer than this differ by less than the curves are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotLimits:
    """What holds for every shot of a rung.

    Attributes:
        floor: least mean VMAF, where the shot can reach it; 0 for none.
        ceiling: greatest mean VMAF worth paying for; 100 for none.
        peak_kbps: greatest bit rate of a shot; 0 for none. Wins over the floor.
    """

    floor: float = 0.0
    ceiling: float = 100.0
    peak_kbps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """All shots of a title at one size.

    Attributes:
        at: the coded size.
        crfs: (n,) quality values, rising.
        size: (shots, n) bytes; mean, harmonic: (shots, n) VMAF.
        left: (shots, n) bool: what there is to choose from: one value of shots whose quality is given, of others all.
        allowed: (shots, n) bool; each shot has one at least.
        frames: (shots,) how long they are; lasting: (shots,) the same in seconds; `seconds` of the title.
        limits: what `allowed` keeps to.
    """

    at: Size
    crfs: tuple[Decimal, ...]
    size: Array
    mean: Array
    harmonic: Array
    left: Mask
    allowed: Mask
    frames: Array
    lasting: Array
    seconds: float
    limits: ShotLimits

    def capped(self, peak_kbps: float) -> Candidates:
        """The table for a rung with a peak rate of its own; 0 for none."""
        if not peak_kbps or peak_kbps == self.limits.peak_kbps:
            return self
        limits = replace(self.limits, peak_kbps=peak_kbps)
        allowed = _allowed(self.left, self.size * 8 / 1000 / self.lasting[:, None], self.mean, limits)
        return replace(self, allowed=allowed, limits=limits)


def quality_grid(codec: Codec, shots: Sequence[ShotPoints]) -> tuple[Decimal, ...]:
    """The quality values to choose from: the codec's, not far beyond what was measured; and those that shots have anyway."""
    step = codec.step * max(1, round(FINEST / codec.step))
    low, high = codec.quality
    guesses = [Decimal(guess) for guess in codec.first_guesses]
    reach = abs(guesses[1] - guesses[0])
    tried = [point.crf for shot in shots for point in shot.points]
    start, end = max(low, min(tried) - reach), min(high, max(tried) + reach)
    steps = [step * place for place in range(ceil(start / step), floor(end / step) + 1)]
    return tuple(sorted({*steps, *(shot.crf for shot in shots if shot.crf is not None)}))


def candidates(
    shots: Sequence[ShotPoints],
    surfaces: Sequence[Surface],
    size: Size,
    grid: tuple[Decimal, ...],
    limits: ShotLimits,
) -> Candidates:
    """The table of a size.

    Args:
        shots: of the title, in order; `surfaces`: of the same shots, over `grid`.
        size: one of the ladder's.
        grid: see `quality_grid`.
        limits: what each shot must keep to.
    """
    curves = [surface.curve(size) for surface in surfaces]
    sizes, mean = np.array([curve.size for curve in curves]), np.array([curve.mean for curve in curves])
    lasting = np.array([shot.seconds for shot in shots], np.float64)
    rates = sizes * 8 / 1000 / lasting[:, None]
    left = np.array([_left(shot.crf, grid) for shot in shots], np.bool_)
    return Candidates(
        at=size,
        crfs=grid,
        size=sizes,
        mean=mean,
        harmonic=np.array([curve.harmonic for curve in curves]),
        left=left,
        allowed=_allowed(left, rates, mean, limits),
        frames=np.array([shot.frames for shot in shots], np.float64),
        lasting=lasting,
        seconds=sum(shot.seconds for shot in shots),
        limits=limits,
    )


def _left(crf: Decimal | None, grid: Sequence[Decimal]) -> list[bool]:
    """All of the grid, or the value of it that is nearest to one that is given."""
    nearest = min(grid, key=lambda value: abs(value - crf)) if crf is not None else None
    return [crf is None or value == nearest for value in grid]


def _allowed(left: Mask, rates: Array, mean: Array, limits: ShotLimits) -> Mask:
    """The peak first, then the floor, then the ceiling: each narrows what is left, and leaves one at least."""
    allowed = left
    if limits.peak_kbps:
        allowed = _narrowed(allowed, rates <= limits.peak_kbps, cheapest=True)
    allowed = _narrowed(allowed, mean >= limits.floor, cheapest=False)
    return _narrowed(allowed, mean <= limits.ceiling, cheapest=True)


def _narrowed(allowed: Mask, wish: Mask, *, cheapest: bool) -> Mask:
    """Both; the cheapest or the best allowed one where a shot has none that fits."""
    both = allowed & wish
    last = allowed.shape[1] - 1 - allowed[:, ::-1].argmax(axis=1)
    one = np.zeros_like(allowed)
    one[np.arange(len(one)), last if cheapest else allowed.argmax(axis=1)] = True
    return np.where(both.any(axis=1, keepdims=True), both, one)
