"""Thresholds of quality control, from a YAML file.

# strict.yaml
freeze_frames: 12
black_s: 0.5
skip: [flash]
severity: {range: warning}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from pipelines.qc.errors import BadProfile
from pipelines.qc.finding import KINDS, SEVERITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Thresholds; 8-bit units where they are about samples.

    Attributes:
        black_s: seconds of black inside a title that are too long.
        white_s: seconds of white inside a title that are too long.
        freeze_frames: frames that stand still in a shot that moves.
        dead_share: share of each shot's frames in which a dead pixel stands out.
        range_share: share of samples beyond both ends of video range, mean over the title.
        excess_share: share of samples beyond one end of it.
        gamut_share: share of chroma samples out of gamut.
        flashes: flashes within a second that are too many: more than this.
        field_order: mean log2 evidence from which on a title is interlaced.
        blockiness: steps at block borders over steps inside, median over the title.
        banding: CAMBI of a shot's key frame from which on it has bands.
        skip: kinds of findings that are left out.
        severity: severity by kind, where it is another than usual.
    """

    black_s: float = 2.0
    white_s: float = 2.0
    freeze_frames: int = 12
    dead_share: float = 0.8
    range_share: float = 0.004
    excess_share: float = 0.25
    gamut_share: float = 0.15
    flashes: int = 3
    field_order: float = 0.3
    blockiness: float = 5.0
    banding: float = 10.0
    skip: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Self:
        """A profile from YAML; what it does not say stays as it is.

        Raises:
            BadProfile: it is no mapping, or has an unknown name or an impossible value.
        """
        import yaml

        try:
            said = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise BadProfile(f"it is no YAML ({' '.join(str(error).split())})") from error
        if not isinstance(said, dict):
            raise BadProfile(f"wanted names with values, got {type(said).__name__}")
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(map(str, said)) - known):
            raise BadProfile(f"{', '.join(unknown)}: not known; wanted some of {', '.join(sorted(known))}")
        return cls(**{name: _checked(name, value) for name, value in said.items()})


def _checked(name: str, value: Any) -> Any:
    if name == "skip":
        return tuple(_kinds(name, value if isinstance(value, list) else [value]))
    if name == "severity":
        if not isinstance(value, dict) or not set(value.values()) <= set(SEVERITIES):
            raise BadProfile(f"severity: wanted kinds with {', '.join(SEVERITIES)}, got {value!r}")
        _kinds(name, list(value))
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadProfile(f"{name}: wanted a number of 0 or more, got {value!r}")
    return value


def _kinds(name: str, listed: list[Any]) -> list[str]:
    for kind in listed:
        if kind not in KINDS:
            raise BadProfile(f"{name}: {kind!r} is no kind of finding; wanted some of {', '.join(KINDS)}")
    return listed


def profile_text(path: Path | None) -> str:
    """The text of a file; empty for none.

    Raises:
        BadProfile: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadProfile(f"{path} cannot be read ({error})") from error
