"""Loudness of sound by EBU R128: measured while it is encoded, corrected by one gain for the whole title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from encoder.errors import BadOption

METER = "ebur128=peak=true:framelog=quiet"
"""ffmpeg's meter; it lets the sound through, and says at the end what it measured."""
SILENT = Decimal(-69)
"""LUFS; the meter's gate lies at -70, quieter sound is silence."""
CEILING = Decimal(-1)
"""dBTP; what a correction must not pass, as EBU R128 asks of true peaks."""
TARGETS = (Decimal(-40), Decimal(-5))
_LINE = re.compile(r"^\s+(I|LRA|Peak):\s+(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """What a meter says of a whole title.

    Attributes:
        integrated_lufs: programme loudness, one decimal.
        range_lu: loudness range, one decimal.
        peak_dbtp: highest true peak of any channel, one decimal; `-inf` for digital silence.

    Source: EBU R128, EBU Tech 3341 and 3342, ITU-R BS.1770.
    """

    integrated_lufs: str = "-70.0"
    range_lu: str = "0.0"
    peak_dbtp: str = "-inf"

    @property
    def is_silent(self) -> bool:
        """Nothing in it is loud enough to be measured."""
        return Decimal(self.integrated_lufs) <= SILENT


class Meter:
    """Reads the meter's report from the lines that ffmpeg writes to its standard error."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def line(self, text: str) -> None:
        """One line."""
        found = _LINE.match(text)
        if found:
            self._found[found[1]] = found[2]

    @property
    def loudness(self) -> Loudness:
        """What was measured; silence where the meter said nothing."""
        value = self._found
        measured = value.get("I", "nan")
        return Loudness(
            integrated_lufs=measured if measured not in ("nan", "-inf") else "-70.0",
            range_lu=value.get("LRA", "0.0"),
            peak_dbtp=value.get("Peak", "-inf"),
        )


def checked_target(text: str) -> str:
    """A wanted loudness, or empty for none.

    Raises:
        BadOption: it is no number, or out of range.
    """
    low, high = TARGETS
    if text:
        try:
            fits = low <= Decimal(text) <= high
        except InvalidOperation:
            fits = False
        if not fits:
            raise BadOption("--loudness", text, f"wanted LUFS from {low} to {high}, as -23 (EBU R128)")
    return text


def gain_db(measured: Loudness, target: str) -> tuple[str, str]:
    """The gain that brings a title to a loudness, as decimal text of dB, and a notice where it cannot quite.

    The gain is the same for all of the title, so its dynamics stay; where peaks would pass -1 dBTP it is made smaller.

    Args:
        measured: the title.
        target: wanted LUFS.
    """
    if measured.is_silent:
        return "0", f"silent, not brought to {target} LUFS"
    wanted = Decimal(target) - Decimal(measured.integrated_lufs)
    room = CEILING - Decimal(measured.peak_dbtp)
    gain = min(wanted, max(Decimal(0), room)) if wanted > 0 else wanted
    if gain == wanted:
        return str(gain), ""
    short = Decimal(measured.integrated_lufs) + gain
    return str(gain), f"brought to {short} instead of {target} LUFS: its peaks would pass {CEILING} dBTP"
