"""Settings, programs and stages that are not the same on both sides; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NONE = "not set"
SHORT = 160
"""Letters of a setting that are shown; texts of files are longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """One thing that differs, and its value on each side, as text."""

    what: str
    a: str
    b: str


def setting_rows(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[SettingRow]:
    """What differs between two manifests in what was asked for and what it was made with."""
    rows = [*_rows("", one["settings"], other["settings"])]
    rows += _rows("", one["versions"], other["versions"])
    stages = [
        {
            f"stage {node}": f"{entry['stage']}@{entry['version']}"
            for node, entry in side.get("stages", {}).items()
        }
        for side in (one, other)
    ]
    rows += _rows("", *stages) if all(stages) else []
    rows += _rows("", *({"scorer": side["scorer"]} for side in (one, other)))
    return rows


def _rows(prefix: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[SettingRow]:
    found = []
    for name in sorted({*one, *other}):
        a, b = (_text(side.get(name)) for side in (one, other))
        if a != b:
            found.append(SettingRow(what=prefix + name.replace("_", " "), a=a, b=b))
    return found


def _text(value: Any) -> str:
    text = " ".join(str(value).split()) if value not in (None, "") else NONE
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
