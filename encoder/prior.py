"""What the shots of a title have in common, learned from those that were measured first: where the others probably lie; pure.

prior = Prior.of(shots, sizes, grid, codec)
surfaces = [prior.surface(shot) for shot in shots]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from encoder.codecs.base import Codec
from encoder.point import ShotPoints, Size
from encoder.surface import Array, Surface

APART = 4
"""One chunk of so many is measured without knowing any other."""


def pilots(count: int) -> tuple[int, ...]:
    """Places of the chunks that are measured first: every fourth, from the second on, so that they are spread over the title.

    Args:
        count: chunks of the title, at least 1.
    """
    return tuple(range(min(1, count - 1), count, APART))


def spans(shot: ShotPoints, codec: Codec) -> bool:
    """Whether a shot says by itself how it falls: two points at one size, as far apart as the codec's first guesses."""
    good, less = (float(guess) for guess in codec.first_guesses)
    found: dict[Size, list[float]] = {}
    for point in shot.points:
        found.setdefault((point.width, point.height), []).append(float(point.crf))
    return any(max(crfs) - min(crfs) >= less - good for crfs in found.values())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """The mean of the shots that span their curves.

    Attributes:
        grid: (n,) quality values to know curves at, rising.
        codec: says what spans.
        lines: size -> (3, n) as of `encoder.surface`, for one frame.
    """

    grid: Array
    codec: Codec
    lines: Mapping[Size, Array]

    @classmethod
    def of(cls, shots: Sequence[ShotPoints], sizes: Iterable[Size], grid: Array, codec: Codec) -> Prior:
        """Of logarithms of bytes per frame and of lost quality, so that no shot outweighs the others.

        Args:
            shots: of one title; one of them at least spans its curves.
            sizes: to know them at.
            grid, codec: see the attributes.

        Raises:
            ValueError: no shot does.
        """
        known = [(Surface(shot.points, grid), shot.frames) for shot in shots if spans(shot, codec)]
        if not known:
            raise ValueError("no shot has two points of one size that are far apart; measure one more")
        lines = {
            size: np.mean([_times(surface.lines(size), 1 / frames) for surface, frames in known], axis=0)
            for size in sizes
        }
        return cls(grid=grid, codec=codec, lines=lines)

    def surface(self, shot: ShotPoints) -> Surface:
        """A shot's own curves where it spans them, else the prior moved through its points, of which it may have none."""
        if spans(shot, self.codec):
            return Surface(shot.points, self.grid)
        prior = {size: _times(lines, shot.frames) for size, lines in self.lines.items()}
        return Surface(shot.points, self.grid, prior)


def _times(lines: Array, factor: float) -> Array:
    """Lines with so many times the bytes."""
    return np.asarray(lines + np.array([[log(factor)], [0.0], [0.0]]), np.float64)
