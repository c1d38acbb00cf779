"""Typed options of an encoder, as data: what a value must be, before an encoder is started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from encoder.errors import BadOption


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`, whole or not."""

    low: Decimal
    high: Decimal
    whole: bool = True

    def wrong(self, text: str) -> str:
        """What is wanted instead of `text`; empty where it fits."""
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        fits = value.is_finite() and self.low <= value <= self.high
        if fits and (not self.whole or value == value.to_integral_value()):
            return ""
        return f"wanted a {'whole ' if self.whole else ''}number from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def wrong(self, text: str) -> str:
        """What is wanted instead of `text`; empty where it fits."""
        return "" if text in self.words else f"wanted one of {', '.join(self.words)}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two numbers from `low` to `high` with a colon's stand-in between them, as `1.0,0.15`."""

    low: Decimal
    high: Decimal

    def wrong(self, text: str) -> str:
        """What is wanted instead of `text`; empty where it fits."""
        number = Number(self.low, self.high, whole=False)
        parts = text.split(",")
        fits = len(parts) <= 2 and not any(number.wrong(part) for part in parts)
        return "" if fits else f"wanted one or two numbers from {self.low} to {self.high}, as 1.0,0.2"


Kind = Number | Word | Pair
FLAG = Word(("0", "1"))


def whole(low: int, high: int) -> Number:
    """A whole number in a range."""
    return Number(Decimal(low), Decimal(high))


def real(low: int | str, high: int | str) -> Number:
    """A number in a range."""
    return Number(Decimal(low), Decimal(high), whole=False)


def words(text: str) -> Word:
    """One of the words of a text."""
    return Word(tuple(text.split()))


def pairs(params: str) -> Iterator[tuple[str, str]]:
    """Names and values of `key=value:key=value`.

    Raises:
        BadOption: an entry has no value.
    """
    for entry in params.split(":") if params else ():
        name, separator, value = entry.partition("=")
        if not separator or not value:
            raise BadOption("--encoder-params", entry or params, "wanted key=value:key=value")
        yield name, value


def check_options(params: str, known: Mapping[str, Kind], refused: Mapping[str, str], codec: str) -> None:
    """Refuse options that the codec does not have, that do not fit, or that would break what chunks share.

    Raises:
        BadOption: names the option, what was got and what is wanted.
    """
    for name, value in pairs(params):
        given = f"{name}={value}"
        if name in refused:
            raise BadOption("--encoder-params", given, refused[name])
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise BadOption(
                "--encoder-params", given, f"{hint}{codec} takes here: {', '.join(sorted(known))}"
            )
        if reason := known[name].wrong(value):
            raise BadOption("--encoder-params", given, reason)
