"""What quality control finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")
KINDS: dict[str, Severity] = {
    "black": "warning",
    "white": "warning",
    "freeze": "error",
    "duplicate": "warning",
    "dropped": "warning",
    "dead_pixel": "error",
    "range": "error",
    "gamut": "warning",
    "flash": "error",
    "field_order": "error",
    "blocks": "warning",
    "banding": "warning",
    "telecine": "warning",
}
"""Kinds of findings and their usual severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong, and where.

    Attributes:
        kind: one of `KINDS`.
        severity: how bad it is.
        start, end: frames, half-open.
        message: one line for people, with the measured value.
    """

    kind: str
    severity: Severity
    start: int
    end: int
    message: str

    def to_json(self) -> dict[str, Any]:
        """Integers and text only."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        return f"{self.severity}: {self.kind} in frames {self.start} to {self.end - 1}: {self.message}"


def at_least(severity: str, gate: str) -> bool:
    """Whether a severity reaches another."""
    order = list(SEVERITIES)
    return order.index(severity) >= order.index(gate)  # type: ignore[arg-type]
