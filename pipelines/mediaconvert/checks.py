"""Looks at fields of a MediaConvert job: of the right type, known, or with the only value that is carried out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.mediaconvert.errors import Unsupported

Fields = Mapping[str, Any]
NO_CHOICE = {
    "TimecodeConfig": {"Source": ("ZEROBASED", "EMBEDDED")},
    "VideoSelector": {"ColorSpace": ("FOLLOW",), "Rotate": ("AUTO",)},
    "FilterEnable": ("AUTO", "DISABLE"),
    "FilterStrength": (0,),
    "DeblockFilter": ("DISABLED",),
    "DenoiseFilter": ("DISABLED",),
    "PsiControl": ("USE_PSI", "IGNORE_PSI"),
    "InputScanType": ("AUTO",),
    "AdAvailOffset": (0,),
}
"""Fields with the only values that mean what we do anyway."""


def check_choices(given: Fields, where: str, choices: Mapping[str, Any] = NO_CHOICE) -> None:
    """Refuse another value than the only ones that are carried out."""
    for name, wanted in choices.items():
        if name not in given:
            continue
        if isinstance(wanted, dict):
            inner = mapping(given[name], f"{where}{name}")
            only(inner, tuple(wanted), f"{where}{name}.")
            check_choices(inner, f"{where}{name}.", wanted)
        elif given[name] not in wanted:
            raise Unsupported(f"{where}{name}", f"got {given[name]}; wanted {' or '.join(map(str, wanted))}")


def only(given: Fields, known: Sequence[str], where: str) -> None:
    """Refuse unknown fields."""
    for name in given:
        if name not in known:
            raise Unsupported(f"{where}{name}", "is not carried out here; leave it out")


def mapping(value: Any, where: str) -> Fields:
    """An object, or a refusal."""
    if not isinstance(value, Mapping):
        raise Unsupported(where, f"wanted an object, got {type(value).__name__}")
    return value


def mappings(value: Any, where: str) -> list[tuple[str, Fields]]:
    """The objects of a list that may be missing, each with its path."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unsupported(where, f"wanted a list, got {type(value).__name__}")
    return [(f"{where}[{place}]", mapping(each, f"{where}[{place}]")) for place, each in enumerate(value)]


def one(value: Any, where: str) -> Fields:
    """The only object of a list."""
    found = mappings(value, where)
    if len(found) != 1:
        raise Unsupported(where, f"wanted exactly one, got {len(found) or 'none'}")
    return found[0][1]


def same(values: Sequence[str]) -> str:
    """One word for what each input is to have: the only one, or all of them, where the last stands for all behind it."""
    found = list(values)
    while len(found) > 1 and found[-1] == found[-2]:
        found.pop()
    return "|".join(found)
