"""Static HDR metadata: how the title was mastered, and how bright it gets."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from archer.media.sidedata import side_data

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Point = tuple[Fraction, Fraction]
DYNAMIC = {"DOVI_RPU_BUFFER": "dolby vision", "DOVI_METADATA": "dolby vision", "DYNAMIC_HDR_PLUS": "hdr10+"}
"""FFmpeg's side data -> the name of the dynamic metadata it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mastering:
    """The display that a title was mastered on (SMPTE ST 2086).

    Attributes:
        red, green, blue, white: CIE 1931 (x, y); None where the title says nothing about colours.
        min_luminance, max_luminance: cd/m2; None where it says nothing about light.
    """

    red: Point | None = None
    green: Point | None = None
    blue: Point | None = None
    white: Point | None = None
    min_luminance: Fraction | None = None
    max_luminance: Fraction | None = None

    def to_json(self) -> dict[str, Any]:
        """A JSON object; fractions are text."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: [str(part) for part in value] if isinstance(value, tuple) else value and str(value)
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(**{name: _fractions(entry) for name, entry in value.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hdr:
    """HDR metadata of a title.

    Attributes:
        mastering: the mastering display; None where the title does not say.
        max_cll, max_fall: brightest pixel and brightest frame average, cd/m2 (CTA-861.3); None where it does not say.
        dynamic: kinds of metadata per frame that it carries: `dolby vision`, `hdr10+`.
    """

    mastering: Mastering | None = None
    max_cll: int | None = None
    max_fall: int | None = None
    dynamic: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {
            "mastering": self.mastering and self.mastering.to_json(),
            "max_cll": self.max_cll,
            "max_fall": self.max_fall,
            "dynamic": list(self.dynamic),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """What `to_json` wrote."""
        mastering = value["mastering"]
        return cls(
            mastering=Mastering.from_json(mastering) if mastering else None,
            max_cll=value["max_cll"],
            max_fall=value["max_fall"],
            dynamic=tuple(value["dynamic"]),
        )


def hdr_of(picture: VideoFrame) -> Hdr | None:
    """HDR metadata on a decoded picture; None without any."""
    sides = side_data(picture)
    words = {name: np.frombuffer(data, np.int32).tolist() for name, data in sides.items() if name in _PARSED}
    light = words.get("CONTENT_LIGHT_LEVEL")
    found = Hdr(
        mastering=_mastering(words["MASTERING_DISPLAY_METADATA"])
        if "MASTERING_DISPLAY_METADATA" in words
        else None,
        max_cll=light[0] if light else None,
        max_fall=light[1] if light else None,
        dynamic=tuple(sorted({DYNAMIC[name] for name in sides if name in DYNAMIC})),
    )
    return found if found != Hdr() else None


_PARSED = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")


def _mastering(words: list[int]) -> Mastering:
    """Parse AVMasteringDisplayMetadata: ten rationals (red, green, blue, white, min, max), then two flags."""
    ratios = [Fraction(a, b or 1) for a, b in zip(words[0:20:2], words[1:20:2], strict=True)]
    points = [(ratios[place], ratios[place + 1]) for place in (0, 2, 4, 6)] if words[20] else [None] * 4
    low, high = (ratios[8], ratios[9]) if words[21] else (None, None)
    return Mastering(
        red=points[0], green=points[1], blue=points[2], white=points[3], min_luminance=low, max_luminance=high
    )


def _fractions(entry: Any) -> Any:
    if isinstance(entry, list):
        return (Fraction(entry[0]), Fraction(entry[1]))
    return None if entry is None else Fraction(entry)
