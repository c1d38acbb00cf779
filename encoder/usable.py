"""Which quality values of a codec may be used, where an encode at some of them gave no right stream; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any, Self

from encoder.codecs.base import Codec

AWAY = 6
"""One of so many parts of the distance of a codec's first guesses is kept away from a value that broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """The quality values that are left.

    Encoders that break at finer values than the first guess do so at the finest ones that they claim to have: everything
    finer is left out, too. Elsewhere it is the value itself and its neighbourhood.

    Attributes:
        codec: its range, its step and its first guesses.
        broken: values at which an encode broke, whatever the shot and the size.
    """

    codec: Codec
    broken: frozenset[Decimal] = frozenset()

    @classmethod
    def of(cls, codec: Codec, refused: Iterable[Mapping[str, Any]]) -> Self:
        """From objects with a `crf` each."""
        return cls(codec=codec, broken=frozenset(Decimal(str(point["crf"])) for point in refused))

    @property
    def away(self) -> Decimal:
        """How far from a broken value the next usable one is; a multiple of the codec's step."""
        good, less = (Decimal(guess) for guess in self.codec.first_guesses)
        step = self.codec.step
        return ((less - good) / AWAY / step).to_integral_value(rounding=ROUND_UP) * step

    @property
    def best(self) -> Decimal:
        """The finest value to use."""
        good = Decimal(self.codec.first_guesses[0])
        fine = [crf for crf in self.broken if crf < good]
        return min(good, max(fine) + self.away) if fine else self.codec.quality[0]

    @property
    def gaps(self) -> tuple[Decimal, ...]:
        """The broken values that are not finer than the first guess, rising."""
        good = Decimal(self.codec.first_guesses[0])
        return tuple(sorted(crf for crf in self.broken if crf >= good))

    def allows(self, crf: Decimal) -> bool:
        """Whether a value may be used."""
        return crf >= self.best and all(abs(crf - gap) >= self.away for gap in self.gaps)

    def nearest(self, crf: Decimal) -> Decimal | None:
        """The usable value that is nearest to this one, the poorer one of two; None where there is none."""
        edges = [
            crf,
            self.best,
            *(gap + self.away for gap in self.gaps),
            *(gap - self.away for gap in self.gaps),
        ]
        low, high = self.codec.quality
        there = [edge for edge in edges if low <= edge <= high and self.allows(edge)]
        return min(there, key=lambda edge: (abs(edge - crf), -edge), default=None)


def broken_notices(usable: Usable, refused: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the encoder could not carry out, in words, once for each size and quality value.

    Args:
        usable: what is left.
        refused: objects with `width`, `height`, `crf`, and why under `refused`.
    """
    found = {
        (point["width"], point["height"], Decimal(str(point["crf"]))): point["refused"] for point in refused
    }
    return [
        f"{usable.codec.name} broke at {width}x{height} with quality {plain(crf)} ({why}); {_left_out(usable, crf)}"
        for (width, height, crf), why in found.items()
    ]


def broken_texts(refused: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The same in short, for an error."""
    texts = (f"{point['width']}x{point['height']} at {point['crf']}: {point['refused']}" for point in refused)
    return tuple(dict.fromkeys(texts))


def _left_out(usable: Usable, crf: Decimal) -> str:
    if crf not in usable.gaps:
        return f"quality {plain(usable.best)} is the best that is used"
    return f"no quality between {plain(crf - usable.away)} and {plain(crf + usable.away)} is used"


def plain(crf: Decimal) -> str:
    """A quality value without needless zeros: `9`, `21.4`."""
    return f"{crf.normalize():f}"
