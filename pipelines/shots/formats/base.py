"""What a format of shots is, and what all of them share."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

Found: TypeAlias = Mapping[str, Any]
"""A `shots@1` object: frames, frame_rate (`num/den`), shots (start, end, transition, confidence_pct; mixed, fade_out)."""
Media: TypeAlias = Mapping[str, Any]
"""A `media@1` object."""
Details: TypeAlias = Mapping[str, Any]
"""What a shot says beyond its frames."""

SCHEMA = "shots@1"
EXTRAS = ("mixed", "fade_out")
RATES = tuple(
    Fraction(rate)
    for rate in ("24000/1001", "24", "25", "30000/1001", "30", "48", "50", "60000/1001", "60", "120")
)


class Format(ABC):
    """One way to keep shots in a text file.

    Attributes:
        name: as `--format` takes it.
        suffix: of file names; more than one format may have it, the first registered one is meant.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]

    @abstractmethod
    def write(self, shots: Found, media: Media) -> str:
        """The text of a `shots@1` object, of a title with these facts."""

    @abstractmethod
    def read(self, text: str, frame_rate: Fraction | None) -> Found:
        """The object of a text.

        Args:
            text: of a whole file.
            frame_rate: of the title, for texts that do not say it; None where it is not known.

        Raises:
            ValueError, KeyError, TypeError, IndexError, AttributeError: the text is not of this format.
        """


def details(shot: Mapping[str, Any]) -> dict[str, Any]:
    """What a shot says beyond its frames."""
    return {
        name: shot[name] for name in ("transition", "confidence_pct", *EXTRAS) if shot.get(name) is not None
    }


def details_text(shot: Mapping[str, Any]) -> str:
    """The details in one line."""
    return json.dumps(details(shot), sort_keys=True, separators=(",", ":"))


def found(shots: Iterable[tuple[int, int, Details]], frame_rate: Fraction) -> dict[str, Any]:
    """A `shots@1` object from ranges and details; what is not said is a certain cut.

    Raises:
        ValueError: shots are not contiguous from frame 0.
    """
    listed: list[dict[str, Any]] = []
    for start, end, said in shots:
        wanted = listed[-1]["end"] if listed else 0
        if start != wanted or end <= start:
            raise ValueError(f"shot [{start}, {end}): wanted one that begins at {wanted} and is not empty")
        default = {"transition": "cut" if listed else "start", "confidence_pct": 100}
        listed.append({"start": start, "end": end, **default, **details(said)})
    frames = listed[-1]["end"] if listed else 0
    return {"schema": SCHEMA, "frames": frames, "frame_rate": str(frame_rate), "shots": listed}


def known_rate(said: str | None, given: Fraction | None) -> Fraction:
    """The frame rate that a file says, or that of the title.

    Raises:
        ValueError: neither is there.
    """
    if said:
        return Fraction(said)
    if given is None:
        raise ValueError("the file does not say its frame rate; give the title's")
    return given


def nearest_rate(frames: int, seconds: Fraction) -> Fraction | None:
    """The usual frame rate at which so many frames last so long, within a millisecond; None where there is none."""
    fits = [rate for rate in RATES if abs(frames / rate - seconds) <= Fraction(1, 1000)]
    return fits[0] if frames and len(fits) == 1 else None
