"""Which quality values of a codec may be used, where an encode at some of them gave no right stream; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any, Self

from encoder.codecs.base import Codec

AWAY = 6
"""One of so many parts of the distance of a codec's first guesses is kept away from a value that broke."""
INSTEAD = (-1, 1, -2, 2, 4)
"""How far from the value at which a chunk broke it is tried again, in parts of that distance, one after the other: better first,
since what was asked for is the least; further on the poorer side, since the finest values break above all."""
SHOWN = 3


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


def instead(codec: Codec, crf: Decimal, *, better: bool = True) -> tuple[Decimal, ...]:
    """The quality values at which a chunk is tried that broke at this one, in order.

    The finest value of a codec is none of them: with some it stands for coding without loss, which is another profile.

    Args:
        codec: its range and first guesses.
        crf: where it broke.
        better: values on the better side come into question.
    """
    low, high = codec.quality
    away = Usable(codec=codec).away
    found = [crf + steps * away for steps in INSTEAD if better or steps > 0]
    return tuple(value for value in found if low < value <= high)


def broken_chunks(rung: str, broken: Sequence[Mapping[str, Any]], count: int) -> tuple[str, ...]:
    """What is not as planned where chunks broke: one notice for a rung, which names some of them, or none.

    Args:
        rung: its name.
        broken: chunks that did: `frame` at which each begins, the `crf` that it has, and `broken`: objects with the `crf` and the
            `problem` of each encode of it that gave no right stream.
        count: how many chunks there are.
    """
    if not broken:
        return ()
    told = [
        f"that at frame {chunk['frame']} has {chunk['crf']} ({tried_text(chunk['broken'])})"
        for chunk in broken[:SHOWN]
    ]
    more = [f"{len(broken) - SHOWN} more"] if len(broken) > SHOWN else []
    which = f"{len(broken)} of {count} chunks" if count > 1 else "its only chunk"
    text = f"rung {rung}: the encoder broke in {which}, coded at another quality instead: "
    return (text + "; ".join([*told, *more]),)


def tried_text(broken: Iterable[Mapping[str, Any]]) -> str:
    """Quality values, and what was wrong at each."""
    return ", ".join(f"at {one['crf']}: {one['problem']}" for one in broken)


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
