"""Black bars of a frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Black bars of a frame as it is stored, samples."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0
